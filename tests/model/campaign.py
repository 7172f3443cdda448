"""Runs the state machine on the stores that there are."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import JournalMachine
from tests.model.stores import Store
from tests.postgres.server import Server


def run(examples: int, steps: int, server: Server | None, *, fixed: bool, shrinks: bool = True) -> int:
    """Run so many examples of at most so many steps, `fixed` the same ones every time; how many were begun.

    What fails is raised, reduced to the fewest steps if it `shrinks`.
    """
    numbers = itertools.count(1)
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="tradecore-model-")))

        def open_stores() -> list[Store]:
            number = next(numbers)
            stores = [Store("memory:"), Store(f"sqlite:///{folder}/{number}.db")]
            if server is not None:
                stores.append(Store(server.url("postgres", schema=f"model_{number}")))
            return stores

        class Machine(JournalMachine):
            pass

        Machine.open_stores = staticmethod(open_stores)
        terms = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=fixed,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Machine, settings=terms)
    return next(numbers) - 1
