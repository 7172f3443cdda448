"""The seal of a copy: what it held when it was made, so that a restore notices what has changed in it since."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

import msgspec

from tradecore.errors import CorruptLedger
from tradecore.journal.chain import GENESIS, link

_KEY = "copy"
_EVENTS = "SELECT position, originator_id, originator_version, topic, state, chain FROM events ORDER BY position"
_BESIDE = (
    "SELECT view, shape, position FROM tradecore_views ORDER BY view",
    "SELECT view, key, value FROM tradecore_view_rows JOIN tradecore_views USING (slot) ORDER BY view, key",
    "SELECT digest, subject, media_type, sealed, content FROM tradecore_texts ORDER BY digest, subject",
)
_EVENT_IDS = "SELECT position, event_id FROM events ORDER BY position"


class _Seal(msgspec.Struct):
    head: int
    chain: str
    """Link of the last event, in hexadecimal; it stands for all events."""
    beside: str
    """SHA-256 over event ids, views and texts, in hexadecimal: what the chain does not cover."""


def seal(connection: sqlite3.Connection, path: Path) -> tuple[int, bytes]:
    """Follow the chain of a copy to its end and write down what is there; returns head and link.

    Raises `CorruptLedger` where the chain breaks.
    """
    head, chain = follow_chain(connection, path)
    record = _Seal(head, chain.hex(), _digest(connection))
    with connection:
        connection.execute(
            "INSERT INTO tradecore_meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (_KEY, msgspec.json.encode(record).decode()),
        )
    return head, chain


def hold_against_seal(connection: sqlite3.Connection, path: Path) -> tuple[int, bytes]:
    """The head and link of a copy that is what it was when it was made. Raises `CorruptLedger`.

    A copy that was opened as a ledger has no seal any more: then the chain alone speaks for its events.
    """
    head, chain = follow_chain(connection, path)
    row = connection.execute("SELECT value FROM tradecore_meta WHERE key = ?", (_KEY,)).fetchone()
    if row is None:
        return head, chain
    try:
        record = msgspec.json.decode(row[0], type=_Seal)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptLedger(f"{path}: the seal of the copy is damaged: {error}") from error
    if (head, chain.hex()) != (record.head, record.chain):
        raise CorruptLedger(f"{path} ends at position {head}, and the copy was made up to {record.head}")
    if _digest(connection) != record.beside:
        raise CorruptLedger(f"{path}: event ids, views or texts are not what was copied")
    return head, chain


def is_sealed(connection: sqlite3.Connection) -> bool:
    """Whether the file is a copy that nobody has opened as a ledger yet."""
    return connection.execute("SELECT 1 FROM tradecore_meta WHERE key = ?", (_KEY,)).fetchone() is not None


def break_seal(connection: sqlite3.Connection) -> None:
    """From here on the file is a ledger that goes on by itself."""
    connection.execute("DELETE FROM tradecore_meta WHERE key = ?", (_KEY,))


def follow_chain(connection: sqlite3.Connection, path: Path) -> tuple[int, bytes]:
    """The last position and its link, recomputed from the first. Raises `CorruptLedger` where it breaks."""
    head, before = 0, GENESIS
    for position, stream, version, name, state, chain in connection.execute(_EVENTS):
        if position != head + 1:
            raise CorruptLedger(f"{path}: there is a hole in the order of events: {position} follows {head}")
        try:
            before = link(before, position, stream, version, name, state)
        except (TypeError, AttributeError) as error:
            raise CorruptLedger(f"{path}: the event at position {position} is not stored as an event is") from error
        if chain != before:
            raise CorruptLedger(f"{path}: the hash chain breaks at position {position}: it or one before is changed")
        head = position
    return head, before


def has_texts(connection: sqlite3.Connection) -> bool:
    """Whether a text was ever kept: the table for them is made by the first."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tradecore_texts'").fetchone() is not None


def _digest(connection: sqlite3.Connection) -> str:
    hasher = sha256()
    for statement in (_EVENT_IDS, *(_BESIDE if has_texts(connection) else _BESIDE[:2])):
        for row in connection.execute(statement):
            for value in row:
                raw = value if isinstance(value, bytes) else repr(value).encode()
                hasher.update(len(raw).to_bytes(8, "big") + raw)
        hasher.update(b"\xff" * 8)  # no row begins so: what ends one table begins no other
    return hasher.hexdigest()
