"""View `snapshots`: accounts and system streams at every thousandth version. Key: stream. See `journal.snapshots`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.draft import Loaded, State, after, from_snapshot, load
from tradecore.journal.snapshots import VIEW, Snapshot, code_hash, find_snapshot, has_snapshots, to_row
from tradecore.views.parking import parked_views
from tradecore.views.projector import Projector
from tradecore.views.view import Rows

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


class Snapshots:
    """Keeps the states that it needs while it follows the log; what it missed it loads."""

    name = VIEW

    def __init__(self, journal: Journal, every: int = 1000) -> None:
        """Write a snapshot at each version that `every` divides."""
        self._journal = journal
        self._every = every
        self._known: dict[str, Loaded] = {}

    @property
    def shape(self) -> str:
        """With the hash of the code: other code drops them all."""
        return f"{VIEW}/1/{self._every}/{code_hash()}"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold an event into the state of its stream, and keep that at round versions."""
        envelope = recorded.envelope
        stream, version = envelope.stream, envelope.version
        if not has_snapshots(stream):
            return
        known = Loaded(None, 0) if version == 1 else self._known.get(stream)
        if known is None or known.version != version - 1:
            known = load(self._journal, stream, upto=version - 1)
        self._known[stream] = known = after(known, [recorded])
        if version % self._every == 0:
            rows.put(stream, to_row(_snapshot(known, recorded)))


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


def wrong_snapshots(
    journal: Journal, states: Mapping[str, State], versions: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Stream and sentence for every snapshot that does not lead to what the whole stream leads to. Catches up first.

    `states` are streams as folded from their beginning, `versions` how far.
    """
    Projector(journal, [Snapshots(journal)], alarm=lambda _: None).catch_up()
    parked = parked_views(journal).get(VIEW)
    if parked is not None:
        yield VIEW, str(parked)
    for stream, _ in journal.views.rows(VIEW):
        found = find_snapshot(journal, stream)
        if found is None:
            yield stream, "its snapshot is damaged or of another ledger, and is not used; `tradecore rebuild snapshots`"
            continue
        snapshot, tail = found
        upto = versions.get(stream, 0)
        known = after(from_snapshot(snapshot), [item for item in tail if item.envelope.version <= upto])
        if stream in states and known.version == upto and known.state != states[stream]:
            yield stream, f"its snapshot at version {snapshot.version} is not what its events say"
