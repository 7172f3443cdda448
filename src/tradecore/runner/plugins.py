"""Plugins by entry point: the house's own are found exactly as a stranger's would be."""

from __future__ import annotations

import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from tradecore.errors import ConfigurationError


def load_plugin(group: str, name: str, setting: str) -> Any:
    """What the entry point `name` of `tradecore.<group>` names; raises `ConfigurationError` listing what there is."""
    found = {point.name: point for point in entry_points(group=f"tradecore.{group}")}
    if name not in found:
        known = ", ".join(sorted(found)) or "none: is tradecore installed?"
        raise ConfigurationError(f"{setting}: there is no {name!r}; installed are {known}")
    return found[name].load()


def load_strategy(name: str) -> Any:
    """The class of a strategy: installed, or `file.py:Class`. Raises `ConfigurationError`."""
    if ".py:" in name:
        return load_from_file(name, "strategy.name")
    return load_plugin("strategies", name, "strategy.name")


def load_from_file(place: str, setting: str) -> Any:
    """What `file.py:Name` names. Raises `ConfigurationError` where there is no such file or name."""
    path, _, name = place.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise ConfigurationError(f"{setting}: there is no file {path!r}; write file.py:Class")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None, "a Python file has a loader"
    assert spec.loader is not None, "a Python file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        raise ConfigurationError(f"{setting}: {path} has no {name!r}")
    return getattr(module, name)
