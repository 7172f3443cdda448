"""Named stories: three failures that cost money before, and the pre-trade controls of the market access rule, in order.

Each control is held at its figure, one unit below and one unit above, through the command that records an order.
`docs/risk.md` has the index.
"""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office
from tests.risk.test_switch import later, stop
from tests.risk.test_wired import found, refusal
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.events import LimitBreached, OrderPlanned, OrderSubmitted, ReservationMade
from tradecore.domain.limits import Hours, Limits, ScopeLimits
from tradecore.domain.messages import Cause
from tradecore.domain.values import Bar, OrderStatus, OrderType, Purpose, Side, TimeInForce, TradingState
from tradecore.errors import InputError, WrongVersion
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.ports.strategy import Idea
from tradecore.proposing import order_of
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.settings_risk import RiskSettings

D = Decimal
UNIT = D("0.000000001")


@pytest.fixture
def desk() -> Desk:
    desk = Desk.in_memory()
    desk.pin()
    return desk


def allows(desk: Desk, qty: Decimal | str, **terms: Any) -> str | None:
    return refusal(desk, terms.pop("side", "buy"), str(qty), **terms)


# --- failure stories ------------------------------------------------------------------------------------------------


def test_story_03_a_kill_switch_that_the_queue_ignored_was_set_last_and_blocked_protective_sells() -> None:
    """The halt is first on record, the queue heeds it, and what protects is sent although trading is halted."""

    async def story() -> None:
        office = Office.open()
        desk = office.desk
        desk.done("buy", "10", "5")
        queued = [desk.place("buy", "1", symbol, **later()) for symbol in ("IWM", "QQQ", "DIA")]
        stop(desk)
        halted_at = desk.ledger.journal.head()
        desk.give(cmd.RequestKill("main", "a drill"))
        protecting = desk.place("sell", "10", **later(purpose=Purpose.PROTECT))
        await office.deliver(0.3)
        behind = [item.event for item in desk.ledger.journal.read(halted_at, 1000)]
        assert [event.order_id for event in behind if isinstance(event, OrderSubmitted)] == [protecting]
        assert {desk.order(order).status for order in queued} == {OrderStatus.CANCELED}
        assert desk.order(protecting).broker_order_id is not None

    run_story(story)


def test_story_12_shares_were_compared_with_dollars_and_a_limit_of_zero_became_the_default(desk: Desk) -> None:
    desk.limits(max_order_notional=D(1000), max_order_qty=D(1000))
    assert allows(desk, "20", limit="50") is None, "20 units are 1000 of money, and neither is the other"
    assert allows(desk, "20.000000001", limit="50") == "max_order_notional"
    assert allows(desk, "1001", limit="0.01") == "max_order_qty"
    zero = RiskSettings.model_validate({"max_position_share": 0, "max_order_qty": "0"}).limits()
    assert (zero.max_position_share, zero.max_order_qty) == (D(0), D(0)), "not the standard of a tenth"
    desk.give(cmd.SetLimits("main", zero, "test", "a story"))
    assert allows(desk, UNIT, limit="1") == "max_order_qty"


def test_story_13_a_hold_became_an_order_the_quantity_was_always_one_and_a_price_of_zero_was_taken(desk: Desk) -> None:
    with pytest.raises(ValueError, match="hold"):
        Side("hold")
    bar = Bar("SPY", NOON, D(10), D(10), D(10), D(10), D(1))
    told: dict[str, Any] = {"strategy": "s", "account": "main", "not_after": NOON}
    for quantity in (None, D(0), D(-1), D("NaN")):
        with pytest.raises(InputError, match="quantity"):
            order_of(Idea("SPY", Side.BUY, quantity, "because"), bar, 0, **told)
    for price in (D(0), D("-0.01"), D("NaN"), D("Infinity")):
        with pytest.raises(InputError, match="limit_price"):
            order_of(Idea("SPY", Side.BUY, D(3), "because", OrderType.LIMIT, price), bar, 0, **told)
        with pytest.raises(InputError, match="limit_price"):
            desk.place("buy", "3", limit_price=price, order_type=OrderType.LIMIT)
    assert order_of(Idea("SPY", Side.BUY, D(3), "because"), bar, 0, **told).quantity == 3
    assert found(desk, OrderPlanned) == []


