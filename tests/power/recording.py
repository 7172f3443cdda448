"""What a process did to the files of a ledger, operation by operation, as the preloaded recorder saw it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

MARKS = "marks"
"""The file whose writes are no content but what the process says about its progress."""

_HEADER = struct.Struct("<c3xiiiqq")
_DIRECTORY, _MARKS, _UNWATCHED = -1, -2, -3


@attrs.frozen
class Written:
    """Bytes at an offset of a file."""

    file: int
    offset: int
    data: bytes


@attrs.frozen
class Cut:
    """A file has this size from here on."""

    file: int
    size: int


@attrs.frozen
class Synced:
    """The content of a file is on the disk."""

    file: int


@attrs.frozen
class SyncFailed:
    """The sync of a file failed: what was not yet written will not be tried again."""

    file: int


@attrs.frozen
class Named:
    """A name came to stand for a file, perhaps away from another name; without a file, it was removed."""

    name: str
    file: int | None
    was: str | None = None


@attrs.frozen
class DirectorySynced:
    """The names are on the disk."""


@attrs.frozen
class Marked:
    """The process said something."""

    text: str


Operation = Written | Cut | Synced | SyncFailed | Named | DirectorySynced | Marked


def recorder(into: Path) -> Path | None:
    """The recorder, compiled; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = into / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def preloaded(library: Path, folder: Path, log: Path, fails_sync: int = 0) -> Mapping[str, str]:
    """The environment of a process whose work on the files in `folder` is recorded at the end of `log`."""
    return {
        **os.environ,
        "LD_PRELOAD": str(library),
        "RECORDER_ROOT": str(folder),
        "RECORDER_LOG": str(log),
        "RECORDER_FAILS_SYNC": str(fails_sync),
    }


def operations(log: Path) -> list[Operation]:
    """The operations of a log, in order."""
    return list(_Reader().read(log.read_bytes()))


class _Reader:
    """Follows descriptors and names, so that an operation names its file by a number that is never used again."""

    def __init__(self) -> None:
        self._descriptors: dict[tuple[int, int], int] = {}
        self._names: dict[str, int] = {}
        self._files = 0

    def read(self, log: bytes) -> Iterator[Operation]:
        at = 0
        while at < len(log):
            kind, pid, fd, flags, offset, size = _HEADER.unpack_from(log, at)
            at += _HEADER.size + size
            data = log[at - size : at]
            match kind:
                case b"o":
                    yield from self._open((pid, fd), data.decode(), flags)
                case b"r":
                    old, new = data.decode().split("\0")
                    yield self._rename(old, new)
                case b"u":
                    if self._names.pop(data.decode(), _UNWATCHED) != _UNWATCHED:
                        yield Named(data.decode(), None)
                case _:
                    yield from self._on_file(kind, self._descriptors[pid, fd], offset, data)

    def _open(self, descriptor: tuple[int, int], name: str, flags: int) -> Iterator[Operation]:
        if name in ("", MARKS) or name.endswith("-shm"):
            special = {"": _DIRECTORY, MARKS: _MARKS}
            self._descriptors[descriptor] = special.get(name, _UNWATCHED)
            return
        if name not in self._names:
            assert flags & 1, f"{name} was there before the recording began"
            self._files += 1
            self._names[name] = self._files
            yield Named(name, self._files)
        elif flags & 2:
            yield Cut(self._names[name], 0)
        self._descriptors[descriptor] = self._names[name]

    def _rename(self, old: str, new: str) -> Operation:
        self._names[new] = self._names.pop(old)
        return Named(new, self._names[new], old)

    def _on_file(self, kind: bytes, file: int, offset: int, data: bytes) -> Iterator[Operation]:
        if file == _MARKS and kind == b"w":
            yield from map(Marked, data.decode().splitlines())
        elif file == _DIRECTORY and kind == b"s":
            yield DirectorySynced()
        elif file > 0:
            match kind:
                case b"w":
                    yield Written(file, offset, data)
                case b"t":
                    yield Cut(file, offset)
                case b"s":
                    yield Synced(file)
                case b"e":
                    yield SyncFailed(file)
