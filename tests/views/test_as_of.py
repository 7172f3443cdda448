"""Every view as of any position and any moment."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings

from tests.ledger.desk import NOON, Desk
from tests.views.folded import stored
from tests.views.sessions import STEPS, Step, play
from tests.views.vandal import trade_for_an_hour
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger, InputError
from tradecore.journal import Journal, open_journal
from tradecore.testing.journal_samples import recorded, without_positions
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector
from tradecore.views.time_travel import AsOf, position_of, rows_as_of
from tradecore.views.view import Rows


def all_as_of(journal: Journal, as_of: AsOf) -> dict[str, dict[str, bytes]]:
    return {view.name: dict(sorted(rows_as_of(journal, view, as_of).items())) for view in ALL_VIEWS}


@settings(max_examples=8, deadline=None)
@given(steps=STEPS)
def test_rows_as_of_a_position_are_those_of_a_ledger_that_ends_there(steps: list[Step]) -> None:
    desk = Desk.in_memory()
    play(desk, steps)
    journal = desk.ledger.journal
    stopped = open_journal("memory:")
    projector = Projector(stopped, ALL_VIEWS)
    for position, event in enumerate(journal.read(0, 100_000), 1):
        stopped.append(without_positions([event]))
        projector.catch_up()
        assert all_as_of(journal, position) == stored(stopped)


@pytest.mark.parametrize("caught_up", ["not at all", "half way", "to the head"])
def test_rows_as_of_the_head_are_the_stored_rows(desk: Desk, caught_up: str) -> None:
    if caught_up == "half way":
        desk.pin()
        Projector(desk.ledger.journal, ALL_VIEWS).catch_up()
        desk.done("buy", "1", "50")
    else:
        trade_for_an_hour(desk)
    journal = desk.ledger.journal
    if caught_up == "to the head":
        Projector(journal, ALL_VIEWS).catch_up()
    told = all_as_of(journal, journal.head())
    Projector(journal, ALL_VIEWS).catch_up()
    assert told == stored(journal)


def test_asking_changes_nothing_that_is_stored(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    for position in (0, 10, journal.head()):
        all_as_of(journal, position)
    assert all(journal.views.cursor(view.name, view.shape) == 0 for view in ALL_VIEWS)


def test_the_stored_rows_are_the_beginning_when_they_are_not_beyond(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    cursor = Projector(journal, ALL_VIEWS).catch_up()
    desk.done("buy", "1", "50")
    asked: list[int] = []
    read = journal.read

    def watched(after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        asked.append(after)
        return read(after, limit)

    monkeypatch.setattr(journal, "read", watched)
    read_rows(journal, "orders", as_of=cursor + 1)
    assert asked == [cursor]
    read_rows(journal, "orders", as_of=cursor - 1)
    assert asked == [cursor, 0]


def test_a_moment_is_what_the_log_held_when_it_had_passed(desk: Desk) -> None:
    desk.pin()
    first = desk.done("buy", "1", "50")
    before = desk.ledger.journal.head()
    desk.clock.at += dt.timedelta(seconds=10)
    second = desk.done("buy", "1", "51")
    journal = desk.ledger.journal

    def orders(moment: dt.datetime) -> list[str]:
        return [row["order_id"] for row in read_rows(journal, "orders", as_of=moment)]

    assert orders(NOON - dt.timedelta(microseconds=1)) == []
    assert orders(NOON) == orders(NOON + dt.timedelta(seconds=9)) == [first]
    assert orders(NOON + dt.timedelta(seconds=10)) == orders(NOON + dt.timedelta(days=365)) == [first, second]
    assert position_of(journal, NOON) == before
    elsewhere = dt.timezone(dt.timedelta(hours=-5))
    assert position_of(journal, NOON.astimezone(elsewhere)) == before


def test_a_clock_that_steps_back_does_not_reorder_the_past(desk: Desk) -> None:
    desk.pin()
    desk.clock.at += dt.timedelta(seconds=10)
    desk.done("buy", "1", "50")
    desk.clock.at -= dt.timedelta(seconds=10)
    desk.done("buy", "1", "51")
    assert read_rows(desk.ledger.journal, "orders", as_of=NOON + dt.timedelta(seconds=5)) == []
    assert len(read_rows(desk.ledger.journal, "orders", as_of=NOON + dt.timedelta(seconds=10))) == 2


def test_nanoseconds_count_to_the_microsecond_that_rows_show() -> None:
    journal = open_journal("memory:")
    journal.append([recorded("a", 1)])
    at = dt.datetime.fromisoformat("2026-02-02T02:40:00.123456+00:00")
    assert position_of(journal, at) == 1
    assert position_of(journal, at - dt.timedelta(microseconds=1)) == 0


@pytest.mark.parametrize("as_of", [-1, 10_000, True, dt.datetime(2024, 1, 2, 17)])
def test_positions_that_are_none_and_naive_times_are_refused(desk: Desk, as_of: AsOf) -> None:
    desk.pin()
    with pytest.raises(InputError, match="as_of"):
        read_rows(desk.ledger.journal, "orders", as_of=as_of)


def test_an_unknown_view_is_refused(desk: Desk) -> None:
    with pytest.raises(InputError, match="one of orders"):
        read_rows(desk.ledger.journal, "odours", as_of=0)


class Fasting:
    """Cannot take in a filled order."""

    name = "fasting"
    shape = "fasting/1"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        rows.put(str(recorded.envelope.position), {})
        if recorded.envelope.name == "trade.order.filled":
            raise KeyError("filled")


def test_a_view_is_told_before_an_event_that_it_cannot_take_in_and_not_behind_it(desk: Desk) -> None:
    desk.pin()
    desk.done("buy", "1", "50")
    journal = desk.ledger.journal
    poison = next(e.envelope.position for e in journal.read(0) if e.envelope.name == "trade.order.filled")
    assert len(rows_as_of(journal, Fasting(), poison - 1)) == poison - 1
    with pytest.raises(CorruptLedger, match=f"position {poison}.*trade.order.filled.*KeyError"):
        rows_as_of(journal, Fasting(), journal.head())
