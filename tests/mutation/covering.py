"""Which tests run which lines, and for how long: one run of the tests with a coverage context for each."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import coverage
import pytest

from tests.mutation.operators import Mutant

SLOW_S = 0.25
"""Tests that take longer are left out where quicker ones run the same line."""


@attrs.frozen
class Covering:
    """`by_line` are tests by file (below the library) and line; `seconds` how long each took."""

    by_line: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def tests_for(self, mutant: Mutant) -> list[str]:
        """The tests that run a mutant's statement; those that run or import its module where that happens at import."""
        lines = self.by_line.get(mutant.module, {})
        first, last = mutant.lines
        wanted = lines if mutant.function is None else range(first, last + 1)
        covering = {test for line in wanted for test in lines.get(line, ())}
        if mutant.function is None:  # who only reads what it defines runs none of its lines
            covering |= {test for test in self.seconds if _names(test.partition("::")[0], mutant.module)}
        found = sorted(covering, key=self._cost)
        return [test for test in found if self.is_quick(test)] or found

    def is_quick(self, test: str) -> bool:
        """Whether it is worth running against every mutant."""
        return self.seconds.get(test, 0.0) < SLOW_S

    def _cost(self, test: str) -> tuple[float, str]:
        return self.seconds.get(test, 0.0), test

    def write(self, path: Path) -> None:
        """Keep it for another process."""
        path.write_text(json.dumps(attrs.asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Covering:
        """What another process kept."""
        told = json.loads(path.read_text())
        by_line = {name: {int(line): tests for line, tests in lines.items()} for name, lines in told["by_line"].items()}
        return cls(by_line, told["seconds"])


@functools.cache
def _names(test_file: str, module: str) -> bool:
    """Whether a file of tests imports a module of the library, by its whole name."""
    return f"tradecore.{module.removesuffix('.py').replace('/', '.')} import" in Path(test_file).read_text()


class Recorder:
    """A pytest plugin that has coverage name the test that runs."""

    def __init__(self, data: coverage.Coverage) -> None:
        self._data = data
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test from set-up to tear-down."""
        self._data.switch_context(item.nodeid)
        began = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - began
        self._data.switch_context("")
        return result


def record(arguments: list[str], root: Path, modules: list[Path], out: Path) -> int:
    """Run the tests once; returns pytest's exit code. `root` is the folder of the library."""
    data = coverage.Coverage(data_file=None, include=[str(path) for path in modules], config_file=False)
    data.start()
    recorder = Recorder(data)
    code = pytest.main([*arguments, "-p", "no:cacheprovider"], plugins=[recorder])
    data.stop()
    kept = data.get_data()
    by_line: dict[str, dict[int, list[str]]] = {}
    for name in kept.measured_files():
        contexts = kept.contexts_by_lineno(name)
        lines = {line: [test for test in tests if test] for line, tests in contexts.items()}
        by_line[str(Path(name).relative_to(root))] = lines
    Covering(by_line, recorder.seconds).write(out)
    return int(code)
