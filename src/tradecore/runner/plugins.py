"""Plugins by entry point: the house's own are found exactly as a stranger's would be."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from tradecore.errors import ConfigurationError


def load_plugin(group: str, name: str, setting: str) -> Any:
    """What the entry point `name` of `tradecore.<group>` names; raises `ConfigurationError` listing what there is."""
    found = {point.name: point for point in entry_points(group=f"tradecore.{group}")}
    if name not in found:
        known = ", ".join(sorted(found)) or "none: is tradecore installed?"
        raise ConfigurationError(f"{setting}: there is no {name!r}; installed are {known}")
    return found[name].load()
