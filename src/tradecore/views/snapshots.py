"""View `snapshots`: long streams at every thousandth version. Key: stream. See `journal.snapshots`.

Most orders and trades end long before that and cost nothing here: they are followed from their first snapshot on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.draft import Loaded, State, after, from_snapshot, load
from tradecore.journal.snapshots import (
    VIEW,
    Snapshot,
    code_hash,
    ends_by_itself,
    has_snapshots,
    resume,
    to_row,
)
from tradecore.views.parking import parked_views
from tradecore.views.projector import Projector
from tradecore.views.rows import encode_row
from tradecore.views.view import Rows

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


_FOLLOWED = 1000
"""Streams whose states are kept at hand."""


class Snapshots:
    """Keeps the states that it needs while it follows the log; what it missed it loads."""

    name = VIEW

    def __init__(self, journal: Journal, every: int = 1000) -> None:
        """Write a snapshot at each version that `every` divides, and of streams without a state at each."""
        self._journal = journal
        self._every = every
        self._known: OrderedDict[str, Loaded] = OrderedDict()

    @property
    def shape(self) -> str:
        """With the hash of the code: other code drops them all."""
        return f"{VIEW}/2/{self._every}/{code_hash()}"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold an event into the state of its stream, and keep that at round versions."""
        envelope = recorded.envelope
        stream, version = envelope.stream, envelope.version
        if not has_snapshots(stream) or (ends_by_itself(stream) and version < self._every):
            return
        known = self._follow(rows, recorded)
        if version % self._every == 0 or known.state is None:
            rows.put(stream, to_row(_snapshot(known, recorded)))

    def _follow(self, rows: Rows, recorded: Recorded[Event]) -> Loaded:
        """The stream after an event."""
        stream, version = recorded.envelope.stream, recorded.envelope.version
        known = Loaded(None, 0) if version == 1 else self._known.pop(stream, None)
        if known is None or known.version != version - 1:
            known = self._load(rows, stream, version - 1)
        self._known[stream] = known = after(known, [recorded])
        if len(self._known) > _FOLLOWED:
            self._known.popitem(last=False)
        return known

    def _load(self, rows: Rows, stream: str, version: int) -> Loaded:
        """From the view's own snapshot where there is one: what is stored may be of before a rebuild."""
        row = rows.get(stream)
        found = None if row is None else resume(self._journal, stream, encode_row(row), version)
        return load(self._journal, stream, version) if found is None else after(from_snapshot(found[0]), found[1])


def _snapshot(known: Loaded, recorded: Recorded[Event]) -> Snapshot:
    envelope = recorded.envelope
    return Snapshot(
        stream=envelope.stream,
        version=known.version,
        position=envelope.position,
        event_id=envelope.event_id,
        trace_id=known.trace_id or "",
        correlation_id=known.correlation_id or "",
        state=known.state,
    )


class Folded(Protocol):
    """A stream as folded from its beginning."""

    @property
    def version(self) -> int:
        """How far."""

    @property
    def state(self) -> State:
        """To what."""


def wrong_snapshots(journal: Journal, folded: Callable[[str], Folded | None]) -> Iterator[tuple[str, str]]:
    """Stream and sentence for every snapshot that does not lead to what the whole stream leads to. Catches up first.

    `folded` knows streams as the domain took them in, and None for those that it could not.
    """
    Projector(journal, [Snapshots(journal)], alarm=lambda _: None).catch_up()
    parked = parked_views(journal).get(VIEW)
    if parked is not None:
        yield VIEW, str(parked)
    for stream, stored in journal.views.rows(VIEW):
        found = resume(journal, stream, stored)
        if found is None:
            yield stream, "its snapshot is damaged or of another ledger, and is not used; `tradecore rebuild snapshots`"
            continue
        snapshot, tail = found
        whole = folded(stream)
        if whole is None:
            continue
        known = after(from_snapshot(snapshot), [item for item in tail if item.envelope.version <= whole.version])
        if known.version == whole.version and known.state != whole.state:
            yield stream, f"its snapshot at version {snapshot.version} is not what its events say"
