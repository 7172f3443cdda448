"""Go through a whole ledger and find what contradicts itself."""

from __future__ import annotations

from typing import Any, Protocol

from tradecore.errors import CorruptLedger
from tradecore.journal.chain import GENESIS, link
from tradecore.journal.codec import EventCodec

_PAGE = 2000
_FINDINGS = {
    "there is a hole in a stream": (
        b"SELECT originator_id FROM events GROUP BY originator_id "
        b"HAVING min(originator_version) != 1 OR max(originator_version) != count(*) LIMIT 1"
    ),
    "a view is ahead of the ledger": (
        b"SELECT view || ' at ' || position FROM tradecore_views "
        b"WHERE position > (SELECT coalesce(max(position), 0) FROM events) LIMIT 1"
    ),
}
_EVENTS = (
    b"SELECT position, originator_id, originator_version, topic, state, event_id, chain FROM events "
    b"WHERE position > %s ORDER BY position LIMIT %s"
)


class Asks(Protocol):
    """Answers single statements about a ledger."""

    def ask(self, statement: bytes, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of an answer."""


def inspect(reader: Asks, shown: str, codec: EventCodec) -> None:
    """Raises `CorruptLedger` for the first thing that is wrong, `NewerLedger` for an event that is not known.

    Events that were cut off at the end leave a whole ledger behind; only an anchor outside it can show that.
    """
    for meaning, statement in _FINDINGS.items():
        if found := reader.ask(statement):
            raise CorruptLedger(f"{shown}: {meaning}: {found[0][0]}")
    after, before = 0, GENESIS
    while rows := reader.ask(_EVENTS, after, _PAGE):
        for position, stream, version, name, state, event_id, chain in rows:
            if position != after + 1:
                raise CorruptLedger(f"{shown}: there is a hole in the order of events: {position} follows {after}")
            before = link(before, position, stream, version, name, state)
            if chain != before:
                raise CorruptLedger(
                    f"{shown}: the hash chain breaks at position {position}: it or one before is changed"
                )
            if codec.decode((position, stream, version, name, state)).envelope.event_id != event_id:
                raise CorruptLedger(f"{shown}: the event at position {position} has two ids")
            after = position
