"""Snapshots make a start fast and are believed only while nothing speaks against them."""

from __future__ import annotations

import base64
import itertools
from collections import Counter
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.desk import Desk
from tests.views.sessions import STEPS, Step, play
from tradecore.domain import streams
from tradecore.domain.account import AccountState
from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Cause, Recorded
from tradecore.draft import Loaded, last_event, load
from tradecore.journal import Journal, open_journal, snapshots
from tradecore.journal.snapshots import VIEW, code_hash, find_snapshot, from_row
from tradecore.testing.journal_samples import without_positions
from tradecore.verify import verify
from tradecore.views.projector import Projector
from tradecore.views.snapshots import Snapshots

ACCOUNT = "account-main"


def full_replay(journal: Journal, stream: str) -> Loaded:
    bare = open_journal("memory:")
    for recorded in journal.read(0, 100_000):
        bare.append(without_positions([recorded]))
    return load(bare, stream)


def keep(journal: Journal, every: int = 10) -> None:
    Projector(journal, [Snapshots(journal, every)]).catch_up()


def some_trading(desk: Desk) -> None:
    desk.pin(positions=[("IBM", "2", "9.50")])
    desk.limit(qty="100")
    for number in range(12):
        desk.done("buy" if number % 3 else "sell", "1.5", "50.10")
    desk.live("buy", "3")


@pytest.fixture
def kept(desk: Desk) -> Journal:
    """A ledger with a snapshot of its account a few versions behind the head."""
    some_trading(desk)
    keep(desk.ledger.journal)
    return desk.ledger.journal


def rewrite(journal: Journal, **changes: Any) -> None:
    """Change a snapshot and make its checksum right again, as only somebody who knows the code would."""
    stored = journal.views.row(VIEW, ACCOUNT)
    assert stored is not None
    row = {**msgspec.json.decode(stored), **changes}
    if all(type(value) is type(msgspec.json.decode(stored)[key]) for key, value in changes.items()):
        row["sum"] = snapshots._sum(msgspec.convert(row, snapshots._Row))
    replace(journal, msgspec.json.encode(row))


def replace(journal: Journal, stored: bytes) -> None:
    shape = Snapshots(journal, 10).shape
    journal.views.replace(VIEW, shape, journal.views.cursor(VIEW, shape), {ACCOUNT: stored})


