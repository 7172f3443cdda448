"""Keeping views behind the log: in batches, beside other updaters, and after a change of shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.views.folded import stored
from tests.views.vandal import trade_for_an_hour
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal import Journal
from tradecore.journal.view_store import Move
from tradecore.views import ALL_VIEWS
from tradecore.views.fills import Fills
from tradecore.views.orders import Orders
from tradecore.views.parking import Parked, parked_views
from tradecore.views.projector import Projector
from tradecore.views.view import Rows


def test_catching_up_returns_the_head_and_moves_every_cursor_there(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    assert Projector(journal, ALL_VIEWS).catch_up(batch=7) == journal.head()
    assert {journal.views.cursor(view.name, view.shape) for view in ALL_VIEWS} == {journal.head()}


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_the_size_of_a_batch_does_not_show_in_the_rows(desk: Desk, batch: int) -> None:
    trade_for_an_hour(desk)
    Projector(desk.ledger.journal, ALL_VIEWS).catch_up(batch)
    caught_up = stored(desk.ledger.journal)
    Projector(desk.ledger.journal, ALL_VIEWS).rebuild()
    assert stored(desk.ledger.journal) == caught_up


def test_an_empty_ledger_leaves_nothing_to_do(desk: Desk) -> None:
    projector = Projector(desk.ledger.journal, ALL_VIEWS)
    assert projector.catch_up() == projector.catch_up() == 1


def test_two_projectors_taking_turns_fold_every_event_once(desk: Desk) -> None:
    journal = desk.ledger.journal
    one, other = Projector(journal, ALL_VIEWS), Projector(journal, ALL_VIEWS)
    desk.pin()
    for turn in range(6):
        desk.done("buy", "1", "50")
        (one, other)[turn % 2].catch_up(batch=5)
    one.catch_up()
    caught_up = stored(journal)
    Projector(journal, ALL_VIEWS).rebuild()
    assert stored(journal) == caught_up


@pytest.mark.parametrize("batch", [2, 1000])
def test_rows_that_are_not_at_hand_any_more_are_read_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    Projector(journal, ALL_VIEWS).catch_up()
    right = stored(journal)
    monkeypatch.setattr("tradecore.views.hot_rows.AT_HAND", 1)
    Projector(journal, ALL_VIEWS).rebuild(batch)
    assert stored(journal) == right


class Racing:
    """A view during whose fold somebody else moves the same view."""

    name = Orders.name
    shape = Orders.shape

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.raced = False

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        if not self.raced:
            self.raced = True
            Projector(self._journal, [Orders()]).catch_up()
        Orders().apply(rows, recorded)


def test_a_projector_that_was_overtaken_goes_on_from_the_faster_one(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    racing = Racing(journal)
    assert Projector(journal, [racing]).catch_up() == journal.head()
    assert racing.raced
    caught_up = dict(journal.views.rows("orders"))
    Projector(journal, [Orders()]).rebuild()
    assert dict(journal.views.rows("orders")) == caught_up


class Reshaped(Fills):
    """The same view in a later release."""

    shape = "fills/2"


def test_a_view_of_another_shape_is_built_anew(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    Projector(journal, [Fills()]).catch_up()
    before = dict(journal.views.rows("fills"))
    assert Projector(journal, [Reshaped()]).catch_up() == journal.head()
    assert dict(journal.views.rows("fills")) == before
    assert journal.views.cursor("fills", "fills/2") == journal.head()


@pytest.mark.parametrize("damage", [None, b"not json", b"[]", b"{}"])
def test_rows_that_do_not_fit_the_events_park_their_view_and_say_what_to_do(desk: Desk, damage: bytes | None) -> None:
    order = desk.place("buy", "1")
    journal = desk.ledger.journal
    told: list[Parked] = []
    projector = Projector(journal, [Orders()], told.append)
    rows = {} if damage is None else {order: damage}
    journal.views.replace("orders", Orders.shape, projector.catch_up(), rows)
    desk.send(order)
    assert projector.catch_up() == journal.head() - 1
    (parked,) = told
    assert "tradecore rebuild orders" in str(parked)
    assert parked_views(journal) == {"orders": parked}
    assert projector.rebuild() == projector.catch_up() == journal.head()
    assert parked_views(journal) == {}


class Failing:
    """A view store whose next write fails."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.fails = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write_all(self, moves: Sequence[Move]) -> None:
        if self.fails:
            self.fails = False
            raise OSError("disk")
        self._inner.write_all(moves)


def test_a_failed_write_is_folded_again_from_what_is_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    projector = Projector(journal, ALL_VIEWS)
    monkeypatch.setattr(journal, "_views", Failing(journal.views))
    with pytest.raises(OSError, match="disk"):
        projector.catch_up()
    projector.catch_up()
    caught_up = stored(journal)
    projector.rebuild()
    assert stored(journal) == caught_up
