"""The publisher: reads the log from where it stopped, hands each batch to a bus, and only then moves its cursor.

There is one write, into the ledger, and never a second beside it: an event is published because it was recorded. Killed
between the bus and the cursor, a publisher hands the last batch on again, in the same order and under the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from tradecore.domain import streams
from tradecore.domain.derived import derived_from
from tradecore.domain.events import Event, LedgerCreated
from tradecore.domain.messages import Recorded
from tradecore.errors import BusUnavailable, CorruptLedger, InputError, WrongVersion
from tradecore.failpoints import failpoint
from tradecore.journal.contract import Journal
from tradecore.ports.bus import EventBus, Publication
from tradecore.ports.clock import Clock
from tradecore.publishing.envelope import derived_publication, publication_of

_log = structlog.get_logger("tradecore.publishing")
_SHAPE = "publisher/1"
_WAIT_S = 5.0
_RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Publisher:
    """One reader of the log with a name, a bus and a durable cursor; two of one name take turns and lose nothing."""

    def __init__(
        self,
        journal: Journal,
        bus: EventBus,
        clock: Clock,
        name: str,
        *,
        prefixes: tuple[str, ...] = (),
        batch: int = 500,
        from_now: bool = False,
    ) -> None:
        """`prefixes` are the beginnings of the types to publish, all when empty.

        A publisher that never ran begins at the first event, or behind the last one with `from_now`. Raises
        `InputError` for a name that is not a word.
        """
        if not (name.isidentifier() and name.isascii()):
            raise InputError("publisher name", name, "a word of letters, digits and underscores")
        self._journal = journal
        self._bus = bus
        self._clock = clock
        self._view = f"publisher_{name}"
        self._prefixes = prefixes
        self._batch = batch
        self._ledger_id = _ledger_id(journal)
        if from_now and self.position == 0:
            self._move(0, journal.head())

    @property
    def position(self) -> int:
        """The position up to which everything was handed on."""
        return self._journal.views.cursor(self._view, _SHAPE)

    async def catch_up(self) -> int:
        """Hand on everything up to the head; returns the position reached. Raises `BusUnavailable`."""
        position = self.position
        while events := self._journal.read(position, self._batch):
            wanted = tuple(one for recorded in events for one in self._told_of(recorded))
            if wanted:
                await self._bus.publish(wanted)
            failpoint("publisher.cursor.before")
            position = self._move(position, events[-1].envelope.position)
        return position

    async def run(self) -> None:
        """Hand on for ever. A bus that fails is tried again, more and more patiently; nothing is skipped."""
        failures = 0
        while True:
            try:
                position = await self.catch_up()
                failures = 0
            except BusUnavailable as error:  # the cursor stays where it is, so nothing is lost
                wait_s = _RETRY_S[min(failures, len(_RETRY_S) - 1)]
                failures += 1
                _log.warning("the bus does not take events", error=str(error), again_in_s=wait_s)
                await self._clock.sleep(wait_s)
                continue
            await self._journal.wait(position, _WAIT_S)

    def _told_of(self, recorded: Recorded[Event]) -> Iterator[Publication]:
        """The event, and what follows from it, as far as they are wanted."""
        event = publication_of(recorded, self._ledger_id)
        if self._wants(event.type):
            yield event
        derived = derived_from(recorded.event, lambda saga_id: self._journal.load(streams.saga(saga_id))[0].event)
        if derived is not None and self._wants(derived.NAME):
            yield derived_publication(derived, event)

    def _wants(self, name: str) -> bool:
        return not self._prefixes or name.startswith(self._prefixes)

    def _move(self, after: int, upto: int) -> int:
        """Store the cursor; when another publisher of this name was faster, go on from where it is."""
        try:
            self._journal.views.write(self._view, _SHAPE, after, upto, {})
        except WrongVersion:
            return self.position
        return upto


def _ledger_id(journal: Journal) -> str:
    first = journal.read(0, 1)
    if not first or not isinstance(first[0].event, LedgerCreated):
        raise CorruptLedger("the ledger does not begin with its own creation")
    return first[0].event.ledger_id
