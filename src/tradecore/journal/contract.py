"""What a journal promises. `tradecore.testing.journal_contract` is this page as tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal.batch import NOTHING, Batch
from tradecore.journal.chain import Link
from tradecore.journal.side_store import SideStore
from tradecore.journal.stats import StoreStats
from tradecore.journal.view_store import ViewStore


class Journal(Protocol):
    """An append-only ledger of events in streams, with one order over all of them. Safe to use from several threads.

    Every method raises `StoreUnavailable` when the store cannot do it, and `CorruptLedger` or `NewerLedger` for what it
    cannot make sense of.
    """

    @property
    def url(self) -> str:
        """Where the ledger is, as it was opened."""

    def append(
        self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING
    ) -> tuple[Recorded[Event], ...]:
        """Append to any number of streams in one transaction; durable when it returns the events with positions.

        Envelopes come complete except for the position (0), and the versions of a stream follow each other. Raises
        `WrongVersion`, with nothing appended, when a stream is not at the version before, or an event id is known
        already; `InputError` for an event that could not be read back; `CorruptLedger` when the end of the ledger is
        not where it was. After an I/O error every later append is refused: only a restart tells what the disk holds.

        `while_at` names further streams with the versions at which they must stand in the same transaction, or nothing
        is appended and it raises `WrongVersion`: what was decided on them holds when the events are durable.

        Each event is linked to the one before it (`tradecore.journal.chain`), under the same lock that gives positions.
        """

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        """The events of a stream behind version `after`, in order; at most `limit` of them."""

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """At most `limit` events behind position `after`, in the order of positions. None is ever skipped."""

    def fresh(self, after: int) -> tuple[Recorded[Event], ...]:
        """Events behind position `after` that this process just appended: what `read` would begin with, unread.

        Empty when they are not at hand, as those of others never are; then only `read` tells.
        """

    def head(self) -> int:
        """The last position, 0 in an empty ledger."""

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` events behind position `after` as they are stored, for whoever verifies the hash chain.

        Nothing is decoded and no link is recomputed; damage inside a row comes out as it is stored.
        """

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link; 0 and `GENESIS` in an empty ledger."""

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until there is an event behind position `after`; False when `timeout_s` seconds passed without."""

    @property
    def views(self) -> ViewStore:
        """The read models that live beside the events."""

    @property
    def texts(self) -> SideStore:
        """Free text that events refer to by hash only, so that it can be erased."""

    def backup(self, target: Path) -> int:
        """Write a copy that is a ledger of its own, and return its head; others may append meanwhile.

        The copy is one moment of this ledger, checked and durable when it gets its name. Raises `InputError` when
        something is at `target` already, `CorruptLedger` when what was copied is damaged, `StoreUnavailable`.
        """

    def stats(self) -> StoreStats:
        """Counts and sizes."""

    def check(self) -> None:
        """Go through the whole ledger; raises `CorruptLedger` for the first thing that is wrong."""

    def close(self) -> None:
        """Let go of the store; harmless when repeated."""


class Groupable(Journal, Protocol):
    """A journal that can append several appends in one transaction; `tradecore.journal.GroupCommit` makes use of it."""

    def prepare(self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING) -> Batch:
        """Events as they will be stored. Raises `InputError` for one that could not be read back."""

    def append_batch(self, batch: Batch) -> int:
        """Append what was prepared, and return the first position. Raises as `append`."""

    def append_each(self, batches: Sequence[Batch]) -> Sequence[int | None]:
        """Append what fits in one transaction: the first position of each batch, None for one that clashes.

        No two have a stream or an event id in common, and none names streams that must stand still, so that none
        depends on what becomes of another.
        """
