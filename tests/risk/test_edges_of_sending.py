"""Edges of sending: what is asked before an order leaves and when its turn has come, and the gate of new risk."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import Purpose, Side, TradingState
from tradecore.gate import Gate
from tradecore.outbox.leave import Leave
from tradecore.runner.halt_file import find_halt_file

D = Decimal
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def desk() -> Desk:
    desk = Desk.in_memory()
    desk.pin()
    return desk


def leave(desk: Desk) -> Leave:
    return Leave(desk.ledger, desk.clock, "main")


def ordered(desk: Desk, side: str = "buy", qty: str = "1", purpose: Purpose = Purpose.TRADE) -> OrderState:
    return desk.order(desk.place(side, qty, purpose=purpose))


# --- when its turn has come -----------------------------------------------------------------------------------------


def test_an_order_leaves_up_to_the_last_moment_of_its_time(desk: Desk) -> None:
    order = ordered(desk)
    desk.clock.at += 30 * SECOND
    assert leave(desk).veto(order.order_id) is None
    desk.clock.at += SECOND
    assert leave(desk).veto(order.order_id) == "its time to be sent passed while it waited"


def test_what_was_canceled_meanwhile_does_not_leave(desk: Desk) -> None:
    order = ordered(desk)
    desk.send(order.order_id)
    desk.give(cmd.CancelOrder(order.order_id, "changed our minds"))
    assert leave(desk).veto(order.order_id) == "it was canceled while it waited"


def test_while_everything_is_canceled_only_what_closes_or_protects_leaves(desk: Desk) -> None:
    desk.done("buy", "10", "5")
    desk.give(cmd.RequestKill("main", "a drill"))
    trade, protecting = ordered(desk, "sell"), ordered(desk, "sell", "5", Purpose.PROTECT)
    told = [leave(desk).veto(order.order_id) for order in (trade, protecting)]
    assert told == ["everything that works for the account is being canceled", None]
    desk.give(cmd.StartKill("main", "lease"))
    desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    assert leave(desk).veto(trade.order_id) is None, "the kill is over"


def test_a_kill_of_another_account_is_none_of_this_one(desk: Desk) -> None:
    order = ordered(desk)
    desk.give(cmd.RequestKill("other", "a drill"))
    assert leave(desk).veto(order.order_id) is None


def test_refusals_holds_and_stops_are_asked_in_this_order(desk: Desk) -> None:
    order, asked = ordered(desk), leave(desk)
    desk.give(cmd.ActivateKillSwitch("main", TradingState.REDUCE_ONLY, "manual", "a drill", "test"))
    assert asked.veto(order.order_id) == "trading is stopped: the account is reduce_only"
    asked.halt = lambda: "the file is there"
    assert asked.veto(order.order_id) == asked.stopped(order) == "the file is there"
    asked.hold = lambda _: "held"
    assert asked.veto(order.order_id) == "held"
    asked.refusal = lambda _: "refused"
    assert asked.veto(order.order_id) == asked.given_up(order) == "refused"


def test_a_halt_without_the_ledger_lets_pass_what_closes(desk: Desk) -> None:
    desk.done("buy", "10", "5")
    closing, asked = ordered(desk, "sell", "5", Purpose.CLOSE), leave(desk)
    asked.halt = lambda: "the file is there"
    assert asked.given_up(closing) is asked.stopped(closing) is asked.veto(closing.order_id) is None
    assert asked.given_up(ordered(desk)) == "the file is there"


# --- before it is sent ----------------------------------------------------------------------------------------------


def test_an_order_that_is_held_waits_for_what_is_left_of_its_time(desk: Desk) -> None:
    order, asked = ordered(desk), leave(desk)
    assert asked.seconds_to_wait(order) is None, "nothing holds it"
    asked.hold = lambda _: "held"
    assert asked.seconds_to_wait(order) == 30
    desk.clock.at += 30 * SECOND
    assert asked.seconds_to_wait(order) == 0
    desk.clock.at += SECOND
    assert asked.seconds_to_wait(order) is None, "it is late, and ends"


def test_an_order_that_nobody_wants_any_more_does_not_wait(desk: Desk) -> None:
    order, asked = ordered(desk), leave(desk)
    asked.hold = lambda _: "held"
    asked.refusal = lambda _: "refused"
    assert asked.seconds_to_wait(order) is None
    asked.refusal = lambda _: None
    desk.send(order.order_id)
    desk.give(cmd.CancelOrder(order.order_id, "changed our minds"))
    assert asked.seconds_to_wait(desk.order(order.order_id)) is None


# --- the gate of new risk -------------------------------------------------------------------------------------------


def test_the_gate_is_closed_for_every_reason_until_each_is_gone() -> None:
    gate, opened = Gate(), []
    gate.opened = lambda: opened.append(gate.reasons)
    gate.close("a", "one")
    gate.close("b", "two", withdraws=True)
    gate.close("a", "another one")
    assert (gate.reasons, gate.is_closed_for("a"), gate.is_closed_for("c")) == (("another one", "two"), True, False)
    gate.open("c")
    assert opened == []
    gate.open("b")
    gate.open("a")
    assert opened == [("another one",), ()]


def test_what_adds_risk_waits_and_is_given_up_only_for_some_reasons(desk: Desk) -> None:
    desk.done("buy", "10", "5")
    gate, order = Gate(), ordered(desk)
    assert gate.holds(desk.account, order) is gate.withdraws(desk.account, order) is None
    gate.close("a", "one")
    assert (gate.holds(desk.account, order), gate.withdraws(desk.account, order)) == ("one", None)
    gate.close("b", "two", withdraws=True)
    gate.close("c", "three", withdraws=True)
    assert gate.holds(desk.account, order) == "one; two; three"
    assert gate.withdraws(desk.account, order) == "two; three"
    gate.open("b")
    gate.open("c")
    assert gate.withdraws(desk.account, order) is None


@pytest.mark.parametrize(
    ("side", "qty", "purpose", "passes"),
    [
        ("sell", "4", Purpose.TRADE, True),
        ("sell", "4.000000001", Purpose.TRADE, False),
        ("sell", "10", Purpose.PROTECT, True),
        ("sell", "10", Purpose.CLOSE, True),
        ("sell", "10.000000001", Purpose.PROTECT, False),
        ("buy", "1", Purpose.PROTECT, False),
    ],
)
def test_what_takes_risk_away_passes_a_closed_gate(
    desk: Desk, side: str, qty: str, purpose: Purpose, passes: bool
) -> None:
    """10 are held, and 6 of them are being sold."""
    desk.done("buy", "10", "5")
    desk.live("sell", "6", limit="9")
    order = ordered(desk, side, qty, purpose)
    gate = Gate()
    gate.close("a", "one", withdraws=True)
    assert (gate.holds(desk.account, order) is None) is passes
    assert (gate.withdraws(desk.account, order) is None) is passes


@pytest.mark.parametrize(("qty", "passes"), [("4", True), ("4.000000001", False)])
def test_so_it_does_before_it_is_placed(desk: Desk, qty: str, passes: bool) -> None:
    desk.done("buy", "10", "5")
    desk.live("sell", "6", limit="9")
    gate = Gate()
    gate.close("a", "one")
    gate.close("b", "two")
    why = gate.refuses(desk.account, "test", "SPY", Side.SELL, D(qty))
    assert why == (None if passes else "one; two")


def test_what_another_strategy_holds_against_it_is_not_elsewhere(desk: Desk) -> None:
    """One may go home while the account is flat; that opens the other side only for the account."""
    desk.done("buy", "10", "5", strategy="one")
    desk.done("sell", "10", "5", strategy="other")
    assert Gate().refuses(desk.account, "one", "SPY", Side.SELL, D(10)) is None


@pytest.mark.parametrize(
    ("external", "taken_over", "side", "qty", "is_refused"),
    [
        ("0", "0", "sell", "10", False),
        ("-10", "0", "sell", "10", True),
        ("-10", "0", "sell", "11", False),
        ("-10", "0", "buy", "1", False),
        ("0", "-10", "sell", "10", True),
        ("-10", "10", "sell", "10", False),
        ("5", "0", "sell", "10", False),
    ],
)
def test_a_strategy_does_not_sell_what_somebody_sold_elsewhere(
    desk: Desk, external: str, taken_over: str, side: str, qty: str, is_refused: bool
) -> None:
    """A strategy holds 10 by its trades. More than that opens the other side, which is for the limits to judge."""
    desk.done("buy", "10", "5")
    if D(external):
        desk.done("buy" if D(external) > 0 else "sell", external.lstrip("-"), "5", strategy="external")
    if D(taken_over):
        desk.give(cmd.BookAdjustment("main", "difference-1", "SPY", D(taken_over), D(5), D(0), "sold elsewhere"))
    why = Gate().refuses(desk.account, "test", "SPY", Side(side), D(qty))
    assert (why is not None) is is_refused


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_ledger_without_a_place_of_its_own_heeds_the_file_that_is_named(tmp_path: Path) -> None:
    assert find_halt_file("memory:", "")() is None
    assert find_halt_file("memory:", "").path is None
    named = find_halt_file("memory:", str(tmp_path / "stop"))
    assert named() is None
    (tmp_path / "stop").touch()
    assert named() == f"the file {tmp_path / 'stop'} is there"
    (tmp_path / "stop").unlink()
    (tmp_path / "stop").symlink_to(tmp_path / "nowhere")
    assert named() is not None, "whatever it is"
    gone = find_halt_file("memory:", str(tmp_path / "gone" / "stop"))
    assert gone() == f"the halt file cannot be looked at: there is no {tmp_path / 'gone'}"
    own = find_halt_file(f"sqlite:///{tmp_path}/ledger.db", "")
    assert own.path == tmp_path / "ledger.db.halt"
    stop_by_both = find_halt_file(f"sqlite:///{tmp_path}/ledger.db", str(tmp_path / "named"))
    assert stop_by_both.path == tmp_path / "named"
