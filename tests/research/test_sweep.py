"""Sweeps: the same outcomes however they are run, kept by the hash of their terms, and gone on with after a kill."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import attrs
import pytest

from tests.backtest.test_ticks import quotes
from tests.research.studies import study, write_bars
from tradecore.domain.exit_plan import ExitPlan
from tradecore.errors import ConfigurationError, InputError
from tradecore.metrics import NotDefined
from tradecore_backtest.api import backtest
from tradecore_backtest.sheet import sheet_of
from tradecore_sweep import Grid, Processes, Serial, Study, sweep
from tradecore_sweep.grid import parse_values
from tradecore_sweep.study import Trial
from tradecore_sweep.windowed import table_of

Item = TypeVar("Item")
Result = TypeVar("Result")


class Backwards:
    """An executor as a stranger would write one: last things first. `ran` counts."""

    def __init__(self) -> None:
        self.ran = 0

    def map_unordered(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        for item in reversed(list(items)):
            self.ran += 1
            yield function(item)


def kept(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def is_let_go(pipe: int, patience_s: float = 60.0) -> bool:
    """Whether everybody who could write into a pipe is gone: its workers inherit the output of a sweep."""
    end = time.monotonic() + patience_s
    while select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
        if not os.read(pipe, 4096):
            return True
    return False


def test_every_executor_gives_the_same_outcomes_to_the_byte(tmp_path: Path) -> None:
    made = study(tmp_path)
    one = sweep(made, tmp_path / "one", Serial())
    other = sweep(made, tmp_path / "other", Processes(2))
    third = sweep(made, tmp_path / "third", Backwards())
    assert one == other == third
    assert kept(tmp_path / "one") == kept(tmp_path / "other") == kept(tmp_path / "third")
    assert len(one.outcomes) == 6
    assert {dict(trial.parameters)["fast"] for trial, _ in one.refused} == {5, 8}
    assert "fewer bars than slow" in one.refused[0][1]


def test_an_outcome_is_that_of_the_plain_backtest(tmp_path: Path) -> None:
    made = study(tmp_path)
    best = sweep(made, tmp_path / "out", Serial()).best
    result = backtest(made.bars, "sma", parameters=dict(best.trial.parameters))
    report = sheet_of(result).report()
    assert best.figures["sharpe"] == report.value("sharpe")
    assert best.figures["trades"] == report.value("trades") != 0
    assert best.daily == list(report.returns)
    assert best.config_hash == result.config_hash


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    made = study(tmp_path)
    first, again = Backwards(), Backwards()
    told: list[tuple[int, int]] = []
    sweep(made, tmp_path / "out", first)
    some = sorted((tmp_path / "out").iterdir())[:2]
    some[0].unlink()
    some[1].write_bytes(some[1].read_bytes()[:100])  # cut short by a power cut
    sweep(made, tmp_path / "out", again, lambda done, total: told.append((done, total)))
    assert (first.ran, again.ran) == (6, 2)
    assert told == [(4, 6), (5, 6), (6, 6)]


def test_other_terms_are_other_trials(tmp_path: Path) -> None:
    made = study(tmp_path)
    sweep(made, tmp_path / "out", Serial())
    counted = Backwards()
    sweep(attrs.evolve(made, cash=Decimal(50_000)), tmp_path / "out", counted)
    assert counted.ran == 6


def test_bars_that_change_under_a_study_are_refused(tmp_path: Path) -> None:
    made = study(tmp_path)

    class Meddling(Serial):
        def map_unordered(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
            write_bars(made.bars, seed=2)
            table_of.cache_clear()
            items = list(items)
            for item in items:
                assert isinstance(item, Trial)
                Path(item.shared).unlink(missing_ok=True)
            return super().map_unordered(function, items)

    with pytest.raises(ConfigurationError, match="not what the study began with"):
        sweep(made, tmp_path / "out", Meddling())


def test_every_process_reads_the_bars_that_were_read_once(tmp_path: Path) -> None:
    """The file itself is not opened by trials, also not by those of a study whose bars are gone by then."""
    made = study(tmp_path)
    expected = sweep(made, tmp_path / "one", Serial())

    class Hiding(Serial):
        def map_unordered(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
            made.bars.unlink()
            table_of.cache_clear()
            return super().map_unordered(function, items)

    assert sweep(made, tmp_path / "two", Hiding()) == expected
    assert not list((tmp_path / "two").glob("*.columns"))


def test_exits_are_those_of_a_backtest(tmp_path: Path) -> None:
    plan = ExitPlan(stop_loss=Decimal("0.01"))
    made = attrs.evolve(study(tmp_path), exits=plan)
    best = sweep(made, tmp_path / "out", Serial()).best
    result = backtest(made.bars, "sma", parameters=dict(best.trial.parameters), exits=plan)
    assert best.config_hash == result.config_hash
    assert best.trial.key != attrs.evolve(best.trial, exits=None).key


def test_quotes_are_traded_on_as_in_a_backtest(tmp_path: Path) -> None:
    told = [(60 * n, f"{10 + n % 9 / 100:.2f}", f"{10.1 + n % 9 / 100:.2f}") for n in range(1, 200)]
    file = quotes(tmp_path / "q.parquet", told)
    made = Study("sma", Grid({"fast": [2], "slow": [5]}), file)
    best = sweep(made, tmp_path / "out", Serial()).best
    result = backtest(file, "sma", parameters=dict(best.trial.parameters))
    assert best.config_hash == result.config_hash
    assert best.daily == list(sheet_of(result).report().returns)
    assert len(result.fills) > 10


def test_a_sweep_that_was_killed_goes_on(tmp_path: Path) -> None:
    """SIGKILL after the first outcome: no worker stays, no file is half written, and the rest is run afterwards."""
    made = study(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.research.studies import study\n"
        "from tradecore_sweep import Processes, sweep\n"
        "if __name__ == '__main__':\n"
        "    folder = Path(sys.argv[1])\n"
        "    sweep(study(folder), folder / 'out', Processes(2), lambda done, total: print(done, flush=True))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], stdout=subprocess.PIPE, bufsize=0, env=env
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != b"1":
            assert process.poll() is None, "the sweep ended before its first outcome"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert is_let_go(process.stdout.fileno()), "a worker lives on"
    counted = Backwards()
    resumed = sweep(made, tmp_path / "out", counted)
    assert 0 < counted.ran < 6
    assert resumed == sweep(made, tmp_path / "fresh", Serial())
    assert kept(tmp_path / "out").items() >= kept(tmp_path / "fresh").items()


def test_a_seed_picks_the_same_sample_always(tmp_path: Path) -> None:
    values = {"a": range(20), "b": range(20)}
    first, same, other = Grid(values, 10, 7), Grid(values, 10, 7), Grid(values, 10, 8)
    assert first.combinations() == same.combinations() != other.combinations()
    assert len(first.combinations()) == 10
    assert Grid(values).combinations()[1] == {"a": 0, "b": 1}


def test_the_choice_is_doubted(tmp_path: Path) -> None:
    made = sweep(study(tmp_path), tmp_path / "out", Serial())
    assert made.doubt.trials == 6
    assert not isinstance(made.doubt.deflated_sharpe, NotDefined)
    assert any("Bailey" in warning for warning in made.doubt.warnings)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("10,20", (10, 20)),
        ("10:50:20", (10, 30, 50)),
        ("1:3", (1, 2, 3)),
        ("0.1:0.3:0.1", (Decimal("0.1"), Decimal("0.2"), Decimal("0.3"))),
        ("open,close", ("open", "close")),
        ("-1,2.50", (-1, Decimal("2.50"))),
    ],
)
def test_values_out_of_text(text: str, values: tuple[object, ...]) -> None:
    assert parse_values("x", text) == values


@pytest.mark.parametrize("text", ["5:1", "1:5:0", "1:5:-1", "0:1:0.0000001", "1..2:3"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_values("x", text)


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    made = study(tmp_path)
    with pytest.raises(InputError, match="fewer bars than slow"):
        sweep(attrs.evolve(made, grid=Grid({"fast": [9], "slow": [3]})), tmp_path / "out", Serial())
    with pytest.raises(ConfigurationError, match="does not take"):
        sweep(attrs.evolve(made, grid=Grid({"speed": [9]})), tmp_path / "out", Serial())
    with pytest.raises(InputError, match="objective"):
        sweep(made, tmp_path / "out", Serial(), objective="luck")
