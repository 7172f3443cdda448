"""Snapshots of streams that grow for ever: a state, and everything that must still be true before it is believed.

They are rows of the view `snapshots`, kept beside the log like any other, so they can be thrown away at any time. The
state is msgpack (some keys are pairs) inside a JSON row, under a checksum and a hash of the code that made it.
"""

from __future__ import annotations

import functools
import hashlib
from importlib import resources

import attrs
import msgspec

from tradecore.domain.account import AccountState
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.domain.order import OrderState
from tradecore.domain.trade import TradeState
from tradecore.journal.contract import Journal

VIEW = "snapshots"
"""The name of the view."""

_KINDS: dict[str, type | None] = {"account": AccountState, "system": None, "order": OrderState, "trade": TradeState}
_ENDING = ("order", "trade")
_FILES = ("domain", "draft.py", "journal/codec.py", "journal/snapshots.py", "journal/upcasting.py")
_ENCODER = msgspec.json.Encoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, ValueError)

Tail = tuple[Recorded[Event], ...]


@attrs.frozen
class Snapshot:
    """A stream at one version. `event_id` and `position` are those of its event there; `state` may be None."""

    stream: str
    version: int
    position: int
    event_id: str
    trace_id: str
    correlation_id: str
    state: object


def has_snapshots(stream: str) -> bool:
    """Whether snapshots are kept of such a stream, once it is long enough."""
    return stream.partition("-")[0] in _KINDS


def ends_by_itself(stream: str) -> bool:
    """Whether a stream is of something that ends, so that few are ever long."""
    return stream.partition("-")[0] in _ENDING


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    stream: str
    version: int
    position: int
    event_id: str
    trace_id: str
    correlation_id: str
    state: bytes
    sum: str = ""


@functools.cache
def code_hash() -> str:
    """A hash of the source that folds events into states: with any other code a snapshot means nothing.

    Empty where the source cannot be read; then no snapshot is ever believed.
    """
    found = hashlib.sha256()
    root = resources.files("tradecore")
    try:
        for name in _FILES:
            place = root.joinpath(name)
            files = [place] if place.is_file() else [item for item in place.iterdir() if item.name.endswith(".py")]
            for file in sorted(files, key=lambda item: item.name):
                found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    except OSError:
        return ""
    return found.hexdigest()[:16]


def to_row(snapshot: Snapshot) -> dict[str, object]:
    """A snapshot as a row of the view."""
    row = _Row(
        code=code_hash(),
        stream=snapshot.stream,
        version=snapshot.version,
        position=snapshot.position,
        event_id=snapshot.event_id,
        trace_id=snapshot.trace_id,
        correlation_id=snapshot.correlation_id,
        state=msgspec.msgpack.encode(snapshot.state),
    )
    row.sum = _sum(row)
    written: dict[str, object] = msgspec.to_builtins(row)
    return written


def from_row(stream: str, stored: bytes) -> Snapshot | None:
    """The snapshot in a stored row, or None at any doubt: other code, another stream, a bit that is not as it was."""
    kind = _KINDS.get(stream.partition("-")[0])
    try:
        row = msgspec.json.decode(stored, type=_Row)
        if row.sum != _sum(row) or row.code != code_hash() or not row.code or row.stream != stream:
            return None
        state = msgspec.msgpack.decode(row.state, type=kind)
    except _UNREADABLE:
        return None
    return Snapshot(stream, row.version, row.position, row.event_id, row.trace_id, row.correlation_id, state)


def find_snapshot(journal: Journal, stream: str, upto: int | None = None) -> tuple[Snapshot, Tail] | None:
    """The snapshot of a stream and the events behind it, up to a version; None when all must be folded."""
    return resume(journal, stream, journal.views.row(VIEW, stream), upto) if has_snapshots(stream) else None


def resume(
    journal: Journal, stream: str, stored: bytes | None, upto: int | None = None
) -> tuple[Snapshot, Tail] | None:
    """The snapshot in a stored row and the events behind it, up to a version, or None at any doubt.

    The event that the snapshot ends with must be in the stream, at that version and position, under that id: a restored
    or another ledger has no such event.
    """
    snapshot = None if stored is None else from_row(stream, stored)
    if snapshot is None or snapshot.version < 1 or (upto is not None and snapshot.version > upto):
        return None
    limit = None if upto is None else upto - snapshot.version + 1
    anchor, *tail = journal.load(stream, snapshot.version - 1, limit) or (None,)
    if anchor is None:
        return None
    envelope = anchor.envelope
    there = (envelope.version, envelope.position, envelope.event_id)
    return (snapshot, tuple(tail)) if there == (snapshot.version, snapshot.position, snapshot.event_id) else None


def _sum(row: _Row) -> str:
    return hashlib.sha256(_ENCODER.encode(msgspec.structs.replace(row, sum=""))).hexdigest()
