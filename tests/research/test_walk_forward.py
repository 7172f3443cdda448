"""Walk-forward: windows that do not overlap, choices from the past alone, and the tests one after the other."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

from tests.research.studies import study, write_bars
from tradecore.errors import InputError
from tradecore_sweep import Serial, walk_forward
from tradecore_sweep.study import Window
from tradecore_sweep.sweeping import inputs_of
from tradecore_sweep.trialling import run
from tradecore_sweep.walk_forward import windows
from tradecore_sweep.windowed import before, table_of

START = dt.datetime(2012, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def test_tests_lie_side_by_side_each_behind_its_training() -> None:
    pairs = windows(START, START + 1000 * DAY, 365 * DAY, 90 * DAY)
    assert all(train.end == test.start for train, test in pairs)
    assert all(first.end == second.start for (_, first), (_, second) in pairwise(pairs))
    assert pairs[-1][1].end == START + 1000 * DAY
    assert {train.end - train.start for train, _ in pairs if train.end and train.start} == {365 * DAY}
    anchored = windows(START, START + 1000 * DAY, 365 * DAY, 90 * DAY, anchored=True)
    assert {train.start for train, _ in anchored} == {START}
    with pytest.raises(InputError, match="less than the bars cover"):
        windows(START, START + 100 * DAY, 365 * DAY, 90 * DAY)


def test_a_walk_chooses_on_the_past_and_reports_the_future(tmp_path: Path) -> None:
    made = study(tmp_path)
    walk = walk_forward(made, tmp_path / "out", 240 * DAY, 120 * DAY, Serial())
    assert len(walk.steps) == 3
    for step in walk.steps:
        assert step.train.trial.parameters == step.test.trial.parameters
        assert step.train.returns[-1][0] < step.test.returns[0][0]
    compounded = math.prod(1 + value for step in walk.steps for value in step.test.daily) - 1
    assert walk.sheet.report().value("total_return") == pytest.approx(compounded, abs=1e-9)
    again = walk_forward(made, tmp_path / "out", 240 * DAY, 120 * DAY, Serial())
    assert again == walk


def test_the_future_changes_no_choice(tmp_path: Path) -> None:
    """With the later bars cut off, the same parameters are chosen, and the tests before the cut are the same."""
    made = attrs.evolve(study(tmp_path), symbols=("AAA",))
    write_bars(tmp_path / "short.parquet", count=300)
    short = attrs.evolve(made, bars=tmp_path / "short.parquet")
    whole = walk_forward(made, tmp_path / "out", 240 * DAY, 90 * DAY, Serial())
    cut = walk_forward(short, tmp_path / "out", 240 * DAY, 90 * DAY, Serial())
    assert 1 < len(cut.steps) < len(whole.steps)
    for before_cut, same in zip(cut.steps, whole.steps, strict=False):
        assert before_cut.test.trial.parameters == same.test.trial.parameters
        assert before_cut.train.returns == same.train.returns
    assert cut.steps[0].test.returns == whole.steps[0].test.returns


def test_a_test_window_begins_warm(tmp_path: Path) -> None:
    """Orders in a window are those of a strategy that has seen the bars before it."""
    made = attrs.evolve(study(tmp_path), symbols=("AAA",))
    table = table_of(str(made.bars), made.symbols)
    middle = next(bar.start for place, bar in enumerate(table.of("AAA")) if place == 200)
    inputs = inputs_of(made)
    parameters = {"fast": 2, "slow": 5, "quantity": 50}
    whole = run(made.trial(parameters, Window(), inputs))
    late = run(made.trial(parameters, Window(start=middle), inputs))
    decided = [(order.placed_at, order.side) for order in whole.orders if order.placed_at > middle + 2 * DAY]
    found = [(order.placed_at, order.side) for order in late.orders if order.placed_at > middle + 2 * DAY]
    flat_until = min(at for at, side in found if side.value == "buy")
    assert [one for one in found if one[0] >= flat_until] == [one for one in decided if one[0] >= flat_until]
    seen = list(before(table, Window(start=middle), 25))
    assert len(seen) == 25
    assert all(bar.start < middle for bar in seen)
