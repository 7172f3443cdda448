"""`statement`, `trial-balance` and `export` at the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.books.bean_check import complaints
from tests.cli.terminal import Terminal
from tests.views.vandal import trade_for_an_hour
from tradecore.journal import open_journal


@pytest.fixture
def traded(terminal: Terminal) -> Terminal:
    """After an hour of trading."""
    terminal.trade(trade_for_an_hour)
    return terminal


def test_the_statement_tells_cash_profit_and_lots(traded: Terminal) -> None:
    (made,) = traded.json("statement")
    assert (made["opening_cash"], made["closing_cash"], made["fees"]) == ("10000", "9870.49", "0.01")
    assert (made["gross_pnl"], made["realised_pnl"]) == ("10.5", "10.49")
    assert [line["amount"] for line in made["movements"]] == ["-502.5", "203.99", "309", "-140"]
    assert [(lot["symbol"], lot["qty"], lot["cost"]) for lot in made["lots"]] == [
        ("IBM", "3", "300"),
        ("QQQ", "7", "140"),
    ]


def test_the_statement_as_of_a_position_ends_there(traded: Terminal) -> None:
    (made,) = traded.json("statement", "--as-of", "2")
    assert (made["closing_cash"], made["movements"]) == ("10000", [])
    (made,) = traded.json("statement", "--as-of", "2024-01-01")
    assert (made["closing_cash"], made["lots"]) == ("0", [])
    (made,) = traded.json("statement", "--as-of", "2024-01-02")
    assert made["closing_cash"] == "9870.49"


def test_the_trial_balance_has_as_much_debit_as_credit(traded: Terminal) -> None:
    lines = traded.json("trial-balance")
    assert sum(float(line["debit"]) for line in lines) == sum(float(line["credit"]) for line in lines) > 0
    assert "debits less credits 0 USD" in traded.run("trial-balance").out


def test_people_see_tables(traded: Terminal) -> None:
    said = traded.run("statement")
    assert (said.code, said.err) == (0, "")
    assert "closing cash  9870.49" in said.out
    assert "buy 10 SPY at 50.25" in said.out


@pytest.mark.parametrize("verb", ["statement", "trial-balance"])
def test_a_ledger_without_money_has_nothing_to_say(terminal: Terminal, verb: str) -> None:
    terminal.trade(lambda desk: desk.limit(qty="1"))
    assert terminal.json(verb) == []
    assert terminal.run(verb).out == "no entries\n"


@pytest.mark.parametrize("verb", ["statement", "trial-balance"])
@pytest.mark.parametrize("as_of", ["100000", "yesterday", "-1"])
def test_an_as_of_that_says_nothing_is_wrong_input(traded: Terminal, verb: str, as_of: str) -> None:
    said = traded.run(verb, "--as-of", as_of)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: as_of")


def test_the_beancount_export_is_accepted(traded: Terminal, tmp_path: Path) -> None:
    assert traded.run("export", "beancount", "books.bean").out == "5 entries in books.bean\n"
    assert complaints((tmp_path / "books.bean").read_text(encoding="utf-8"), tmp_path) is None
    assert traded.json("export", "beancount", "books.bean") == [{"file": "books.bean", "entries": 5}]


def test_the_parquet_export_names_its_files(traded: Terminal, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    written = traded.json("export", "parquet", "tables")
    assert [(Path(item["file"]).name, item["rows"]) for item in written] == [
        ("orders.parquet", 6),
        ("fills.parquet", 4),
        ("trades.parquet", 4),
        ("positions.parquet", 3),
        ("entries.parquet", 14),
    ]
    assert all((tmp_path / item["file"]).is_file() for item in written)


@pytest.mark.parametrize(
    "words", [("beancount", "missing/books.bean"), ("beancount", "."), ("parquet", "tradecore.db")]
)
def test_a_place_that_cannot_be_written_to_is_one_error_line(traded: Terminal, words: tuple[str, str]) -> None:
    said = traded.run("export", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    open_journal(f"sqlite:///{traded.path}", create=False).close()


def test_an_export_without_a_ledger_names_the_ledger(terminal: Terminal) -> None:
    said = terminal.run("export", "beancount", "books.bean")
    assert said.code == 2
    assert "there is no ledger" in said.err
