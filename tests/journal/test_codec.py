"""What is stored, to the letter, and what becomes of stored bytes that make no sense."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import pytest

from tradecore.domain.events import EVENTS, PositionClosed
from tradecore.errors import CorruptLedger, NewerLedger
from tradecore.journal.codec import decode, encode
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import recorded, run, sample


def _row(name: str, state: bytes) -> tuple[int, str, int, str, bytes]:
    return 9, "order-1", 4, name, state


def test_numbers_are_strings_and_times_rfc_3339() -> None:
    event = sample(EVENTS["trade.fill.recorded"])
    state = msgspec.json.decode(encode(recorded("fill-1", 1, event, event_id="id")))
    assert list(state) == ["id", "v", "at", "trace", "corr", "cause", "actor", "src", "data"]
    assert (state["id"], state["v"], state["at"]) == ("id", 1, 1_770_000_000_123_456_789)
    assert state["data"]["price"] == "-123456789012345.123456789"
    assert state["data"]["occurred_at"] == "2026-02-03T14:30:00.123456Z"
    assert state["data"]["side"] == "buy"


def test_nested_values_are_objects() -> None:
    state = msgspec.json.decode(encode(recorded("account-1", 1, sample(PositionClosed))))
    assert [set(lot) for lot in state["data"]["closed_lots"]] == [{"opened_by", "quantity", "entry_price"}] * 2


def test_an_unknown_name_is_a_newer_ledgers() -> None:
    with pytest.raises(NewerLedger, match=r"position 9.*order-1.*trade\.order\.teleported"):
        decode(_row("trade.order.teleported", b"{}"))


def test_a_newer_schema_is_a_newer_ledgers_whether_it_would_fit_or_not() -> None:
    good = encode(recorded("a", 1))
    for newer in (good.replace(b'"v":1', b'"v":2'), b'{"v":2}'):
        with pytest.raises(NewerLedger, match="schema 2"):
            decode(_row("system.alert.triggered", newer))


def test_a_schema_that_never_was_is_corrupt() -> None:
    with pytest.raises(CorruptLedger):
        decode(_row("system.alert.triggered", encode(recorded("a", 1)).replace(b'"v":1', b'"v":0')))


def test_every_cut_of_a_state_is_corrupt() -> None:
    state = encode(recorded("a", 1))
    for length in range(len(state)):
        with pytest.raises(CorruptLedger, match="position 9"):
            decode(_row("system.alert.triggered", state[:length]))


@pytest.mark.parametrize("state", [b"\xff\xfe", b"null", b"[]", b"7", b'{"v":"1"}', b'{"v":1}', b"\x00" * 50])
def test_bit_garbage_is_corrupt_and_says_where(journal: SqliteJournal, path: Path, state: bytes) -> None:
    journal.append(run("a", 1, 3))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE events SET state = ? WHERE position = 2", (state,))
    connection.close()
    assert len(journal.load("a", 2)) == 1
    for attempt in (lambda: journal.read(0), lambda: journal.load("a"), journal.check):
        with pytest.raises(CorruptLedger, match=r"position 2 \(a, version 2\)"):
            attempt()


def test_single_bit_flips_are_never_a_surprise() -> None:
    state = encode(recorded("a", 1))
    for place in range(len(state) * 8):
        flipped = bytearray(state)
        flipped[place // 8] ^= 1 << place % 8
        with contextlib.suppress(CorruptLedger, NewerLedger):
            decode(_row("system.alert.triggered", bytes(flipped)))