def loaded_versions(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each load of the account reads from here on."""
    counts: list[int] = []
    real = journal.load

    def watched(stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        events = real(stream, after, limit)
        counts.append(len(events))
        return events

    monkeypatch.setattr(journal, "load", watched)
    return counts


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, every=st.integers(1, 7), batch=st.integers(1, 20))
def test_snapshot_and_tail_are_the_whole_stream(steps: list[Step], every: int, batch: int) -> None:
    desk = Desk.in_memory()
    projector = Projector(desk.ledger.journal, [Snapshots(desk.ledger.journal, every)])
    play(desk, steps[: len(steps) // 2])
    projector.catch_up(batch)
    play(desk, [])
    for step in steps[len(steps) // 2 :]:
        play(desk, [step])
    projector.catch_up(batch)
    journal = desk.ledger.journal
    assert find_snapshot(journal, ACCOUNT) is not None or len(journal.load(ACCOUNT)) < every
    assert load(journal, ACCOUNT) == full_replay(journal, ACCOUNT)


def test_a_start_reads_the_tail_only(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = len(kept.load(ACCOUNT))
    counts = loaded_versions(kept, monkeypatch)
    known = load(kept, ACCOUNT)
    assert known.version == versions > 30
    assert counts == [versions % 10 + 1]
    assert isinstance(known.state, AccountState)
    assert known.state.holdings
    assert known.state.reservations


def test_the_ledger_goes_on_from_a_snapshot_as_from_a_replay(kept: Journal) -> None:
    from_a_snapshot = Desk.over(kept)
    assert from_a_snapshot.account == full_replay(kept, ACCOUNT).state
    for _ in range(60):
        from_a_snapshot.ids.event_id()
    from_a_snapshot.ids._next = iter(range(10_000, 20_000))
    order = from_a_snapshot.done("buy", "1", "51")
    assert from_a_snapshot.order(order).is_settled
    assert verify(kept).ok


def test_short_streams_that_end_by_themselves_have_none(kept: Journal) -> None:
    lengths = Counter(recorded.envelope.stream for recorded in kept.read(0, 10_000))
    long = {stream for stream, length in lengths.items() if length >= 10 and not stream.startswith("fill-")}
    assert len(long) < len([stream for stream in lengths if stream.startswith(("order-", "trade-"))]) > 5
    assert {key for key, _ in kept.views.rows(VIEW)} == long | {"system-ledger"}


@pytest.mark.parametrize("batch", [7, 1000])
def test_a_long_trade_is_continued_from_its_snapshot(desk: Desk, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    desk.pin()
    order = desk.live("buy", "100")
    journal = desk.ledger.journal
    projector = Projector(journal, [Snapshots(journal, 10)])
    for number in range(33):
        desk.fill(order, "1", "50")
        if number % 5 == 0:
            projector.catch_up(batch)
    projector.catch_up(batch)
    for stream in (f"order-{order}", f"trade-{desk.order(order).trade_id}"):
        counts = loaded_versions(journal, monkeypatch)
        known = load(journal, stream)
        assert known == full_replay(journal, stream)
        assert known.version > 30
        assert counts[0] == known.version % 10 + 1
    assert verify(journal).ok


def test_a_stream_without_a_state_is_loaded_by_its_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = desk.ledger.journal
    for number in range(12):
        desk.ledger.note(streams.BROKER, AlertTriggered("kind", str(number)), Cause(desk.ids.trace_id(), "test"))
    keep(journal, 1000)
    counts = loaded_versions(journal, monkeypatch)
    assert load(journal, streams.BROKER).version == 12
    assert counts == [1]
    assert last_event(journal, streams.BROKER) == AlertTriggered("kind", "11")
    assert last_event(journal, streams.ASSETS) is None


def test_a_snapshot_of_another_ledger_is_not_built_upon(kept: Journal) -> None:
    """The row is whole and of this code, and its events are not in the stream."""
    other = Desk.in_memory()
    other.ids._next = itertools.count(50_000)
    some_trading(other)
    copied = dict(kept.views.rows(VIEW))
    journal = other.ledger.journal
    shape = Snapshots(kept, 10).shape
    journal.views.replace(VIEW, shape, journal.head(), copied)
    for _ in range(12):
        other.done("buy", "2", "51")
    keep(journal)
    assert find_snapshot(journal, ACCOUNT) is not None
    assert load(journal, ACCOUNT) == full_replay(journal, ACCOUNT)


def test_a_projector_that_starts_in_the_middle_writes_the_same_snapshots(desk: Desk) -> None:
    journal = desk.ledger.journal
    desk.pin()
    desk.limit(qty="100")
    for _ in range(8):
        desk.done("buy", "1", "50")
        keep(journal)
    stepwise = dict(journal.views.rows(VIEW))
    Projector(journal, [Snapshots(journal, 10)]).rebuild()
    assert dict(journal.views.rows(VIEW)) == stepwise != {}


@pytest.mark.parametrize("place", range(0, 2000, 37))
def test_a_flipped_bit_anywhere_means_a_full_replay(kept: Journal, place: int) -> None:
    """Unless it means nothing: the last character of base 64 has bits to spare."""
    right = find_snapshot(kept, ACCOUNT)
    stored = bytearray(kept.views.row(VIEW, ACCOUNT) or b"")
    stored[place % len(stored)] ^= 1 << place % 8
    replace(kept, bytes(stored))
    assert find_snapshot(kept, ACCOUNT) in (None, right)
    assert load(kept, ACCOUNT) == full_replay(kept, ACCOUNT)


@pytest.mark.parametrize("stored", [b"", b"null", b"[]", b"{}", b'{"sum":null}', b"\xff", b'{"sum":7,"state":[]}'])
def test_nonsense_means_a_full_replay(kept: Journal, stored: bytes) -> None:
    replace(kept, stored)
    assert load(kept, ACCOUNT) == full_replay(kept, ACCOUNT)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "0123456789abcdef"},
        {"code": ""},
        {"stream": "account-other"},
        {"version": 9},
        {"version": 0},
        {"version": "20"},
        {"version": 10_000},
        {"position": 1},
        {"event_id": "another"},
        {"state": "bm90IG1zZ3BhY2s="},
        {"state": base64.b64encode(msgspec.msgpack.encode({"account": 7})).decode()},
        {"state": base64.b64encode(msgspec.msgpack.encode(None)).decode()},
    ],
    ids=str,
)
def test_a_snapshot_with_a_right_checksum_and_a_doubt_is_not_believed(kept: Journal, changes: dict[str, Any]) -> None:
    assert find_snapshot(kept, ACCOUNT) is not None
    rewrite(kept, **changes)
    assert find_snapshot(kept, ACCOUNT) is None
    assert load(kept, ACCOUNT) == full_replay(kept, ACCOUNT)


def test_other_code_drops_all_snapshots_and_writes_its_own(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradecore.journal.snapshots.code_hash", lambda: "f" * 16)
    monkeypatch.setattr("tradecore.views.snapshots.code_hash", lambda: "f" * 16)
    assert find_snapshot(kept, ACCOUNT) is None
    keep(kept)
    assert find_snapshot(kept, ACCOUNT) is not None
    assert load(kept, ACCOUNT) == full_replay(kept, ACCOUNT)


def test_code_whose_source_cannot_be_read_believes_nothing(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradecore.journal.snapshots.code_hash", lambda: "")
    assert find_snapshot(kept, ACCOUNT) is None
    rewrite(kept, code="")
    assert find_snapshot(kept, ACCOUNT) is None


def test_the_hash_of_the_code_is_the_same_every_time() -> None:
    code_hash.cache_clear()
    first = code_hash()
    code_hash.cache_clear()
    assert len(first) == 16
    assert first == code_hash()


def test_a_ledger_restored_to_before_its_snapshot_is_replayed(kept: Journal) -> None:
    """The same events, fewer of them, with the views of later."""
    restored = open_journal("memory:")
    found = find_snapshot(kept, ACCOUNT)
    assert found is not None
    for recorded in kept.read(0, found[0].position - 1):
        restored.append(without_positions([recorded]))
    restored.views.replace(VIEW, Snapshots(kept, 10).shape, kept.head(), dict(kept.views.rows(VIEW)))
    assert load(restored, ACCOUNT) == full_replay(restored, ACCOUNT)


def test_a_ledger_restored_and_traded_on_is_replayed(kept: Journal) -> None:
    """The stream is as long again as the snapshot says, and another one."""
    restored = open_journal("memory:")
    for recorded in kept.read(0, 12):
        restored.append(without_positions([recorded]))
    other = Desk.over(restored)
    other.ids._next = iter(range(10_000, 20_000))
    for _ in range(12):
        other.done("buy", "2", "51")
    restored.views.replace(VIEW, Snapshots(kept, 10).shape, kept.head(), dict(kept.views.rows(VIEW)))
    assert load(restored, ACCOUNT) == full_replay(restored, ACCOUNT)


def test_verification_finds_a_snapshot_that_lies_perfectly(kept: Journal) -> None:
    keep(kept, 1000)
    Projector(kept, [Snapshots(kept)]).catch_up()
    found = load(kept, ACCOUNT)
    assert isinstance(found.state, AccountState)
    anchor = kept.load(ACCOUNT)[-1]
    richer = attrs.evolve(found.state, cash=found.state.cash + 1)
    lie = snapshots.Snapshot(ACCOUNT, found.version, anchor.envelope.position, anchor.envelope.event_id, "", "", richer)
    kept.views.replace(VIEW, Snapshots(kept).shape, kept.head(), {ACCOUNT: msgspec.json.encode(snapshots.to_row(lie))})
    (finding,) = verify(kept).findings
    assert (finding.check, finding.subject) == ("snapshots", ACCOUNT)
    kept.views.replace(VIEW, Snapshots(kept).shape, kept.head(), {ACCOUNT: b"nonsense"})
    (finding,) = verify(kept).findings
    assert "damaged" in finding.message


def test_a_snapshot_comes_back_as_it_went(kept: Journal) -> None:
    stored = kept.views.row(VIEW, ACCOUNT)
    assert stored is not None
    snapshot = from_row(ACCOUNT, stored)
    assert snapshot is not None
    assert msgspec.json.decode(stored) == snapshots.to_row(snapshot)
