"""The build of a runner: a hash of the code that trades."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path


def build_of(*parts: object) -> str:
    """A short hash of all source files of tradecore and of the packages that `parts` come from.

    Empty where the source cannot be read.
    """
    names = {"tradecore", *(type(part).__module__.partition(".")[0] for part in parts)}
    found = hashlib.sha256()
    try:
        for name in sorted(names):
            for file in _sources(name):
                found.update(f"{name}/{file.name}\0".encode() + file.read_bytes() + b"\0")
    except OSError:
        return ""
    return found.hexdigest()[:16]


def _sources(name: str) -> list[Path]:
    place = getattr(importlib.import_module(name), "__file__", None)
    if place is None:
        return []
    path = Path(place)
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