# --- pre-trade controls ---------------------------------------------------------------------------------------------


def test_control_01_largest_order_by_quantity_and_by_amount(desk: Desk) -> None:
    desk.limits(max_order_qty=D(10))
    assert [allows(desk, 10 + step * UNIT, limit="1") for step in (-1, 0, 1)] == [None, None, "max_order_qty"]
    desk.limits(max_order_notional=D(100))
    for price, verdict in (("9.99", None), ("10", None), ("10.01", "max_order_notional")):
        assert allows(desk, "10", limit=price) == verdict


def test_control_02_position_gross_and_net_exposure_with_everything_open(desk: Desk) -> None:
    desk.done("buy", "50", "10", limit="10")
    desk.live("buy", "20", limit="10")
    for name, limit in (
        ("max_position_qty", D(100)),
        ("max_gross_exposure", D(1000)),
        ("max_net_exposure_share", D("0.01")),
    ):
        desk.limits(**{name: limit})
        assert allows(desk, 30 + UNIT, limit="10") == name
        for qty in (30 - UNIT, D(30)):
            order = desk.place("buy", str(qty), limit="10")
            desk.give(cmd.WithdrawOrder(order, "the next figure"))


def test_control_03_loss_of_the_day(desk: Desk) -> None:
    desk.limits(max_daily_loss=D(100))
    desk.done("buy", "100", "50", limit="50")
    for price, verdict in (("49.0001", None), ("49", "max_daily_loss"), ("48.9999", "max_daily_loss")):
        desk.mark(SPY=price)
        assert allows(desk, "1", limit="50") == verdict


def test_control_04_open_orders(desk: Desk) -> None:
    desk.limits(max_open_orders=2)
    assert [allows(desk, "1") for _ in range(3)] == [None, None, "max_open_orders"]


def test_control_05_price_collar_against_a_fresh_reference(desk: Desk) -> None:
    desk.limits(price_collar=D("0.05"))
    for price, verdict in (("104.99", None), ("105", None), ("105.01", "price_collar")):
        assert allows(desk, "1", limit=price, reference_price=D(100)) == verdict
    assert allows(desk, "1", symbol="QQQ", limit="100") == "price_collar", "no reference denies"
    desk.limits(max_price_age_s=D(5))
    for age, verdict in ((4, None), (5, None), (6, "max_price_age_s")):
        seen = NOON - dt.timedelta(seconds=age)
        proposal = cmd.Proposal(f"d-{age}", "test", "SPY", Side.BUY, D(1), D(100), seen, "because")
        assert allows(desk, "1", limit="100", reference_price=D(100), proposal=proposal) == verdict


def test_control_06_the_same_order_again(desk: Desk) -> None:
    desk.limits(duplicate_window_s=D(10))
    assert allows(desk, "1") is None
    for seconds, verdict in ((9, "duplicate_window_s"), (1, None)):
        desk.clock.at += dt.timedelta(seconds=seconds)
        assert allows(desk, "1") == verdict
    assert allows(desk, 1 + UNIT) is None, "one unit more is another order"
    assert allows(desk, 1 + UNIT) == "duplicate_window_s"
    assert allows(desk, 1 + UNIT, is_repeat=True) is None, "it was said to be meant"


def test_control_07_rate_of_orders_by_agent_symbol_and_account(desk: Desk) -> None:
    one = ScopeLimits(max_orders_per_minute=1)
    for limits, rule in (
        ({"max_orders_per_minute": 1}, "max_orders_per_minute"),
        ({"per_symbol": {"SPY": one}}, "SPY max_orders_per_minute"),
        ({"per_agent": {"test": one}}, "test max_orders_per_minute"),
        ({"per_strategy": {"test": one}}, "test max_orders_per_minute"),
    ):
        desk.limits(**limits)
        assert [allows(desk, "1"), allows(desk, "1")] == [None, rule]
        desk.clock.at += dt.timedelta(seconds=60)
        assert allows(desk, "1") is None
        desk.clock.at += dt.timedelta(seconds=60)


