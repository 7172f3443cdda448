"""Planting a mutant: in a function of a process that runs already, or in a module before it is imported."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path

from tests.mutation.operators import Mutant

Key = tuple[str, str, int]
"""A function by its file, its name, and the line that it begins in."""


def functions_under(root: Path) -> dict[Key, list[types.FunctionType]]:
    """Every function of the library that is alive, wherever it is kept."""
    found: dict[Key, list[types.FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType) and each.__code__.co_filename.startswith(str(root)):
            code = each.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(each)
    return found


def plant(mutant: Mutant, path: Path, functions: dict[Key, list[types.FunctionType]]) -> bool:
    """Give the function that the mutant is in its code, wherever it is used; False when none can take it."""
    assert mutant.function is not None, "what runs at import cannot be changed any more"
    name, first = mutant.function
    new = _code_of(compile(mutant.planted(), str(path), "exec", dont_inherit=True), name, first)
    alive = functions.get((str(path), name, first), [])
    if new is None or any(len(new.co_freevars) != len(found.__code__.co_freevars) for found in alive):
        return False
    for found in alive:
        found.__code__ = new
    return bool(alive)


def _code_of(code: types.CodeType, name: str, first: int) -> types.CodeType | None:
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            if (inner.co_qualname, inner.co_firstlineno) == (name, first):
                return inner
            if name.startswith(f"{inner.co_qualname}.") and (found := _code_of(inner, name, first)) is not None:
                return found
    return None


class Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with the mutant in it."""

    def __init__(self, mutant: Mutant, path: Path) -> None:
        self._mutant, self._path = mutant, path
        self._name = f"tradecore.{mutant.module.removesuffix('.py').replace('/', '.')}"
        assert self._name not in sys.modules, "it was imported before"

    def find_spec(
        self, fullname: str, path: object = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Only the mutant's module."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """As ever."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the source with the change."""
        code = compile(self._mutant.planted(), str(self._path), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # the point of it
