"""A proof that one event belongs to an anchored history: the event, and an RFC 9162 path to the anchor's root.

It tells nothing of other events but hashes, and grows with the logarithm of the ledger. `examples/verify_proof.py`
checks one without tradecore.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tradecore.audit.anchor_file import as_object
from tradecore.audit.chain_check import ledger_id_of
from tradecore.audit.merkle import inclusion
from tradecore.errors import CorruptLedger, InputError
from tradecore.journal.chain import GENESIS, Link, link
from tradecore.journal.contract import Journal
from tradecore.ports.anchor import Anchor

FORMAT = "tradecore-proof-1"
_PAGE = 1000


def prove(journal: Journal, position: int, anchors: Iterable[Anchor]) -> dict[str, Any]:
    """The proof as a JSON object, to the earliest anchor at or behind `position`.

    Raises `InputError` when no anchor covers the position, `CorruptLedger` when the ledger is not what was anchored.
    """
    ledger_id = ledger_id_of(journal)
    covering = [anchor for anchor in anchors if anchor.ledger_id == ledger_id and anchor.position >= position]
    if position < 1 or not covering:
        raise InputError("position", position, "an event that an anchor of this ledger covers (see tradecore anchor)")
    anchor = min(covering, key=lambda item: item.position)
    walk = _Walk(journal, position)
    if journal.head() < anchor.position:
        raise CorruptLedger(f"the ledger ends before position {anchor.position}, which was anchored")
    root, path = inclusion(walk.chains(), anchor.position, position - 1)
    if (walk.last, root) != (anchor.chain, anchor.root):
        raise CorruptLedger(f"the history up to position {anchor.position} is not the one that was anchored")
    event = walk.event
    assert event is not None, "the walk passed it on the way to the anchor"
    if link(walk.before, *event[:5]) != event.chain:
        raise CorruptLedger(f"the event at position {position} is not what was linked")
    return {
        "format": FORMAT,
        "anchor": as_object(anchor),
        "event": {
            "position": event.position,
            "stream": event.stream,
            "version": event.version,
            "name": event.name,
            "state": event.state.decode(),
        },
        "before": walk.before.hex(),
        "path": [item.hex() for item in path],
    }


class _Walk:
    """Goes over all links and keeps the event that is asked for, the link before it, and the last."""

    def __init__(self, journal: Journal, position: int) -> None:
        self._journal = journal
        self._position = position
        self.event: Link | None = None
        self.before = self.last = GENESIS

    def chains(self) -> Iterator[bytes]:
        after = 0
        while links := self._journal.links(after, _PAGE):
            for item in links:
                if item.position == self._position:
                    self.event, self.before = item, self.last
                self.last = item.chain
                yield item.chain
            after = links[-1].position
        raise CorruptLedger(f"the ledger ends at position {after}, and more was anchored")
