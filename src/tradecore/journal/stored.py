"""What every journal does alike, over a recorder that knows one kind of store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from eventsourcing.persistence import IntegrityError

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.batch import NOTHING, Batch, placed, stored
from tradecore.journal.chain import Link
from tradecore.journal.codec import EventCodec, Row
from tradecore.journal.wakeup import Wakeup

_FRESH_APPENDS, _FRESH_EVENTS = 16, 1000  # whoever follows is rarely further behind


class Recorder(Protocol):
    """Rows of one kind of store. Every method raises `StoreUnavailable` when the store cannot do it."""

    def append(self, batch: Batch) -> int:
        """Append in one durable transaction; the first position. Raises `IntegrityError` for a clash or a gap."""

    def append_each(self, batches: Sequence[Batch]) -> list[int | None]:
        """Append what fits in one durable transaction: the first position of each batch, None for one that clashes.

        No two have a stream or an event id in common, so that none depends on what becomes of another.
        """

    def stream_rows(self, stream: str, after: int, limit: int | None = None) -> list[Row]:
        """The rows of a stream behind version `after`."""

    def rows(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows behind position `after`."""

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` rows behind position `after`, with their links."""

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""

    def max_notification_id(self) -> int | None:
        """The last position, None in an empty ledger."""


class StoredJournal:
    """The part of a `Journal` that is the same on every store."""

    def __init__(self, url: str, recorder: Recorder, codec: EventCodec, net_s: float | None) -> None:
        """`net_s` is how often (seconds) waiters look by themselves; None when nobody else can append."""
        self.url = url
        self.codec = codec
        self._rows = recorder
        self._wakeup = Wakeup(self.head, net_s)
        self._fresh: tuple[tuple[Recorded[Event], ...], ...] = ()

    def append(
        self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING
    ) -> tuple[Recorded[Event], ...]:
        """Append in one transaction. Raises `WrongVersion`, `InputError`, `StoreUnavailable`."""
        batch = self.prepare(events, while_at)
        if not batch.states:
            return ()
        appended = placed(events, self.append_batch(batch))
        if len(appended) <= _FRESH_EVENTS:  # in one step: other threads see it before or after
            self._fresh = (*self._fresh[1 - _FRESH_APPENDS :], appended)
        return appended

    def prepare(self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING) -> Batch:
        """Events as they will be stored. Raises `InputError`."""
        return stored(events, self.codec.encode, while_at)

    def append_batch(self, batch: Batch) -> int:
        """Append what was prepared, and return the first position. Raises `WrongVersion`, `StoreUnavailable`."""
        try:
            first = self._rows.append(batch)
        except IntegrityError as error:
            raise WrongVersion(str(error)) from None
        self._committed(first + len(batch.states) - 1)
        failpoint("journal.append.after_commit")
        return first

    def append_each(self, batches: Sequence[Batch]) -> list[int | None]:
        """Append many batches in one transaction; see `Recorder.append_each`."""
        firsts = self._rows.append_each(batches)
        self._committed()
        failpoint("journal.append.after_commit")
        return firsts

    def _committed(self, head: int = 0) -> None:
        """What follows every durable append, before its caller hears of it; `head` is 0 where it is not known."""
        self._wakeup.signal(head)

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        """The events of a stream behind version `after`."""
        return self.codec.decode_all(self._rows.stream_rows(stream, after, limit))

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """At most `limit` events behind position `after`."""
        return self.codec.decode_all(self._rows.rows(after, limit))

    def fresh(self, after: int) -> tuple[Recorded[Event], ...]:
        """What this process just appended behind position `after`, as far as it is at hand."""
        for appended in self._fresh:
            place = after + 1 - appended[0].envelope.position
            if 0 <= place < len(appended):
                return appended[place:]
        return ()

    def head(self) -> int:
        """The last position."""
        return self._rows.max_notification_id() or 0

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` stored rows behind position `after`."""
        return self._rows.links(after, limit)

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        return self._rows.head_link()

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the head is behind `after`."""
        return await self._wakeup.wait(after, timeout_s)
