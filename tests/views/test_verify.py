"""Every kind of damage has a check that finds it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.ledger.desk import Desk
from tests.views.vandal import Vandal, rows_of, trade_for_an_hour
from tradecore.errors import NewerLedger
from tradecore.verify import verify
from tradecore.views import ALL_VIEWS
from tradecore.views.fills import Fills
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector


@pytest.fixture(params=[8_000, 3], autouse=True)
def at_hand(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in memory, and next to nothing."""
    monkeypatch.setattr("tradecore.journal.scratch.AT_HAND", request.param)


def test_an_honest_ledger_has_no_findings(vandal: Vandal) -> None:
    report = vandal.verify()
    assert report.ok
    assert report.findings == ()
    assert report.events > 50
    assert report.streams > 10


def test_an_edited_row_of_a_view_is_found_and_named(vandal: Vandal) -> None:
    vandal.run(
        """UPDATE tradecore_view_rows SET value = '{"qty":"1000"}' """ + rows_of("positions") + " AND key = 'main:QQQ'"
    )
    (finding,) = vandal.verify().findings
    assert (finding.check, finding.subject) == ("views", "positions main:QQQ")


def test_a_removed_row_of_a_view_is_found(vandal: Vandal) -> None:
    vandal.run("DELETE FROM tradecore_view_rows " + rows_of("balances"))
    assert vandal.found() == {"views"}


def test_an_invented_row_of_a_view_is_found(vandal: Vandal) -> None:
    vandal.run("INSERT INTO tradecore_view_rows SELECT slot, 'ghost', '{}' FROM tradecore_views WHERE view = 'orders'")
    (finding,) = vandal.verify().findings
    assert finding.subject == "orders ghost"
    assert "no event" in finding.message


def test_a_view_that_cannot_be_caught_up_is_found(vandal: Vandal) -> None:
    vandal.run("DELETE FROM tradecore_view_rows " + rows_of("orders"))
    vandal.run("UPDATE tradecore_views SET position = 10 WHERE view = 'orders'")
    assert any("cannot be caught up" in finding.message for finding in vandal.verify().findings)


def test_a_dropped_fill_is_found_in_the_order_and_in_the_sums(vandal: Vandal) -> None:
    vandal.run(
        "DELETE FROM events WHERE position = (SELECT min(position) FROM events WHERE topic = 'trade.fill.recorded')"
    )
    assert {"store", "positions", "fills", "cash", "views"} <= vandal.found()


def test_a_dropped_event_in_the_middle_of_a_stream_is_found(vandal: Vandal) -> None:
    vandal.run(
        "DELETE FROM events WHERE position = (SELECT min(position) FROM events WHERE topic = 'trade.order.queued')"
    )
    assert {"store", "positions", "versions"} <= vandal.found()


def test_a_swapped_order_of_events_is_found(vandal: Vandal) -> None:
    vandal.run("UPDATE events SET position = 100000 WHERE topic = 'account.identity.pinned'")
    assert "positions" in vandal.found()


