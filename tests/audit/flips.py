"""One flipped bit in a ledger file: is it noticed, and if not, is every event still what it was?"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import attrs

from tests.audit.forger import Forger
from tradecore.errors import JournalError
from tradecore.journal import Journal, open_journal
from tradecore.ports.anchor import Anchor
from tradecore.verify import verify

OPENING, CHECK, VERIFY, SAME, MISSED = "at opening", "by check", "by verify", "nothing stored changed", "MISSED"
REBUILT = "a view was built anew from the events"


@attrs.frozen
class Flip:
    """Where the bit is, and what became of it."""

    page: int
    offset: int
    bit: int
    outcome: str


@attrs.frozen
class Victim:
    """A sound ledger file, its anchors, and all that is stored in it."""

    content: bytes
    anchors: tuple[Anchor, ...]
    stored: tuple[object, object]
    scratch: Path

    @classmethod
    def made(cls, folder: Path, strategies: int) -> Victim:
        """An hour of trading and an order for each of so many strategies, anchored twice."""
        forger = Forger.with_trading(folder / "sound.db")
        forger.anchor()
        for number in range(strategies):
            forger.trade_on(f"s{number}")
        forger.anchor()
        with closing(open_journal(forger.url)) as journal:
            assert verify(journal, forger.file.read()[0]).ok
            stored = _stored(journal, forger.path)
        return cls(forger.path.read_bytes(), forger.file.read()[0], stored, folder / "flipped.db")

    def flip(self, place: int, bit: int) -> Flip:
        """Flip one bit of the file, open it, and look."""
        damaged = bytearray(self.content)
        damaged[place] ^= 1 << bit
        self.scratch.write_bytes(damaged)
        for kind in ("-wal", "-shm"):
            self.scratch.with_name(self.scratch.name + kind).unlink(missing_ok=True)
        return Flip(place // 4096 + 1, place % 4096, bit, self._outcome())

    def flips(self, seed: int) -> Iterator[Flip]:
        """Random ones, for ever, the same for the same seed."""
        chance = random.Random(seed)
        while True:
            yield self.flip(chance.randrange(len(self.content)), chance.randrange(8))

    def _outcome(self) -> str:
        journal: Journal | None = None
        try:
            journal = open_journal(f"sqlite:///{self.scratch}", create=False)
            if _refuses(journal.check):
                return CHECK
            if _refuses(lambda: _assert_sound(journal, self.anchors)):
                return VERIFY
            events, views = _stored(journal, self.scratch)
            if events != self.stored[0]:
                return MISSED
            return SAME if views == self.stored[1] else REBUILT
        except JournalError:
            return MISSED if journal is not None else OPENING
        finally:
            if journal is not None:
                journal.close()


def _refuses(look: Callable[[], object]) -> bool:
    try:
        look()
    except JournalError:
        return True
    return False


def _assert_sound(journal: Journal | None, anchors: tuple[Anchor, ...]) -> None:
    assert journal is not None
    report = verify(journal, anchors)
    if not report.ok:
        raise JournalError(str(report.findings[0]))


def _stored(journal: Journal, path: Path) -> tuple[object, object]:
    """Every value of the events, stored and as the journal reads them in both of its ways; and those of the views."""
    events = journal.read(0, 10**6)
    streams = {stream: journal.load(stream) for stream in sorted({item.envelope.stream for item in events})}
    with closing(sqlite3.connect(path)) as connection:
        tables = [
            connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for name in ("events", "tradecore_meta WHERE key != 'slots'", "tradecore_views", "tradecore_view_rows")
        ]
    return (events, streams, tables[:2]), tables[2:]
