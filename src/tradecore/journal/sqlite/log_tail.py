"""Whether SQLite ended the recovery of its log too early, because of damage in the middle of it.

Recovery ends at the first frame whose checksum is wrong and takes what is behind it for remains of a power cut. Such
remains are of one commit at most: each commit is synced before the next one begins. So when commits are whole behind
the end, two of them are proof of damage. (Format: https://www.sqlite.org/walformat.html)
"""

from __future__ import annotations

import struct
from pathlib import Path

import attrs

from tradecore.errors import CorruptLedger

_HEADER_BYTES, _FRAME_HEADER_BYTES, _SALTS = 32, 24, slice(16, 24)
_MAGIC = 0x377F0682
_LITTLE, _BIG = "<", ">"
_WORD = 2**32 - 1

Sums = tuple[int, int]


def read_log(ledger: Path) -> bytes:
    """The log of a ledger, empty without one. Nobody may write meanwhile.

    Its index is not asked: SQLite has its locks there, and closing a file drops all that this process has on it.
    """
    try:
        return ledger.with_name(ledger.name + "-wal").read_bytes()
    except OSError:
        return b""


def refuse_early_end(ledger: Path, log: bytes) -> None:
    """Raises `CorruptLedger` when commits are whole behind the end of the log."""
    found = _commits_behind(log) if len(log) > _HEADER_BYTES else 0
    if found:
        raise CorruptLedger(
            f"{ledger}: its log is damaged: SQLite reads it up to a place behind which {found} whole commits follow. "
            "Keep all its files as they are, and bring back the newest copy"
        )


@attrs.frozen
class _Log:
    content: bytes
    order: str
    frame_bytes: int

    def frame(self, number: int) -> bytes:
        """A frame by its number from 1; shorter than a frame at the end."""
        start = _HEADER_BYTES + (number - 1) * self.frame_bytes
        return self.content[start : start + self.frame_bytes]

    def sums_before(self, number: int) -> Sums:
        """The checksum that is stored before a frame, right or wrong."""
        if number == 1:
            return _stored(self.content[24:32])
        return _stored(self.frame(number - 1)[16:24])

    def sums_of(self, frame: bytes, before: Sums) -> Sums:
        """The checksum that belongs to a frame behind the one before."""
        return _add(self.order, frame[_FRAME_HEADER_BYTES:], _add(self.order, frame[:8], before))

    def is_whole_commit(self, number: int) -> bool:
        """Whether a frame ends a commit and fits the checksum before it, right or wrong."""
        frame = self.frame(number)
        return any(frame[4:8]) and self.sums_of(frame, self.sums_before(number)) == _stored(frame[16:24])

    def first_unread(self, salts: bytes) -> int:
        """The frame at which recovery ends."""
        number, sums = 1, self.sums_before(1)
        while len(frame := self.frame(number)) == self.frame_bytes and frame[8:16] == salts:
            sums = self.sums_of(frame, sums)
            if sums != _stored(frame[16:24]):
                break
            number += 1
        return number


def _commits_behind(content: bytes) -> int:
    magic, _, page_bytes = struct.unpack(">III", content[:12])
    order = _BIG if magic & 1 else _LITTLE
    is_sound = magic & ~1 == _MAGIC and _add(order, content[:24], (0, 0)) == _stored(content[24:32])
    if not is_sound:  # what is left of the header may lie: every ledger of ours was made with these
        order, page_bytes = _LITTLE, 4096
    log = _Log(content, order, _FRAME_HEADER_BYTES + page_bytes)
    salts = content[_SALTS] if is_sound else log.frame(1)[8:16]
    number = log.first_unread(salts) if is_sound else 1
    found, enough = 0, 2 if is_sound else 1
    while len(frame := log.frame(number)) == log.frame_bytes:
        if frame[8:16] == salts and log.is_whole_commit(number):
            found += 1
        number += 1
    return found if found >= enough else 0


def _stored(raw: bytes) -> Sums:
    first, second = struct.unpack(">II", raw)
    return first, second


def _add(order: str, content: bytes, sums: Sums) -> Sums:
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second
