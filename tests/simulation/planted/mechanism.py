"""How a bug is planted: attributes of shipped modules and classes are replaced while a seed runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs


@attrs.frozen
class Bug:
    """A defect somebody could write: what it is in words, where, and what makes the wrong code out of the right.

    `also` are further places, where the shipped code looks twice. It shows only in
    seeds where agents trade (`agents`), or whose ledger is a file (`files`).
    """

    name: str
    words: str
    owner: Any
    attribute: str
    wrong: Callable[[Any], Any]
    also: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = ()
    agents: bool = False
    files: bool = False

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have it in place."""
        patches = ((self.owner, self.attribute, self.wrong), *self.also)
        rights = [owner.__dict__[attribute] for owner, attribute, _ in patches]
        for (owner, attribute, wrong), right in zip(patches, rights, strict=True):
            setattr(owner, attribute, wrong(right))
        try:
            yield
        finally:
            for (owner, attribute, _), right in zip(patches, rights, strict=True):
                setattr(owner, attribute, right)


def always(value: Any) -> Callable[[Any], Any]:
    """A function that says the same whatever it is asked."""
    return lambda _: lambda *_, **__: value


def instead(value: Any) -> Callable[[Any], Any]:
    """Something else in its place."""
    return lambda _: value
