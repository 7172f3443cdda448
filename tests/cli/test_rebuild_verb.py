"""`tradecore rebuild`: views anew from the log, and what becomes of those that stop."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.views.vandal import Vandal, rows_of, trade_for_an_hour
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.views.orders import Orders
from tradecore.views.view import Rows


@pytest.fixture
def vandal(terminal: Terminal) -> Vandal:
    terminal.trade(trade_for_an_hour)
    assert terminal.run("verify").code == 0
    return Vandal(terminal.path)


def test_every_view_is_built_anew(terminal: Terminal, vandal: Vandal) -> None:
    vandal.run("UPDATE tradecore_view_rows SET value = 'nonsense'")
    assert terminal.run("verify").code == 1
    names = [row["view"] for row in terminal.json("rebuild")]
    assert names[:2] == ["orders", "trades"]
    assert names[-1] == "snapshots"
    assert terminal.run("verify").code == 0


def test_one_view_can_be_named_and_the_others_stay(terminal: Terminal, vandal: Vandal) -> None:
    vandal.run("UPDATE tradecore_view_rows SET value = 'nonsense' " + rows_of("orders", "fills"))
    (row,) = terminal.json("rebuild", "orders")
    assert row["view"] == "orders"
    assert row["stopped"] is None
    said = terminal.run("verify", "--json")
    assert {finding["subject"].split()[0] for finding in said.objects} == {"fills"}


def test_an_unknown_view_is_refused(terminal: Terminal, vandal: Vandal) -> None:
    said = terminal.run("rebuild", "odours")
    assert said.code == 2
    assert "one of orders" in said.err


def test_a_view_that_stops_is_said_by_rebuild_by_its_list_and_by_verify(terminal: Terminal, vandal: Vandal) -> None:
    apply = Orders.apply

    def choke(self: Orders, rows: Rows, recorded: Recorded[Event]) -> None:
        if recorded.envelope.name == "trade.order.filled":
            raise KeyError("spoiled")
        apply(self, rows, recorded)

    with pytest.MonkeyPatch.context() as spoiling:
        spoiling.setattr(Orders, "apply", choke)
        said = terminal.run("rebuild", "--json")
        assert said.code == 1
        (stopped,) = [row for row in said.objects if row["stopped"]]
        assert stopped["view"] == "orders"
        assert "trade.order.filled" in stopped["stopped"]
        listed = terminal.run("orders", "--json")
        assert listed.code == 0
        assert listed.err.startswith("warning: view orders stopped")
        assert terminal.run("fills", "--json").err == ""
        assert any("spoiled" in finding["message"] for finding in terminal.run("verify", "--json").objects)
    assert terminal.run("orders", "--json").err == ""
    assert terminal.run("verify").code == 0
