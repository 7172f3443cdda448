"""What is wrong in options, files and settings: exit code 2, one line that names it, and no file left behind."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from tests.runner.market import HEADER, write_csv
from tests.runner.process import KEYS, QUICK, names, orders, run, write

SECRET = "do-not-print-this-secret"
GOOD_ROW = "SPY,2024-01-02T14:30:00Z,10,11,9,10,100\n"


@attrs.frozen
class Case:
    """A bad input: options, one file, variables; and words of the error that it deserves."""

    name: str
    words: tuple[str, ...]
    options: tuple[str, ...] = ()
    file: str = ""
    content: str | bytes = ""
    env: dict[str, str] = attrs.field(factory=dict)


def option(name: str, options: str, *words: str) -> Case:
    return Case(name, words, tuple(options.split()))


def toml(name: str, text: str | bytes, *words: str, **env: str) -> Case:
    return Case(name, words, ("--config", "runner.toml"), "runner.toml", text, env)


def bars(name: str, content: str | bytes, *words: str, file: str = "bars.csv", more: tuple[str, ...] = ()) -> Case:
    return Case(name, words, ("--bars", file, *more), file, content)


def price(text: str) -> Case:
    row = f"SPY,2024-01-02T14:30:00Z,10,11,9,{text},100\n"
    return bars(f"a close of {text}", HEADER + row, "row 2: close", "above zero")


CASES = [
    option("an unknown option", "--nope", "--nope", "--help"),
    option("a number of days that is none", "--days many", "--days", "many"),
    option("no days", "--days 0", "market_data.days", "greater than or equal to 1"),
    option("an unknown broker", "--broker nope", "broker.name", "'nope'", "alpaca, exchange"),
    option("an unknown strategy", "--strategy nope", "strategy.name", "'nope'", "none, sma"),
    option("an unknown runner", "nope", "runner", "'nope'", "daemon"),
    option("a speed that is none", "--speed fast", "market_data.speed", "'max' or a multiple"),
    option("a speed of zero", "--speed 0", "market_data.speed", "above 0"),
    option("a speed that is not a number", "--speed nan", "market_data.speed", "above 0"),
    option("lower case symbols", "--symbols spy", "symbols", "capital letters"),
    option("a ledger without a scheme", "--ledger tradecore.db", "ledger", "sqlite:///path.db"),
    option("a directory as ledger", "--ledger sqlite:///.", "ledger", "directory", "name a file"),
    option("a ledger in no directory", "--ledger sqlite:///no/such.db", "ledger", "no directory", "make it"),
    option("a config file that is not there", "--config no.toml", "config", "no.toml"),
    toml("a config file that is no TOML", "[broker\n", "config", "not valid TOML", "line 1"),
    toml("a config file that is no text", b"\xff\xfe", "config", "cannot be read"),
    toml("an unknown table", "[brker]\n", "brker", "no such setting"),
    toml("an unknown key", '[broker]\nnmae = "x"\n', "broker.nmae", "no such setting"),
    toml("a value of a wrong type", '[market_data]\ndays = "many"\n', "market_data.days", "integer", "'many'"),
    toml("a value where a table belongs", 'broker = "exchange"\n', "broker"),
    toml("a secret in the file", f'api_secret_key = "{SECRET}"\n', "api_secret_key", "APCA_API_SECRET_KEY"),
    toml("a secret under its variable's name", f'APCA_API_SECRET_KEY = "{SECRET}"\n', "APCA_API_SECRET_KEY"),
    toml("an average of no bars", "[strategy]\nparameters = { fast = 0 }\n", "strategy.parameters.fast", "at least 1"),
    toml("averages the wrong way", "[strategy]\nparameters = { fast = 9, slow = 3 }\n", "fast", "fewer bars than slow"),
    toml("a quantity that is none", '[strategy]\nparameters = { quantity = "x" }\n', "strategy.parameters.quantity"),
    toml("an unknown parameter", "[strategy]\nparameters = { nope = 1 }\n", "strategy.parameters", "'nope'"),
    toml("the live host without --live", '[broker]\nname = "alpaca"\nbase_url = "https://api.alpaca.markets"\n',
         "broker.base_url", "real money", "broker.live", **KEYS),
    toml("an exchange elsewhere", '[broker]\nbase_url = "http://192.0.2.1:80"\n', "broker.base_url", "alpaca"),
    toml("an address that is none", '[broker]\nbase_url = "nonsense"\n', "broker.base_url", "https://"),
    option("Alpaca without keys", "--broker alpaca --symbols SPY", "APCA_API_KEY_ID", "not set"),
    Case("Alpaca with half of its keys", ("APCA_API_SECRET_KEY", "not set"), ("--broker", "alpaca"),
         env={"APCA_API_KEY_ID": "key"}),
    Case("a misspelt variable", ("broker.nmae", "no such setting"), env={"TRADECORE_BROKER__NMAE": "x"}),
    option("a bar file that is not there", "--bars no.csv", "no.csv", "a file that exists"),
    bars("a bar file of another kind", HEADER + GOOD_ROW, "bars.txt", ".csv or .parquet", file="bars.txt"),
    bars("a bar file without columns", "symbol,timestamp,open\n", "columns", "volume"),
    bars("bars out of order", HEADER + GOOD_ROW.replace("30:", "31:") + GOOD_ROW, "row 3: timestamp", "a time after"),
    bars("the same minute twice", HEADER + GOOD_ROW * 2, "row 3: timestamp", "a time after"),
    bars("times without a zone", HEADER + GOOD_ROW.replace("Z", ""), "row 2: timestamp", "offset or Z"),
    price("NaN"),
    price("0"),
    price("-1"),
    bars("an empty bar file", "", "bars.csv", "not empty"),
    bars("a bar file with a header only", HEADER, "bars.csv", "at least one bar"),
    bars("garbage as CSV", bytes(range(256)) * 9, "bars.csv", "UTF-8"),
    bars("garbage as Parquet", bytes(range(256)) * 9, "bars.parquet", "a Parquet file", file="bars.parquet"),
    bars("a symbol that the bars lack", HEADER + GOOD_ROW, "symbols", "'IBM'", "SPY", more=("--symbols", "IBM")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_in_one_line_and_leaves_nothing(case: Case, tmp_path: Path) -> None:
    if case.file:
        content = case.content if isinstance(case.content, bytes) else case.content.encode()
        (tmp_path / case.file).write_bytes(content)
    if case.file.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    done = run(tmp_path, *case.options, **case.env)
    assert done.code == 2, done.err
    assert [word for word in case.words if word not in done.error] == [], done.err
    assert SECRET not in done.out + done.err
    assert done.out == ""
    assert names(tmp_path) == ({case.file} if case.file else set())


@pytest.mark.slow
def test_other_bars_than_before_are_refused_with_what_to_do(tmp_path: Path) -> None:
    config = write(tmp_path, "runner.toml", f"[strategy]\n{QUICK}\n")
    assert run(tmp_path, "--config", config, "--bars", write_csv(tmp_path, 20)).code == 0
    before = orders(tmp_path)
    assert before
    done = run(tmp_path, "--config", config, "--bars", write_csv(tmp_path, 21, "other.csv"))
    assert done.code == 2
    assert [
        word for word in ("market_data", "tradecore.exchange.db", "another --ledger") if word not in done.error
    ] == []
    assert orders(tmp_path) == before
