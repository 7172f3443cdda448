"""Walk-forward: choose on one window, trade the choice on the next, and look only at what came after the choice."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import attrs

from tradecore.domain.nanos import instant
from tradecore.errors import InputError
from tradecore.metrics import NotDefined
from tradecore.metrics.figure import Real
from tradecore.tearsheet import Sheet
from tradecore_sweep.executor import Executor, Processes
from tradecore_sweep.judging import OBJECTIVE, Doubt, doubt, ranked
from tradecore_sweep.outcome import Outcome
from tradecore_sweep.study import Study, Window
from tradecore_sweep.sweeping import Progress, accepted, check_objective, inputs_of, run_all, silent
from tradecore_sweep.trialling import sheet_of_returns
from tradecore_sweep.windowed import table_of

_DAY = dt.timedelta(days=1)


@attrs.frozen
class Step:
    """One choice: the best on `train`, how much of it is luck, and the same parameters on `test`."""

    train: Outcome
    doubt: Doubt
    test: Outcome


@attrs.frozen
class Walk:
    """All steps. `sheet` has the tests one after the other, each begun with no position, their returns compounded."""

    steps: tuple[Step, ...]
    sheet: Sheet

    @property
    def efficiency(self) -> Real:
        """Mean return per session in the tests over that in the training (Pardo 2008, ch. 11)."""
        tests = [value for step in self.steps for value in step.test.daily]
        trains = [value for step in self.steps for value in step.train.daily]
        if not tests or not trains:
            return NotDefined("there are no returns")
        before, after = sum(trains) / len(trains), sum(tests) / len(tests)
        return after / before if before > 0 else NotDefined("the training did not earn anything")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against the strategy."""
        found = []
        efficiency = self.efficiency
        if isinstance(efficiency, NotDefined):
            found.append(f"The walk-forward efficiency is {efficiency}.")
        elif efficiency < 0.5:
            found.append(
                f"Over-fitting: the tests earned {efficiency:.0%} of what the training promised "
                "(walk-forward efficiency; Pardo 2008 asks for half)."
            )
        doubted = sum(bool(step.doubt.warnings) for step in self.steps)
        if doubted:
            found.append(f"The choice is in doubt in {doubted} of {len(self.steps)} trainings.")
        return tuple(found)


def windows(
    first: dt.datetime, last: dt.datetime, train: dt.timedelta, test: dt.timedelta, *, anchored: bool = False
) -> list[tuple[Window, Window]]:
    """Training and test windows, the tests side by side; an anchored training always begins at the first bar.

    Raises `InputError` when not even one fits.
    """
    if train < _DAY or test < _DAY:
        raise InputError("train, test", f"{train}, {test}", "a day or more")
    found = []
    split = first + train
    while split < last:
        begin = first if anchored else split - train
        found.append((Window(begin, split), Window(split, min(split + test, last))))
        split += test
    if not found:
        raise InputError("train", f"{train.days} days", f"less than the bars cover, {(last - first).days} days")
    return found


def walk_forward(
    study: Study,
    directory: Path,
    train: dt.timedelta,
    test: dt.timedelta,
    executor: Executor | None = None,
    progress: Progress = silent,
    *,
    anchored: bool = False,
    objective: str = OBJECTIVE,
) -> Walk:
    """Walk a study forward. Outcomes are kept as in `sweep`; `progress` counts the training, then the tests.

    Raises as `sweep` does, and `InputError` for windows that do not fit the bars.
    """
    executor = executor or Processes()
    table = table_of(str(study.bars), study.symbols, study.bar_seconds)
    columns = [table.columns(symbol).starts for symbol in table.symbols]
    first = instant(min(starts[0] for starts in columns))
    end = instant(max(starts[-1] for starts in columns)) + dt.timedelta(microseconds=1)
    inputs = inputs_of(study)
    pairs = windows(first, end, train, test, anchored=anchored)
    trials = [accepted(study, before, inputs)[0] for before, _ in pairs]
    found = run_all([trial for group in trials for trial in group], directory, executor, progress)
    check_objective(found, objective)
    by_window = [
        ranked(found[place : place + len(trials[0])], objective) for place in range(0, len(found), len(trials[0]))
    ]
    chosen = [
        study.trial(dict(group[0].trial.parameters), after, inputs)
        for group, (_, after) in zip(by_window, pairs, strict=True)
    ]
    tests = run_all(chosen, directory, executor, progress)
    steps = tuple(
        Step(group[0], doubt(group[0], group), outcome) for group, outcome in zip(by_window, tests, strict=True)
    )
    walk = Walk(steps, sheet_of_returns("Walk-forward", tests, study.cash))
    keys = "".join(outcome.trial.key for outcome in (*found, *tests))
    sheet = attrs.evolve(
        walk.sheet,
        notes=walk.warnings,
        config={
            "strategy": study.strategy,
            **{f"grid.{name}": ", ".join(map(str, values)) for name, values in study.grid.values.items()},
            "train": f"{train.days} days{', anchored' if anchored else ''}",
            "test": f"{test.days} days",
            "objective": objective,
            "cash": str(study.cash),
        },
        config_hash=hashlib.sha256(keys.encode()).hexdigest(),
        provenance={"source": str(study.bars), "sha256": inputs.bars, "code": inputs.code},
    )
    return attrs.evolve(walk, sheet=sheet)
