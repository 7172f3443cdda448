"""A sweep: every combination of the grid over one window, what was done before left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from tradecore.errors import InputError
from tradecore_sweep.executor import Executor, Processes
from tradecore_sweep.judging import OBJECTIVE, Doubt, doubt, ranked
from tradecore_sweep.outcome import Outcome, OutcomeStore
from tradecore_sweep.sharing import shared
from tradecore_sweep.study import Inputs, Study, Trial, Window
from tradecore_sweep.trialling import code_digest, file_digest, run_trial, strategy_of
from tradecore_sweep.windowed import table_of

Progress = Callable[[int, int], None]
"""Told after every trial: how many are done, of how many."""


def silent(_done: int, _total: int) -> None:
    """No progress is shown."""


@attrs.frozen
class Sweep:
    """All outcomes, best first; combinations that the strategy refused, with its reason; doubts about the best."""

    outcomes: tuple[Outcome, ...]
    refused: tuple[tuple[Trial, str], ...]
    doubt: Doubt

    @property
    def best(self) -> Outcome:
        """The best trial."""
        return self.outcomes[0]


def sweep(
    study: Study,
    directory: Path,
    executor: Executor | None = None,
    progress: Progress = silent,
    *,
    window: Window | None = None,
    objective: str = OBJECTIVE,
) -> Sweep:
    """Run a study; outcomes are kept in the directory as they come, and those that are there are not run again.

    Raises `InputError` and `ConfigurationError` for what cannot be run, and whatever a trial raises.
    """
    trials, refused = accepted(study, window or Window(), inputs_of(study))
    found = run_all(trials, directory, executor or Processes(), progress)
    outcomes = ranked(found, objective)
    check_objective(outcomes, objective)
    return Sweep(tuple(outcomes), refused, doubt(outcomes[0], outcomes))


def inputs_of(study: Study) -> Inputs:
    """The digests of what the study reads. Raises `InputError`, `ConfigurationError`."""
    table = table_of(str(study.bars), study.symbols, study.bar_seconds)
    quotes = "" if study.touch is None else file_digest(str(study.touch))
    return Inputs(table.digest, code_digest(study.strategy), quotes)


def accepted(study: Study, window: Window, inputs: Inputs) -> tuple[list[Trial], tuple[tuple[Trial, str], ...]]:
    """The trials of a window that the strategy accepts, the others with its reason. Raises `InputError` for none."""
    trials, refused = [], []
    for parameters in study.grid.combinations():
        trial = study.trial(parameters, window, inputs)
        try:
            strategy_of(trial)
        except InputError as error:
            refused.append((trial, str(error)))
        else:
            trials.append(trial)
    if not trials:
        why = refused[0][1] if refused else "it has no combinations"
        raise InputError("grid", dict(study.grid.values), f"combinations that the strategy takes ({why})")
    return trials, tuple(refused)


def run_all(trials: Sequence[Trial], directory: Path, executor: Executor, progress: Progress) -> list[Outcome]:
    """The outcomes in the order of the trials: found in the directory, or run and kept there."""
    store = OutcomeStore(directory)
    known = {trial.key: outcome for trial in trials if (outcome := store.find(trial)) is not None}
    missing = [trial for trial in trials if trial.key not in known]
    progress(len(trials) - len(missing), len(trials))
    if missing:
        with shared(table_of(missing[0].bars, missing[0].symbols, missing[0].bar_seconds), directory) as place:
            told = [attrs.evolve(trial, shared=place) for trial in missing]
            for outcome in executor.map_unordered(run_trial, told):
                store.keep(outcome)
                known[outcome.trial.key] = outcome
                progress(len(known), len(trials))
    return [known[trial.key] for trial in trials]


def check_objective(outcomes: Sequence[Outcome], objective: str) -> None:
    """Raises `InputError` for an objective that is no figure."""
    known = outcomes[0].figures
    if objective not in known:
        raise InputError("objective", objective, "one of " + ", ".join(sorted(known)))