@pytest.mark.parametrize(
    ("name", "old", "new", "checks"),
    [
        ("trade.fill.recorded", '"quantity":"10"', '"quantity":"11"', {"fills", "positions", "cash", "views"}),
        ("trade.fill.recorded", '"price":"50.25"', '"price":"50.24"', {"fills", "cash", "views"}),
        ("trade.fill.recorded", '"side":"buy"', '"side":"sell"', {"positions", "cash", "views"}),
        ("trade.order.filled", '"filled_qty":"10"', '"filled_qty":"9"', {"fills", "views"}),
        ("trade.order.filled", '"price":"50.25"', '"price":"50.26"', {"fills", "views"}),
        ("trade.order.planned", '"quantity":"10"', '"quantity":"100"', {"orders", "views"}),
        ("trade.order.planned", '"client_order_id":"tc-', '"client_order_id":"tx-', {"client order ids", "views"}),
        ("trade.position.opened", '"price":"50.25"', '"price":"50.26"', {"booking"}),
        ("trade.position.opened", '"cash_delta":"-502.50"', '"cash_delta":"502.50"', {"booking", "cash", "views"}),
        ("trade.position.opened", '"quantity_after":"10"', '"quantity_after":"11"', {"booking", "fold"}),
        ("trade.position.closed", '"realised_pnl":"', '"realised_pnl":"1', {"booking", "views"}),
        ("trade.position.closed", '"entry_price":"50.25"', '"entry_price":"50.2"', {"booking"}),
        ("trade.trade.filled", '"open_qty":"10"', '"open_qty":"12"', {"booking"}),
        ("account.identity.pinned", '"cash":"10000"', '"cash":"10001"', {"views"}),
        ("account.reservation.made", '"quantity":"10"', '"quantity":"12"', {"reservations"}),
        ("account.reservation.released", '"quantity":"5"', '"quantity":"4"', {"reservations"}),
        ("system.ledger.created", '"epoch":"0a1b2c3d"', '"epoch":"0a1b2c3e"', {"client order ids"}),
    ],
)
def test_a_changed_word_or_number_in_an_event_is_found(
    vandal: Vandal, name: str, old: str, new: str, checks: set[str]
) -> None:
    vandal.edit(name, old, new)
    assert checks <= vandal.found()


@pytest.mark.parametrize(
    ("field", "value", "check"),
    [("trace", "00", "traces"), ("cause", "nobody", "causation"), ("id", "another", "causation")],
)
def test_a_changed_envelope_is_found(vandal: Vandal, field: str, value: str, check: str) -> None:
    vandal.run(
        f"UPDATE events SET state = CAST(json_set(CAST(state AS TEXT), '$.{field}', '{value}') AS BLOB) "
        "WHERE position = (SELECT min(position) FROM events WHERE topic = 'account.reservation.made')"
    )
    assert check in vandal.found()


def test_an_event_id_that_was_used_twice_is_found(vandal: Vandal) -> None:
    vandal.run(
        "UPDATE events SET state = CAST(json_set(CAST(state AS TEXT), '$.id', "
        "(SELECT json_extract(CAST(state AS TEXT), '$.id') FROM events WHERE position = 2)) AS BLOB) WHERE position = 3"
    )
    assert "event ids" in vandal.found()


def test_a_log_that_cannot_be_read_is_a_finding_and_not_a_crash(vandal: Vandal) -> None:
    vandal.run("UPDATE events SET state = 'nonsense' WHERE position = 20")
    assert vandal.found() == {"store", "chain", "log"}


def test_an_event_of_a_later_release_is_an_error_and_not_a_finding(vandal: Vandal) -> None:
    vandal.run("UPDATE events SET topic = 'trade.order.teleported' WHERE position = 20")
    with pytest.raises(NewerLedger):
        vandal.verify()


def test_a_reservation_that_was_never_released_is_found(vandal: Vandal) -> None:
    vandal.edit("account.reservation.released", '"order_id":"', '"order_id":"x')
    assert "reservations" in vandal.found()


def test_a_view_that_a_runner_moves_meanwhile_is_no_finding(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the log and reading the rows, and between two pages of rows."""
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    page = journal.views.page
    asked: list[str] = []

    def moved(view: str, behind: str | None, limit: int) -> Sequence[tuple[str, bytes]]:
        asked.append(view)
        if asked.count(view) < 4:
            desk.done("buy", "1", "50")
            Projector(journal, kept_views(journal)).catch_up()
        return page(view, behind, 2)

    monkeypatch.setattr(journal.views, "page", moved)
    assert verify(journal).findings == ()
    assert len(asked) > 20


def test_of_very_many_findings_only_the_first_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradecore.verify.findings._MOST", 3)
    trade_for_an_hour(desk)
    journal = desk.ledger.journal
    Projector(journal, ALL_VIEWS).catch_up()
    rows = {f"ghost {number}": b"{}" for number in range(9)}
    journal.views.replace("fills", Fills.shape, journal.head(), rows)
    findings = verify(journal).findings
    assert [finding.subject.partition(" ")[0] for finding in findings] == ["fills", "fills", "fills", "ledger"]
    assert "more of these" in findings[-1].message
