"""An event that one view cannot take in stops that view, visibly, and no other."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.ledger.desk import Desk
from tests.views.folded import stored
from tests.views.vandal import trade_for_an_hour
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal import Journal
from tradecore.verify import verify
from tradecore.views import ALL_VIEWS
from tradecore.views.fills import Fills
from tradecore.views.orders import Orders
from tradecore.views.parking import RESERVED, Parked, parked_views
from tradecore.views.projector import Projector
from tradecore.views.view import Rows


class Spoiled(Orders):
    """Chokes on one event, after it changed a row."""

    def __init__(self, name: str) -> None:
        self._poison = name
        self.chokes = True

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        super().apply(rows, recorded)
        if self.chokes and recorded.envelope.name == self._poison:
            rows.put("half a change", {"order_id": "half a change"})
            raise ValueError("spoiled")


def poison_of(journal: Journal, name: str = "trade.order.filled") -> int:
    return next(item.envelope.position for item in journal.read(0, 10_000) if item.envelope.name == name)


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_the_view_stands_before_the_event_and_the_others_go_on(desk: Desk, batch: int) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    poison = poison_of(journal)
    views = [Spoiled("trade.order.filled"), *(view for view in ALL_VIEWS if view.name != "orders")]
    assert Projector(journal, views).catch_up(batch) == poison - 1
    assert journal.views.cursor("orders", Orders.shape) == poison - 1
    assert {journal.views.cursor(view.name, view.shape) for view in views[1:]} == {journal.head()}
    assert journal.views.row("orders", "half a change") is None


def test_what_is_stored_is_what_a_ledger_that_ends_there_gives(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    Projector(journal, [Spoiled("trade.order.filled")]).catch_up()
    stopped = dict(journal.views.rows("orders"))
    from tradecore.views.time_travel import rows_as_of

    assert stopped == rows_as_of(journal, Orders(), poison_of(journal) - 1)


def test_the_record_names_event_and_reason_and_the_alarm_rings_once(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    with capture_logs() as logs:
        projector = Projector(journal, [Spoiled("trade.order.filled"), Fills()])
        for _ in range(3):
            projector.catch_up()
        Projector(journal, [Spoiled("trade.order.filled"), Fills()]).catch_up()
    (parked,) = parked_views(journal).values()
    assert (parked.view, parked.position, parked.name) == ("orders", poison_of(journal), "trade.order.filled")
    assert parked.event_id == journal.read(parked.position - 1, 1)[0].envelope.event_id
    assert parked.reason == "ValueError: spoiled"
    (alarm,) = logs
    assert (alarm["log_level"], alarm["view"], alarm["position"]) == ("error", "orders", parked.position)


def test_new_events_reach_the_others_while_a_view_is_parked(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    projector = Projector(journal, [Spoiled("trade.order.filled"), Fills()])
    projector.catch_up()
    desk.done("buy", "1", "50")
    projector.catch_up()
    assert journal.views.cursor("fills", Fills.shape) == journal.head()
    assert journal.views.cursor("orders", Orders.shape) == poison_of(journal) - 1


def test_mended_code_goes_on_from_there_and_clears_the_record(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    Projector(journal, [Spoiled("trade.order.filled")]).catch_up()
    assert Projector(journal, ALL_VIEWS).catch_up() == journal.head()
    assert parked_views(journal) == {}
    caught_up = stored(journal)
    Projector(journal, ALL_VIEWS).rebuild()
    assert stored(journal) == caught_up


def test_a_running_projector_goes_on_after_somebody_rebuilt_the_view(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    view = Spoiled("trade.order.filled")
    projector = Projector(journal, [view])
    projector.catch_up()
    view.chokes = False
    Projector(journal, [Orders()]).rebuild()
    desk.done("buy", "1", "50")
    assert projector.catch_up() == journal.head()
    assert parked_views(journal) == {}


def test_two_poisoned_views_are_both_on_record(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal

    class Other(Spoiled):
        name = "other"
        shape = "other/1"

    told: list[Parked] = []
    Projector(journal, [Spoiled("trade.order.filled"), Other("trade.order.queued")], told.append).catch_up()
    assert parked_views(journal).keys() == {"orders", "other"} == {item.view for item in told}


def test_a_rebuild_stops_at_the_poison_too_and_says_so(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    Projector(journal, ALL_VIEWS).catch_up()
    before = dict(journal.views.rows("fills"))
    assert Projector(journal, [Spoiled("trade.order.filled"), Fills()]).rebuild() == poison_of(journal) - 1
    assert parked_views(journal).keys() == {"orders"}
    assert journal.views.cursor("orders", Orders.shape) == poison_of(journal) - 1
    assert dict(journal.views.rows("fills")) == before


def test_verification_says_which_event_and_why(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    view = Spoiled("trade.order.filled")
    monkeypatch.setattr("tradecore.verify.ALL_VIEWS", (view, Fills()))
    (finding,) = verify(journal).findings
    assert (finding.check, finding.subject) == ("views", "orders")
    assert f"position {poison_of(journal)}" in finding.message
    assert "spoiled" in finding.message
    view.chokes = False
    assert verify(journal).ok
    assert parked_views(journal) == {}


def test_a_damaged_record_is_no_worse_than_a_parked_view(desk: Desk) -> None:
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    journal.views.write(RESERVED, "parked/1", 0, 1, {"orders": b"nonsense"})
    assert "cannot be read" in str(parked_views(journal)["orders"])
    assert Projector(journal, ALL_VIEWS).catch_up() == journal.head()
    assert parked_views(journal) == {}


def test_no_view_may_have_the_name_of_the_records(desk: Desk) -> None:
    class Impostor(Fills):
        name = RESERVED

    with pytest.raises(AssertionError):
        Projector(desk.ledger.journal, [Impostor()])