def test_control_08_repeated_automated_execution(desk: Desk) -> None:
    desk.limits(max_repeats=2, repeat_window_s=D(60))
    assert [allows(desk, qty) for qty in ("1", "2", "3")] == [None, None, "max_repeats"]
    desk.clock.at += dt.timedelta(seconds=60)
    assert allows(desk, "4") is None


def test_control_09_orders_and_amount_of_a_day(desk: Desk) -> None:
    desk.limits(max_orders_per_day=2)
    assert [allows(desk, "1") for _ in range(3)] == [None, None, "max_orders_per_day"]
    desk.clock.at += dt.timedelta(days=1)
    desk.limits(max_notional_per_day=D(100))
    assert [allows(desk, "5", limit="10"), allows(desk, 5 + UNIT, limit="10")] == [None, "max_notional_per_day"]
    assert [allows(desk, "5", limit="10"), allows(desk, UNIT, limit="10")] == [None, "max_notional_per_day"]


def test_control_10_symbols_that_are_allowed_and_that_the_broker_trades(desk: Desk) -> None:
    desk.limits(symbols=("SPY",), must_be_tradable=True)
    assert allows(desk, "1", symbol="QQQ", tradable=True) == "symbols"
    assert [allows(desk, "1", tradable=known) for known in (True, False, None)] == [
        None,
        "must_be_tradable",
        "must_be_tradable",
    ]


def test_control_11_hours_of_the_market_and_a_halt(desk: Desk) -> None:
    desk.limits(hours=Hours.REGULAR)
    close = dt.datetime(2024, 1, 2, 21, 0, tzinfo=dt.UTC)
    for moment, verdict in ((close - dt.timedelta(seconds=1), None), (close, "hours")):
        desk.clock.at = moment
        assert allows(desk, "1") == verdict
    desk.limits()
    stop(desk)
    assert allows(desk, "1") == "state"


def test_control_12_no_order_meets_an_own_one(desk: Desk) -> None:
    desk.limits(no_self_cross=True)
    desk.live("sell", "5", limit="10")
    for price, verdict in (("9.99", None), ("10", "no_self_cross"), ("10.01", "no_self_cross")):
        assert allows(desk, "1", limit=price) == verdict


def test_control_13_authorised_principals(desk: Desk) -> None:
    desk.limits(principals=("somebody",))
    assert allows(desk, "1") == "principals"
    desk.limits(principals=("test",))
    assert allows(desk, "1") is None


def test_four_agents_at_once_never_break_a_limit_together() -> None:
    journal = open_journal("memory:")
    ids = SystemIds()
    ledger = Ledger(journal, SystemClock(), ids)
    cause = Cause(ids.trace_id(), actor="referee")
    ledger.handle(cmd.SetLimits("main", Limits(max_position_qty=D(10)), "test", "a race"), cause)
    begin = threading.Barrier(4)

    def agent(number: int) -> None:
        own, mine = Ledger(journal, SystemClock(), SystemIds()), SystemIds()
        begin.wait(30)
        for _ in range(10):
            order = cmd.PlaceOrder(
                mine.order_id(), "main", "SPY", Side.BUY, D(1), OrderType.LIMIT, D(1), TimeInForce.DAY, "s",
                NOON.replace(year=2100),
            )  # fmt: skip
            try:
                own.handle(order, Cause(mine.trace_id(), actor=f"agent {number}"))
            except WrongVersion:
                continue

    agents = [threading.Thread(target=agent, args=(number,)) for number in range(4)]
    for each in agents:
        each.start()
    for each in agents:
        each.join(60)
    placed = [item.event for item in journal.read(0, 10_000) if isinstance(item.event, ReservationMade)]
    assert len(placed) == 10


def test_a_limit_that_is_lowered_while_orders_are_open_holds_for_the_next_and_its_version_is_told(desk: Desk) -> None:
    desk.limits(max_position_qty=D(10))
    desk.live("buy", "8", limit="1")
    desk.limits(max_position_qty=D(5))
    assert allows(desk, UNIT, limit="1") == "max_position_qty"
    desk.limits(max_position_qty=D(9))
    assert allows(desk, "1", limit="1") is None
    made: list[ReservationMade] = found(desk, ReservationMade)
    assert [event.limits_version for event in made] == [1, 3]
    assert len(found(desk, LimitBreached)) == 1
    assert desk.account.trading_state is TradingState.ACTIVE
