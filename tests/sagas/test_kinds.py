"""Each kind of saga: the way that goes well, every way that does not, and a restart at every step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from tests.sagas.stage import SAGA, Stage
from tradecore.domain.identity import leg_order_id
from tradecore.domain.messages import Cause
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import OrderClass, OrderStatus, OrderType, Purpose, SagaStatus
from tradecore.errors import InputError
from tradecore.journal import open_journal

SIGNAL = {"symbol": "SPY", "side": "buy", "quantity": "10", "strategy": "test", "reference_price": "100"}
DONE, FAILED, MANUAL = SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.MANUAL


@pytest.fixture(params=[False, True], ids=["one process", "a restart at every step"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with closing(open_journal("memory:")) as journal:
        yield Stage.over(journal, restarts=request.param)


# --- signal to execution --------------------------------------------------------------------------------------------


def test_a_signal_becomes_an_order_and_a_fill(stage: Stage) -> None:
    stage.start("signal_execution", SIGNAL)
    (order,) = stage.orders()
    assert stage.status() is SagaStatus.RUNNING
    stage.works(order)
    assert stage.look().status is SagaStatus.RUNNING
    stage.desk.fill(order, "10", "100")
    assert (stage.look().status, stage.saga.outcome) == (DONE, "filled 10")
    assert stage.conductor.live == ()


def test_a_signal_that_the_gate_refuses_leaves_nothing_behind(stage: Stage) -> None:
    stage.desk.limit(qty="5")
    stage.start("signal_execution", SIGNAL)
    assert stage.look().status is FAILED
    assert stage.orders() == []
    assert stage.desk.ledger.account("main").reservations == {}


def test_what_is_not_filled_in_time_is_withdrawn(stage: Stage) -> None:
    stage.start("signal_execution", SIGNAL)
    (order,) = stage.orders()
    stage.works(order)
    assert stage.look(119).status is SagaStatus.RUNNING
    assert stage.look(2).status is SagaStatus.COMPENSATING
    stage.canceled(order)
    assert (stage.look().status, stage.saga.outcome) == (FAILED, "the order is canceled without a fill")


def test_a_part_that_was_filled_before_the_withdrawal_counts(stage: Stage) -> None:
    stage.start("signal_execution", SIGNAL)
    (order,) = stage.orders()
    stage.works(order)
    stage.desk.fill(order, "4", "100")
    stage.look(121)
    stage.canceled(order, filled="4")
    assert (stage.look().status, stage.saga.outcome) == (DONE, "filled 4 in part, canceled")


def test_a_withdrawal_that_the_broker_never_confirms_is_for_a_person(stage: Stage) -> None:
    stage.start("signal_execution", SIGNAL)
    (order,) = stage.orders()
    stage.works(order)
    assert stage.look(121).status is SagaStatus.COMPENSATING
    assert stage.look(59).status is SagaStatus.COMPENSATING
    assert stage.look(2).status is MANUAL
    alerts = [one for one in stage.desk.ledger.journal.read(0, 1000) if one.envelope.name == "system.alert.triggered"]
    assert len(alerts) == 1


def test_a_signal_found_after_its_time_places_nothing(stage: Stage) -> None:
    stage.conductor.start(SAGA, "signal_execution", SIGNAL, Cause(stage.desk.ids.trace_id(), actor="test"))
    assert stage.look(121).status is FAILED
    assert stage.orders() == []


def test_beginning_again_under_the_same_id_is_the_same_saga(stage: Stage) -> None:
    stage.start("signal_execution", SIGNAL)
    stage.start("signal_execution", SIGNAL)
    assert len(stage.orders()) == 1


# --- order execution ------------------------------------------------------------------------------------------------


def test_an_order_that_nobody_delivers_is_withdrawn(stage: Stage) -> None:
    order = stage.desk.place("buy", "10")
    stage.start("order_execution", {"order_id": order})
    assert stage.look(61).status is FAILED, "it never left, so its withdrawal is its end"
    assert stage.desk.order(order).status is OrderStatus.CANCELED


def test_an_order_that_does_not_exist_fails_at_once(stage: Stage) -> None:
    assert stage.start("order_execution", {"order_id": SAGA}).status is FAILED


# --- position close -------------------------------------------------------------------------------------------------


def bracket(stage: Stage) -> tuple[str, str, str]:
    """A filled bracket of 10 with its legs working; returns its trade, take-profit and stop-loss."""
    entry = stage.desk.place(
        "buy", "10", order_class=OrderClass.BRACKET, take_profit=TakeProfit(Decimal(120)),
        stop_loss=StopLoss(Decimal(90)),
    )  # fmt: skip
    stage.works(entry)
    legs = tuple(leg_order_id(entry, leg) for leg in ("take_profit", "stop_loss"))
    for leg in legs:
        stage.desk.report(leg, "held")
    stage.desk.fill(entry, "10", "100")
    stage.desk.report(legs[0], "new", at=1)
    return stage.desk.order(entry).trade_id, *legs  # type: ignore[return-value]


def test_the_legs_go_first_and_then_the_position(stage: Stage) -> None:
    trade, profit, loss = bracket(stage)
    stage.start("position_close", {"trade_id": trade, "reference_price": "100"})
    assert stage.desk.order(profit).cancel_requested
    assert stage.desk.order(loss).cancel_requested
    assert stage.orders(purpose=Purpose.CLOSE) == [], "the broker still holds the units for the legs"
    stage.canceled(profit)
    stage.look()
    assert stage.orders(purpose=Purpose.CLOSE) == []
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    stage.desk.fill(close, "10", "101", fees="0.5")
    assert stage.look().status is DONE
    assert stage.saga.outcome == "closed; realised 9.5 after fees of 0.5"
    assert stage.desk.ledger.account("main").position("SPY").quantity == 0


def test_a_close_that_is_rejected_arms_the_protection_again(stage: Stage) -> None:
    trade, profit, loss = bracket(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    stage.desk.report(close, "rejected", at=2)
    assert stage.look().status is SagaStatus.COMPENSATING
    protection = stage.desk.order(stage.orders(purpose=Purpose.PROTECT)[-1])
    assert (protection.order_type, protection.stop_price, protection.quantity) == (
        OrderType.STOP,
        Decimal(90),
        Decimal(10),
    )
    stage.works(protection.order_id)
    assert (stage.look().status, stage.saga.outcome) == (FAILED, "not closed; its protection is armed again")


def test_protection_that_cannot_be_armed_is_for_a_person(stage: Stage) -> None:
    trade, profit, loss = bracket(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.canceled(loss)
    stage.look()
    (close,) = stage.orders(purpose=Purpose.CLOSE)
    stage.works(close)
    stage.desk.report(close, "rejected", at=2)
    stage.look()
    protection = stage.orders(purpose=Purpose.PROTECT)[-1]
    stage.works(protection)
    stage.desk.report(protection, "rejected", at=3)
    assert stage.look().status is MANUAL


def test_a_stop_that_fills_while_it_is_withdrawn_closes_the_position_itself(stage: Stage) -> None:
    trade, profit, loss = bracket(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    stage.desk.fill(loss, "10", "90")
    assert stage.look().status is DONE
    assert stage.orders(purpose=Purpose.CLOSE) == [], "nothing is sold twice"
    assert stage.desk.ledger.account("main").position("SPY").quantity == 0


def test_legs_that_cannot_be_withdrawn_are_never_doubled(stage: Stage) -> None:
    trade, profit, _ = bracket(stage)
    stage.start("position_close", {"trade_id": trade})
    stage.canceled(profit)
    assert stage.look(61).status is SagaStatus.RUNNING
    assert stage.look(60).status is MANUAL
    assert len(stage.orders(purpose=Purpose.PROTECT)) == 2, "the legs, and no other stop beside them"
    assert stage.orders(purpose=Purpose.CLOSE) == []


def test_a_flat_trade_has_nothing_to_close(stage: Stage) -> None:
    order = stage.desk.done("buy", "10", "100")
    stage.desk.done("sell", "10", "101")
    assert stage.start("position_close", {"trade_id": stage.desk.order(order).trade_id}).status is FAILED


# --- rebalance ------------------------------------------------------------------------------------------------------

TARGETS = {
    "strategy": "test",
    "targets": "AAPL=0.5 MSFT=0.25 SPY=0",
    "prices": "AAPL=100 MSFT=33 SPY=50",
    "equity": "10000",
}


def test_sales_come_before_purchases_and_units_are_whole(stage: Stage) -> None:
    stage.desk.done("buy", "40", "50", "SPY")
    stage.start("rebalance", TARGETS)
    (sale,) = stage.orders()[1:]
    assert (stage.desk.order(sale).symbol, stage.desk.order(sale).quantity) == ("SPY", Decimal(40))
    stage.works(sale)
    assert len(stage.look().step) > 0
    assert len(stage.orders()) == 2, "purchases wait for the sales"
    stage.desk.fill(sale, "40", "50")
    stage.look()
    purchases = [stage.desk.order(one) for one in stage.orders()[2:]]
    assert {one.symbol: one.quantity for one in purchases} == {"AAPL": 50, "MSFT": 75}
    for one in purchases:
        stage.works(one.order_id)
        stage.desk.fill(one.order_id, str(one.quantity), "100")
    assert (stage.look().status, stage.saga.outcome) == (DONE, "whole: SPY -40 of -40, AAPL 50 of 50, MSFT 75 of 75")


@pytest.mark.parametrize("sold", ["0", "15"])
def test_nothing_is_bought_when_a_sale_failed(stage: Stage, sold: str) -> None:
    stage.desk.done("buy", "40", "50", "SPY")
    stage.start("rebalance", TARGETS)
    (sale,) = stage.orders()[1:]
    stage.works(sale)
    if sold != "0":
        stage.desk.fill(sale, sold, "50")
    stage.desk.report(sale, "canceled", sold, at=1)  # by the market
    stage.look()
    assert len(stage.orders()) == 2
    reached = "-15" if sold == "15" else "0"
    assert stage.saga.outcome == f"in part: SPY {reached} of -40, AAPL 0 of 50, MSFT 0 of 75"


def test_what_was_not_reached_is_said(stage: Stage) -> None:
    stage.start("rebalance", TARGETS)
    apple, microsoft = stage.orders()
    stage.works(apple)
    stage.works(microsoft)
    stage.desk.fill(apple, "20", "100")
    assert stage.look(301).status is SagaStatus.COMPENSATING
    stage.canceled(apple, filled="20")
    stage.canceled(microsoft)
    assert (stage.look().status, stage.saga.outcome) == (DONE, "in part: AAPL 20 of 50, MSFT 0 of 75")


def test_nothing_reached_is_a_failure(stage: Stage) -> None:
    stage.desk.limit(qty="1")
    stage.start("rebalance", TARGETS)
    assert (stage.look().status, stage.saga.outcome) == (FAILED, "in part: AAPL 0 of 50, MSFT 0 of 75")


def test_what_is_within_the_band_is_left_alone(stage: Stage) -> None:
    stage.desk.done("buy", "49", "100", "AAPL")
    stage.desk.done("buy", "75", "33", "MSFT")
    assert stage.start("rebalance", TARGETS).outcome == "every weight is within its band"
    assert len(stage.orders()) == 2


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("nonsense", {}, "kind"),
        ("signal_execution", {"symbol": "spy"}, "symbol"),
        ("signal_execution", {"side": "long"}, "side"),
        ("signal_execution", {"quantity": "0"}, "quantity"),
        ("signal_execution", {"strategy": ""}, "strategy"),
        ("order_execution", {}, "order_id"),
        ("position_close", {}, "trade_id"),
        ("rebalance", {"targets": "AAPL"}, "targets"),
        ("rebalance", {"targets": "AAPL=0.7 MSFT=0.7", "prices": "AAPL=1 MSFT=1"}, "targets"),
        ("rebalance", {"targets": "AAPL=2"}, "targets of AAPL"),
        ("rebalance", {"targets": "AAPL=0.5", "prices": ""}, "prices of AAPL"),
        ("rebalance", {"targets": "AAPL=0.5", "prices": "AAPL=1", "equity": "0"}, "equity"),
        ("rebalance", {"targets": "AAPL=0.5", "prices": "AAPL=1", "equity": "1", "band": "2"}, "band"),
    ],
)
def test_terms_that_make_no_saga_are_refused_by_name_and_nothing_begins(
    stage: Stage, kind: str, changes: dict[str, str], field: str
) -> None:
    base = {"signal_execution": SIGNAL, "rebalance": {"strategy": "test"}}.get(kind, {})
    with pytest.raises(InputError) as refused:
        stage.start(kind, base | changes)
    assert refused.value.field == field
    assert stage.desk.ledger.saga(SAGA) is None
