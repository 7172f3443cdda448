"""How trades are left: every rule at its price, one step away from it, over restarts, and never by two at once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from tests.delivery.rig import Rig, open_rig
from tests.ledger.desk import NOON, Desk
from tests.risk.test_wired import found
from tests.sagas.stage import Stage
from tradecore.domain import commands as cmd
from tradecore.domain.events import ExitFired, ExitRaised, ExitsArmed, SagaStarted
from tradecore.domain.exit_plan import Entry, ExitPlan, ExitRule, Keeper, Rung, check_plan, legs_at_broker
from tradecore.domain.exits import ExitState, Held, Seen, next_exit
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderType, Purpose, Side, TimeInForce
from tradecore.errors import InputError
from tradecore.exiting import Exits
from tradecore.journal import open_journal
from tradecore.proposing import with_exits
from tradecore.sagas.conductor import Conductor
from tradecore.settings import load_settings

D = Decimal
LONG, SHORT = Held(D(10), D(100), NOON), Held(D(-10), D(100), NOON)


def plan(**terms: Any) -> ExitPlan:
    told: dict[str, Any] = {name: D(value) if isinstance(value, str) else value for name, value in terms.items()}
    return ExitPlan(**told)


def state_of(planned: ExitPlan, **known: Any) -> ExitState:
    return attrs.evolve(ExitState("t", "main", "SPY", "o", planned, Keeper.ENGINE), **known)


def seen(low: str, high: str, seconds: float = 60) -> Seen:
    return Seen(D(high), D(low), NOON + dt.timedelta(seconds=seconds))


def outcome(state: ExitState, held: Held, low: str, high: str) -> Any:
    wanted = next_exit(state, held, bar := seen(low, high), bar.until)
    match wanted:
        case cmd.FireExit():
            return (wanted.rule.value, wanted.quantity)
        case cmd.RaiseExit():
            return (wanted.rule.value, wanted.level)
        case _:
            return None


U = "0.000000001"


@pytest.mark.parametrize(
    ("planned", "known", "held", "low", "high", "expected"),
    [
        (plan(stop_loss="0.02"), {}, LONG, "98", "101", ("stop_loss", D(10))),
        (plan(stop_loss="0.02"), {}, LONG, "98.000000001", "101", None),
        (plan(stop_loss="0.02"), {}, SHORT, "99", "102", ("stop_loss", D(10))),
        (plan(stop_loss="0.02"), {}, SHORT, "99", "101.999999999", None),
        (plan(trail="0.05"), {}, LONG, "101", "105", ("trail", D("99.75"))),
        (plan(trail="0.05"), {}, LONG, "101", "104.999999999", None),
        (plan(trail="0.05"), {"level": D("99.75")}, LONG, "101", "105", None),
        (plan(trail="0.05"), {"level": D("99.75")}, LONG, "101", "106", ("trail", D("100.70"))),
        (plan(trail="0.05"), {"level": D("99.75"), "raised_by": ExitRule.TRAIL}, LONG, "99.75", "106",
         ("trail", D(10))),
        (plan(trail="0.05"), {}, SHORT, "95", "99", ("trail", D("99.75"))),
        (plan(trail="0.05"), {"level": D("99.75"), "raised_by": ExitRule.TRAIL}, SHORT, "95", "99.75",
         ("trail", D(10))),
        (plan(break_even="0.03"), {}, LONG, "100", "103", ("break_even", D(100))),
        (plan(break_even="0.03"), {}, LONG, "100", "102.999999999", None),
        (plan(break_even="0.03", stop_loss="0.02"), {"level": D(100), "raised_by": ExitRule.BREAK_EVEN}, LONG, "100",
         "110", ("break_even", D(10))),
        (plan(break_even="0.03", trail="0.05"), {}, LONG, "101", "105", ("break_even", D(100))),
        (plan(break_even="0.03", trail="0.05"), {}, LONG, "101", "106", ("trail", D("100.70"))),
        (plan(ladder=(Rung(D("0.05"), D("0.33")), Rung(D("0.1"), D("0.67")))), {}, LONG, "100", "105",
         ("take_profit", D(4))),
        (plan(ladder=(Rung(D("0.05"), D("0.33")),)), {}, LONG, "100", "104.999999999", None),
        (plan(ladder=(Rung(D("0.05"), D("0.33")), Rung(D("0.1"), D("0.67")))), {"rungs": 1, "entered": D(10)},
         Held(D(6), D(100), NOON), "100", "110", ("take_profit", D(6))),
        (plan(ladder=(Rung(D("0.05"), D(1)),)), {"rungs": 1}, LONG, "100", "110", None),
        (plan(ladder=(Rung(D("0.05"), D("0.5")),)), {}, SHORT, "95", "99", ("take_profit", D(5))),
        (plan(ladder=(Rung(D("0.05"), D("0.5")),)), {}, Held(D("0.5"), D(100), NOON), "99", "105",
         ("take_profit", D("0.25"))),
        (plan(stop_loss="0.02", ladder=(Rung(D("0.05"), D(1)),)), {}, LONG, "98", "105", ("stop_loss", D(10))),
    ],
)  # fmt: skip
def test_a_rule_acts_at_its_price_and_not_a_step_before(
    planned: ExitPlan, known: dict[str, Any], held: Held, low: str, high: str, expected: Any
) -> None:
    assert outcome(state_of(planned, **known), held, low, high) == expected


def test_a_trade_is_held_no_longer_than_it_may_be() -> None:
    state = state_of(plan(max_holding_s="3600"))
    almost, over = NOON + dt.timedelta(seconds=3599.999), NOON + dt.timedelta(seconds=3600)
    assert next_exit(state, LONG, None, almost) is None
    fired = next_exit(state, LONG, None, over)
    assert isinstance(fired, cmd.FireExit)
    assert (fired.rule, fired.quantity) == (ExitRule.MAX_HOLDING, D(10))


def test_what_the_broker_keeps_the_engine_leaves_alone_but_for_the_time() -> None:
    state = state_of(plan(stop_loss="0.02", max_holding_s="60"), keeper=Keeper.BROKER)
    assert outcome(state, LONG, "1", "100") == ("max_holding", D(10))
    assert outcome(attrs.evolve(state, plan=plan(stop_loss="0.02")), LONG, "1", "100") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"stop_loss": "0"},
        {"stop_loss": "1"},
        {"stop_loss": "-0.1"},
        {"trail": "NaN"},
        {"trail": "0.1", "trail_arm": "-1"},
        {"max_holding_s": "-1"},
        {"break_even": "-0.1"},
        {"ladder": (Rung(D("0.1"), D("0.5")), Rung(D("0.1"), D("0.5")))},
        {"ladder": (Rung(D("0.1"), D("0.5")), Rung(D("0.2"), D("0.500000001")))},
        {"ladder": (Rung(D("0.1"), D(0)),)},
    ],
)
def test_plans_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="exits"):
        check_plan(plan(**wrong))


# --- who keeps them -------------------------------------------------------------------------------------------------

ENTRY = Entry(
    "SPY", Side.BUY, D(10), OrderType.MARKET, OrderClass.SIMPLE, TimeInForce.GTC, Purpose.TRADE, False, D(100)
)
BOTH = plan(stop_loss="0.02", ladder=(Rung(D("0.05"), D(1)),))


def test_a_stop_and_a_target_become_legs_where_the_broker_can_hold_them() -> None:
    legs = legs_at_broker(ENTRY, BOTH)
    assert legs is not None
    assert (legs.order_class, legs.take_profit, legs.stop_loss) == (
        OrderClass.BRACKET,
        TakeProfit(D("105.00")),
        StopLoss(D("98.00"), None),
    )
    short = legs_at_broker(attrs.evolve(ENTRY, side=Side.SELL), BOTH)
    assert short is not None
    assert (short.take_profit, short.stop_loss) == (TakeProfit(D("95.00")), StopLoss(D("102.00"), None))
    alone = legs_at_broker(ENTRY, plan(stop_loss="0.02", max_holding_s="60"))
    assert alone is not None
    assert (alone.order_class, alone.take_profit) == (OrderClass.OTO, None)
    cheap = legs_at_broker(attrs.evolve(ENTRY, price=D("0.5")), plan(stop_loss="0.0333"))
    assert cheap is not None
    assert cheap.stop_loss == StopLoss(D("0.4834"), None)


@pytest.mark.parametrize(
    ("entry", "planned"),
    [
        ({"time_in_force": TimeInForce.DAY}, BOTH),
        ({"quantity": D("1.5")}, BOTH),
        ({"quantity": None}, BOTH),
        ({"symbol": "BTC/USD"}, BOTH),
        ({"price": None}, BOTH),
        ({"price": D("0.00001")}, BOTH),
        ({"extended_hours": True}, BOTH),
        ({"order_type": OrderType.STOP}, BOTH),
        ({"order_class": OrderClass.OTO}, BOTH),
        ({"purpose": Purpose.CLOSE}, BOTH),
        ({}, attrs.evolve(BOTH, trail=D("0.05"))),
        ({}, attrs.evolve(BOTH, break_even=D("0.05"))),
        ({}, attrs.evolve(BOTH, ladder=(Rung(D("0.05"), D("0.5")),))),
        ({}, attrs.evolve(BOTH, ladder=(Rung(D("0.05"), D("0.5")), Rung(D("0.1"), D("0.5"))))),
        ({}, plan(max_holding_s="60")),
    ],
)
def test_what_a_broker_cannot_hold_in_full_is_for_the_engine(entry: dict[str, Any], planned: ExitPlan) -> None:
    assert legs_at_broker(attrs.evolve(ENTRY, **entry), planned) is None


def placing(**terms: Any) -> cmd.PlaceOrder:
    told: dict[str, Any] = {"reference_price": D(100), "time_in_force": TimeInForce.GTC}
    return cmd.PlaceOrder(
        **{
            "order_id": "o", "account": "main", "symbol": "SPY", "side": Side.BUY, "quantity": D(10),
            "order_type": OrderType.MARKET, "limit_price": None, "strategy": "test", "not_after": NOON,
            **told, **terms,
        }
    )  # fmt: skip


def test_an_order_takes_its_exits_along_unless_it_leaves_the_trade_or_has_legs() -> None:
    assert with_exits(placing(), BOTH, D(0)).order_class is OrderClass.BRACKET
    assert with_exits(placing(time_in_force=TimeInForce.DAY), BOTH, D(0)).order_class is OrderClass.SIMPLE
    assert with_exits(placing(time_in_force=TimeInForce.DAY), BOTH, D(0)).exits == BOTH
    for order, held in ((placing(side=Side.SELL), D(5)), (placing(order_class=OrderClass.OTO), D(0))):
        assert with_exits(order, BOTH, held) is order
    assert with_exits(placing(), None, D(0)).exits is None


def test_a_trade_never_has_a_stop_at_the_broker_and_one_in_the_engine() -> None:
    desk = Desk.in_memory()
    bracket: dict[str, Any] = {
        "order_class": OrderClass.BRACKET,
        "take_profit": TakeProfit(D(200)),
        "stop_loss": StopLoss(D(50)),
    }
    with pytest.raises(InputError, match="never two stops"):
        desk.place("buy", "1", exits=plan(trail="0.05"), **bracket)
    desk.place("buy", "1", exits=plan(max_holding_s="60"), **bracket)
    (armed,) = found(desk, ExitsArmed)
    assert armed.keeper is Keeper.BROKER


# --- in the ledger --------------------------------------------------------------------------------------------------


@attrs.define
class Market:
    """A stage whose trades are left by the engine, with a new process before every bar when it restarts."""

    stage: Stage
    minutes: int = 0

    @classmethod
    def over(cls, *, restarts: bool = False) -> Market:
        return cls(Stage.over(open_journal("memory:"), restarts=restarts))

    @property
    def desk(self) -> Desk:
        return self.stage.desk

    def bar(self, low: str, high: str) -> None:
        if self.stage.restarts:
            self.stage.restart()
        exits = Exits(self.desk.ledger, self.desk.ids, "main")
        start = self.desk.clock.now() + dt.timedelta(minutes=self.minutes)
        exits.see(Bar("SPY", start, D(low), D(high), D(low), D(high), D(1)))
        self.minutes += 1
        self.stage.conductor.observe(self.desk.ledger.journal.read(0, 10_000))
        self.stage.conductor.advance()

    def closes(self) -> list[str]:
        return self.stage.orders(purpose=Purpose.CLOSE)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_trailing_stop_follows_the_market_over_restarts_and_leaves_in_the_trace_of_the_entry(restarts: bool) -> None:
    market = Market.over(restarts=restarts)
    entry = market.desk.done("buy", "10", "100", exits=plan(trail="0.05", stop_loss="0.1"))
    for low, high in (("99", "104"), ("100", "110"), ("106", "108"), ("105", "106")):
        market.bar(low, high)
    assert [event.level for event in found(market.desk, ExitRaised)] == [D("104.50")]
    assert market.closes() == []
    market.bar("104.5", "106")
    (fired,) = found(market.desk, ExitFired)
    assert (fired.rule, fired.quantity) == (ExitRule.TRAIL, D(10))
    market.bar("90", "91")
    (close,) = market.closes()
    assert len(found(market.desk, ExitFired)) == 1, "it is being left already"
    assert market.desk.order(close).quantity == 10
    journal = market.desk.ledger.journal
    trade_id = market.desk.order(entry).trade_id
    trace = market.desk.ledger.trace_of(f"trade-{trade_id}")
    mine = (*journal.load(f"exit-{trade_id}"), *journal.load(f"order-{close}"))
    assert {item.envelope.trace_id for item in mine} == {trace}
    market.stage.works(close)
    market.desk.fill(close, "10", "104")
    market.bar("1", "1000")
    assert len(found(market.desk, ExitFired)) == 1, "it was left"


def test_a_ladder_leaves_step_by_step_and_tries_a_step_again_that_came_to_nothing() -> None:
    market = Market.over(restarts=True)
    ladder = (Rung(D("0.05"), D("0.5")), Rung(D("0.1"), D("0.5")))
    market.desk.done("buy", "10", "100", exits=plan(ladder=ladder, stop_loss="0.02"))
    market.bar("100", "105")
    (first,) = market.closes()
    market.bar("100", "111")
    assert market.closes() == [first], "one at a time"
    market.stage.works(first)
    market.desk.report(first, "canceled", at=1)
    market.bar("104", "104.9")
    assert market.closes() == [first]
    market.bar("104", "105")
    again = market.closes()[1]
    market.stage.works(again)
    market.desk.fill(again, "5", "105")
    market.bar("104", "106")
    assert len(market.closes()) == 2
    market.bar("104", "110")
    last = market.closes()[2]
    assert (market.desk.order(last).quantity, [event.rung for event in found(market.desk, ExitFired)]) == (
        D(5),
        [1, 1, 2],
    )
    market.stage.works(last)
    market.desk.fill(last, "5", "110")
    assert market.desk.account.positions == {}


def test_a_stop_whose_close_fails_fires_again() -> None:
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(stop_loss="0.02"))
    market.bar("97", "99")
    (first,) = market.closes()
    market.stage.works(first)
    market.desk.report(first, "rejected", at=1)
    market.bar("97", "99")
    market.bar("97", "99")
    assert len(found(market.desk, SagaStarted)) == 2
    assert len(market.closes()) == 2


def test_a_halted_account_is_still_left_by_its_stops() -> None:
    from tests.risk.test_switch import stop

    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(stop_loss="0.02"))
    stop(market.desk)
    market.bar("97", "99")
    (close,) = market.closes()
    market.stage.works(close)
    assert market.desk.order(close).broker_order_id is not None


def test_a_bar_from_before_the_entry_says_nothing() -> None:
    market = Market.over()
    market.desk.done("buy", "10", "100", exits=plan(stop_loss="0.02"))
    market.minutes = -1
    market.bar("1", "99")
    assert found(market.desk, ExitFired) == []


def test_the_engine_takes_over_when_everything_at_the_broker_has_ended() -> None:
    market = Market.over()
    desk = market.desk
    entry = desk.place(
        "buy", "10", order_class=OrderClass.OTO, stop_loss=StopLoss(D(98)), exits=plan(stop_loss="0.02"),
        time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    leg = leg_order_id(entry, "stop_loss")
    desk.send(entry)
    desk.answer(entry)
    desk.fill(entry, "10", "100")
    desk.report(leg, "new")
    market.bar("90", "91")
    assert found(desk, ExitFired) == [], "the broker keeps it"
    desk.report(leg, "canceled", at=1)
    market.bar("97", "99")
    (_, taken) = found(desk, ExitsArmed)
    assert taken.keeper is Keeper.ENGINE
    assert len(found(desk, ExitFired)) == 1


def test_exits_from_the_settings() -> None:
    settings = load_settings(
        None, {"exits": {"trail": 0.05, "ladder": [{"gain": 0.05, "share": 0.5}], "max_holding_s": 60}}
    )
    assert settings.exits.plan() == plan(trail="0.05", ladder=(Rung(D("0.05"), D("0.5")),), max_holding_s="60")
    assert load_settings(None, {}).exits.plan() is None
    with pytest.raises(Exception, match="exits"):
        load_settings(None, {"exits": {"stop_loss": 1}})


def test_a_stop_of_the_engine_over_the_wire(tmp_path: Path) -> None:
    """A real exchange: the position is gone, by one order, in the trace of the entry."""

    async def story() -> None:
        async with open_rig() as rig:
            entry = rig.place(qty="5", exits=plan(stop_loss="0.02"))
            await rig.until_status(entry, "accepted", "new", "pending_new")
            await rig.advance()
            await rig.until_status(entry, "filled")
            conductor = Conductor(rig.ledger, rig.clock, rig.ids, "main", wake=rig.follower.catch_up)
            rig.follower.listen(conductor.observe)
            trade = rig.ledger.trade(rig.order(entry).trade_id)
            assert trade is not None
            assert trade.opened_at is not None
            exits = Exits(rig.ledger, rig.ids, "main")
            assert trade.position.average_price is not None
            low = trade.position.average_price * D("0.9")
            exits.see(Bar("AAA", trade.opened_at, low, low, low, low, D(1)))
            async with anyio.create_task_group() as group:
                group.start_soon(conductor.run)
                await rig.until(lambda: closing_at_broker(rig), "a close at the broker")
                await rig.advance()
                await rig.until(lambda: not conductor.live, "the end of the saga")
                group.cancel_scope.cancel()
            assert await rig.broker.positions() == ()
            sold = [order for order in (await rig.seen())["orders"] if order["side"] == "sell"]
            assert len(sold) == 1

    anyio.run(story)


def closing_at_broker(rig: Rig) -> bool:
    orders = (rig.ledger.order(order) for order in rig.ledger.account("main").reservations)
    return any(one is not None and one.purpose is Purpose.CLOSE and one.broker_order_id for one in orders)
