"""Anchors in a file: one JSON object per line, only ever appended to."""

from __future__ import annotations

import datetime as dt
import errno
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from tradecore.audit.finding import Finding
from tradecore.errors import StoreUnavailable
from tradecore.journal.directory import sync_directory
from tradecore.ports.anchor import Anchor


class _Line(msgspec.Struct):
    ledger_id: str
    position: int
    chain: str
    root: str
    recorded_at: dt.datetime


class AnchorFile:
    """An `AnchorSink` in a file. It is worth as much as it is out of reach of whoever can write to the ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, anchor: Anchor) -> None:
        """Append one line; file and directory are synced when this returns. Raises `StoreUnavailable`."""
        line = msgspec.json.encode(as_object(anchor)) + b"\n"
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                _append(handle, line)
            finally:
                os.close(handle)
            sync_directory(self.path.parent)
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be appended to: {error.strerror}") from error

    def read(self) -> tuple[tuple[Anchor, ...], tuple[Finding, ...]]:
        """The anchors, and a finding for every line that is none. Raises `StoreUnavailable`.

        What follows the last end of line was never acknowledged, and is passed over.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be read: {error.strerror}") from error
        anchors, findings = [], []
        for number, line in enumerate(lines, 1):
            try:
                anchors.append(_parse(line))
            except ValueError as error:
                findings.append(Finding("anchor file", f"{self.path.name}, line {number}", f"not an anchor: {error}"))
        return tuple(anchors), tuple(findings)


def as_object(anchor: Anchor) -> dict[str, str | int]:
    """An anchor as its JSON object: hashes in hexadecimal, the time as RFC 3339."""
    return {
        "ledger_id": anchor.ledger_id,
        "position": anchor.position,
        "chain": anchor.chain.hex(),
        "root": anchor.root.hex(),
        "recorded_at": anchor.recorded_at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }


def _parse(line: bytes) -> Anchor:
    """Raises `ValueError`, also for JSON that is none."""
    read = msgspec.json.decode(line, type=_Line)
    chain, root = bytes.fromhex(read.chain), bytes.fromhex(read.root)
    if read.position < 1 or len(chain) != 32 or len(root) != 32 or read.recorded_at.tzinfo is None:
        raise ValueError("a position from 1, two hashes of 32 bytes and a time with its zone are expected")
    return Anchor(read.ledger_id, read.position, chain, root, read.recorded_at)


def _append(handle: int, line: bytes) -> None:
    """All of the line or nothing; a line that a power cut tore is first closed, and then shows as damaged."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        line = b"\n" + line
    whole = False
    try:
        whole = os.write(handle, line) == len(line)
        os.fsync(handle)
    finally:
        if not whole:
            with suppress(OSError):
                os.ftruncate(handle, size)
    if not whole:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
