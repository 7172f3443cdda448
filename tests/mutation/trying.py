"""Trying mutants: each in a process of its own, forked when everything is imported, against the tests that run it."""

from __future__ import annotations

import enum
import gc
import os
import resource
import signal
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.covering import Covering
from tests.mutation.operators import Mutant
from tests.mutation.planting import Importer, Key, functions_under, plant

_BROKEN = 99
_ALL_S = 600
_ONE_S = 12
"""Processor time after which a mutant is taken to run for ever."""
_WAITS_S = 15
"""So long a test may wait beside what it takes without a mutant, before it is taken to wait for ever."""


class Fate(enum.StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNTESTED = "untested"
    HUNG = "hung"
    COLD = "cold"


@attrs.frozen
class Tried:
    """A mutant and its fate; `by` is the test that failed."""

    mutant: Mutant
    fate: Fate
    by: str = ""


Heard = Callable[[Tried], None]


def in_child(work: Callable[[], int], limit_s: int = _ONE_S) -> int | None:
    """Do it in a forked process with so much processor time; its exit code, None when it was stopped."""
    child = os.fork()
    if child == 0:
        code = _BROKEN
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
            signal.alarm(5 * limit_s)
            code = work()
        except BaseException:  # noqa: BLE001 - whatever it is, the process ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None
    assert os.WEXITSTATUS(status) != _BROKEN, "the child broke before it could say anything"
    return os.WEXITSTATUS(status)


class Trier:
    """A pytest plugin: tests are collected, and then run against one mutant after the other instead of once."""

    def __init__(self, mutants: list[Mutant], covering: Covering, root: Path, heard: Heard) -> None:
        self._mutants, self._covering, self._root, self._heard = mutants, covering, root, heard
        self._kills: dict[tuple[str, str], int] = {}
        self._functions: dict[Key, list[types.FunctionType]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every mutant against its tests, those first that killed others of its module."""
        items = {item.nodeid: item for item in session.items}
        quick = [item for name, item in items.items() if self._covering.is_quick(name)]
        if in_child(lambda: 1 if _first_failure(quick) else 0, _ALL_S) != 0:
            raise pytest.UsageError("tests fail without any mutant where each is run on its own")
        self._functions = functions_under(self._root)
        gc.freeze()
        for mutant in self._mutants:
            names = [name for name in self._covering.tests_for(mutant) if name in items]
            names.sort(key=lambda name: -self._kills.get((mutant.module, name), 0))
            tried = self._try(mutant, [items[name] for name in names])
            if tried.by:
                self._kills[mutant.module, tried.by] = self._kills.get((mutant.module, tried.by), 0) + 1
            self._heard(tried)
        return True

    def _try(self, mutant: Mutant, items: list[pytest.Item]) -> Tried:
        if not items:
            return Tried(mutant, Fate.UNTESTED)
        reader, writer = os.pipe()

        def work() -> int:
            _silence()
            if not plant(mutant, self._root / mutant.module, self._functions):
                return 3
            failed = _first_failure(items, self._covering)
            os.write(writer, failed.encode())
            return 1 if failed else 0

        code = in_child(work, _limit_s(self._covering, [item.nodeid for item in items]))
        os.close(writer)
        by = os.read(reader, 10_000).decode()
        os.close(reader)
        fates = {0: Fate.SURVIVED, 1: Fate.KILLED, 3: Fate.COLD, None: Fate.HUNG}
        return Tried(mutant, fates.get(code, Fate.KILLED), by)


def _limit_s(covering: Covering, tests: list[str]) -> int:
    """Long enough for all tests without a mutant, three times over: one that survives many is not one that hangs."""
    return _ONE_S + round(3 * sum(covering.seconds.get(test, 0.0) for test in tests))


def _first_failure(items: list[pytest.Item], covering: Covering | None = None) -> str:
    """The test that fails first, empty when none does. With a `covering`, one that only waits ends the process."""
    for item in items:
        if covering is not None:
            signal.alarm(_WAITS_S + round(20 * covering.seconds.get(item.nodeid, 0.0)))
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=None)):
            return item.nodeid
    return ""


def try_cold(mutant: Mutant, covering: Covering, root: Path, arguments: list[str]) -> Tried:
    """A mutant of what runs at import. The process must not have imported the library yet."""
    tests = covering.tests_for(mutant)
    if not tests:
        return Tried(mutant, Fate.UNTESTED)

    def work() -> int:
        _silence()
        sys.meta_path.insert(0, Importer(mutant, root / mutant.module))
        return int(pytest.main([*arguments, *tests, "-x", "-q", "-p", "no:cacheprovider"]))

    code = in_child(work, _limit_s(covering, tests))
    return Tried(mutant, {0: Fate.SURVIVED, None: Fate.HUNG}.get(code, Fate.KILLED))


def _silence() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
