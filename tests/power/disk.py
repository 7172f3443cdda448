"""A disk with a cache in front of it: what may be found on it after the power is cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from tests.power.recording import Cut, DirectorySynced, Marked, Named, Operation, Synced, SyncFailed, Written

SECTOR = 512

Image = dict[str, bytes]
"""The files of a directory."""

_Change = Written | Cut


class Disk:
    """Takes operations; what was not synced may reach the disk in any part and in any order of sectors."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._content: dict[int, bytes] = {}
        self._names: dict[str, int] = {}
        self._unsynced: dict[int, list[_Change]] = {}
        self._unsynced_names: list[Named] = []

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to lose."""
        return not self._unsynced_names and not any(self._unsynced.values())

    def take(self, operation: Operation) -> None:
        """Go on by one operation."""
        match operation:
            case Written(file=file) | Cut(file=file):
                self._unsynced.setdefault(file, []).append(operation)
            case Synced(file=file):
                self._settle(file, self._unsynced.pop(file, []))
            case SyncFailed(file=file):
                # The cache calls these pages clean now: what did not make it is never written again.
                self._settle(file, self._some(self._unsynced.pop(file, [])))
            case Named():
                self._unsynced_names.append(operation)
            case DirectorySynced():
                self._names = _renamed(self._names, self._unsynced_names)
                self._unsynced_names = []
            case Marked():
                pass

    def nothing_unsynced(self) -> Image:
        """The disk if only what was synced is on it."""
        return self._image(lambda changes: (), [])

    def everything(self) -> Image:
        """The disk if the cache was written out in the last moment."""
        return self._image(lambda changes: changes, self._unsynced_names)

    def something(self) -> Image:
        """The disk with some of what was not synced: writes whole or torn, names each or not."""
        return self._image(self._some, self._some_names())

    def _settle(self, file: int, changes: Iterable[_Change]) -> None:
        self._content[file] = _changed(self._content.get(file, b""), changes)

    def _image(self, pick: Callable[[Sequence[_Change]], Iterable[_Change]], names: Iterable[Named]) -> Image:
        image: Image = {}
        for name, file in _renamed(self._names, names).items():
            content = self._content.get(file, b"")
            unsynced = self._unsynced.get(file)
            image[name] = _changed(content, pick(unsynced)) if unsynced else content
        return image

    def _some(self, changes: Sequence[_Change]) -> list[_Change]:
        share = self._chance.choice((0.0, 0.1, 0.5, 0.9))
        style = self._chance.randrange(3)
        if style == 0:  # whole writes, in any selection
            return [change for change in changes if self._chance.random() < share]
        if style == 1:  # sectors, in any selection
            return [piece for change in changes for piece in _pieces(change) if self._chance.random() < share]
        last = self._chance.randrange(len(changes) + 1)  # in order, and the last one torn
        torn = [piece for change in changes[last : last + 1] for piece in _pieces(change)]
        return [*changes[:last], *torn[: self._chance.randrange(len(torn) + 1)]]

    def _some_names(self) -> list[Named]:
        share = self._chance.choice((0.0, 0.5, 1.0))
        kept: list[Named] = []
        missing: set[str | None] = set()
        for change in self._unsynced_names:
            # Changes of one name reach the disk in their order, those of different names do not.
            if self._chance.random() < share and not {change.name, change.was} & missing:
                kept.append(change)
            else:
                missing |= {change.name, change.was} - {None}
        return kept


def _pieces(change: _Change) -> list[_Change]:
    """The parts of a change that a power cut can tell apart."""
    if isinstance(change, Cut):
        return [change]
    pieces: list[_Change] = []
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        upto = min(end, (at // SECTOR + 1) * SECTOR)
        pieces.append(Written(change.file, at, change.data[at - change.offset : upto - change.offset]))
        at = upto
    return pieces


def _changed(content: bytes, changes: Iterable[_Change]) -> bytes:
    new = bytearray(content)
    for change in changes:
        if isinstance(change, Cut):
            del new[change.size :]
            new.extend(bytes(change.size - len(new)))
        else:
            new.extend(bytes(max(0, change.offset - len(new))))
            new[change.offset : change.offset + len(change.data)] = change.data
    return bytes(new)


def _renamed(names: dict[str, int], changes: Iterable[Named]) -> dict[str, int]:
    new = dict(names)
    for change in changes:
        if change.was is not None:
            new.pop(change.was, None)
        if change.file is None:
            new.pop(change.name, None)
        else:
            new[change.name] = change.file
    return new
