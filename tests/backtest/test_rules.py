"""What the assumed market does, one rule at a time, and what a strategy can and cannot see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.market import OPENING, Planned, bar, buy, sell
from tradecore.domain.exit_plan import ExitPlan, Rung
from tradecore.domain.limits import Limits, Step
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderStatus, OrderType, TimeInForce, TradeStatus
from tradecore.errors import InputError
from tradecore.ports.strategy import Idea
from tradecore.strategies.sma import SmaCrossover
from tradecore_backtest import BacktestResult, CorporateAction, FillAt, MarketModel, backtest

D = Decimal
_DAY = dt.timedelta(days=1)


def run(bars: list[Bar], ideas: Mapping[int, Idea], **market: Any) -> BacktestResult:
    return backtest(bars, Planned(ideas), market=MarketModel(**market))


def prices(result: BacktestResult) -> list[Decimal]:
    return [fill.price for fill in result.fills]


def test_a_market_order_fills_at_the_next_open() -> None:
    result = run([bar(0, "10"), bar(1, "11", "13", "10", "12")], {0: buy()})
    assert prices(result) == [D(11)]


def test_or_at_the_next_close() -> None:
    result = run([bar(0, "10"), bar(1, "11", "13", "10", "12")], {0: buy()}, fill_at=FillAt.CLOSE)
    assert prices(result) == [D(12)]


def test_a_limit_fills_at_the_open_when_better_else_at_the_limit_else_not() -> None:
    limit = buy(order_type=OrderType.LIMIT, limit_price=D(10))
    assert prices(run([bar(0, "11"), bar(1, "9", "12", "8", "11")], {0: limit})) == [D(9)]
    assert prices(run([bar(0, "11"), bar(1, "11", "12", "10", "11")], {0: limit})) == [D(10)]
    assert prices(run([bar(0, "11"), bar(1, "11", "12", "10.5", "11")], {0: limit})) == []


def test_a_stop_fills_at_the_stop_or_at_a_worse_open() -> None:
    held = [bar(0, "20"), bar(1, "20")]
    stop = {0: buy(), 1: sell(order_type=OrderType.STOP, stop_price=D(19))}
    assert prices(run([*held, bar(2, "20", "21", "18", "20")], stop)) == [D(20), D(19)]
    assert prices(run([*held, bar(2, "17", "18", "16", "17")], stop)) == [D(20), D(17)]
    assert prices(run([*held, bar(2, "20", "21", "19.5", "20")], stop)) == [D(20)]


def test_volume_is_shared_and_the_rest_waits() -> None:
    bars = [bar(number, "10", volume="40") for number in range(4)]
    result = run(bars, {0: buy("25")}, volume_share=D("0.25"))
    assert [fill.quantity for fill in result.fills] == [D(10), D(10), D(5)]
    assert result.orders[0].status is OrderStatus.FILLED


def test_fees_and_slippage() -> None:
    market: dict[str, Any] = {
        "fee_per_unit": D("0.01"),
        "fee_per_order": D(1),
        "fee_bps": D(10),
        "slippage_bps": D(100),
    }
    result = run([bar(0, "10"), bar(1, "10")], {0: buy("100")}, **market)
    (fill,) = result.fills
    assert fill.price == D("10.1")
    assert fill.fees == D(1) + D(1) + D("1.01")
    assert result.cash == 100_000 - D(1010) - fill.fees
    limited = run([bar(0, "10"), bar(1, "10")], {0: buy(order_type=OrderType.LIMIT, limit_price=D(10))}, **market)
    assert prices(limited) == [D(10)]


def test_what_is_borrowed_costs_by_the_day() -> None:
    start = OPENING + 3 * _DAY
    bars = [bar(0, "100"), bar(1, "100"), bar(0, "100", start=OPENING + _DAY), bar(0, "100", start=start)]
    result = run(bars, {0: sell("10")}, borrow_rate=D("0.365"))
    assert result.positions == {"AAA": D(-10)}
    assert result.cash == 100_000 + 1000 - 3 * D(1)


def test_a_day_order_ends_with_the_session_and_an_immediate_one_at_once() -> None:
    far: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": D(5)}
    bars = [bar(0, "10"), bar(1, "10"), bar(0, "10", start=OPENING + _DAY)]
    assert [one.status for one in run(bars, {0: buy(**far)}).orders] == [OrderStatus.EXPIRED]
    quick = buy(**far, time_in_force=TimeInForce.IOC)
    assert [one.status for one in run(bars, {0: quick}).orders] == [OrderStatus.CANCELED]
    patient = buy(**far, time_in_force=TimeInForce.GTC)
    assert [one.status for one in run(bars, {0: patient}).orders] == [OrderStatus.NEW]


def bracket(quantity: str = "10") -> Idea:
    return buy(
        quantity, order_class=OrderClass.BRACKET, take_profit=TakeProfit(D(12)), stop_loss=StopLoss(D(9))
    )  # fmt: skip


def statuses(result: BacktestResult) -> list[OrderStatus]:
    return [order.status for order in result.orders]


def test_a_bracket_takes_its_profit_or_its_loss_and_ends_the_other_leg() -> None:
    held = [bar(0, "10"), bar(1, "10")]
    won = run([*held, bar(2, "10", "13", "10", "12")], {0: bracket()})
    assert prices(won) == [D(10), D(12)]
    assert statuses(won) == [OrderStatus.FILLED, OrderStatus.FILLED, OrderStatus.CANCELED]
    (trade,) = won.trades
    assert (trade.status, trade.realised_pnl) == (TradeStatus.CLOSED, D(20))
    lost = run([*held, bar(2, "10", "11", "8", "9")], {0: bracket()})
    assert prices(lost) == [D(10), D(9)]
    assert statuses(lost) == [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.FILLED]


def test_where_a_bar_has_stop_and_target_the_loss_is_taken_unless_the_open_was_at_the_target() -> None:
    held = [bar(0, "10"), bar(1, "10")]
    assert prices(run([*held, bar(2, "10", "13", "8", "12")], {0: bracket()})) == [D(10), D(9)]
    assert prices(run([*held, bar(2, "12.5", "13", "8", "9")], {0: bracket()})) == [D(10), D("12.5")]


def test_legs_do_not_trade_in_the_bar_that_fills_their_entry() -> None:
    assert prices(run([bar(0, "10"), bar(1, "10", "13", "8", "12")], {0: bracket()})) == [D(10)]


def test_an_order_for_the_close_has_the_last_price_of_its_session() -> None:
    late = [bar(370, "10"), bar(388, "11"), bar(389, "11", "12", "11", "12"), bar(0, "15", start=OPENING + _DAY)]
    closing = buy(time_in_force=TimeInForce.CLS)
    assert prices(run(late, {0: closing})) == [D(12)]
    assert statuses(run(late, {1: closing})) == [OrderStatus.REJECTED]  # from ten minutes before on
    gap = [bar(370, "10"), bar(371, "10"), bar(0, "15", start=OPENING + _DAY)]
    (fill,) = run(gap, {0: closing}).fills
    assert (fill.price, fill.at) == (D(10), OPENING + dt.timedelta(minutes=390))


def test_only_orders_for_extended_hours_trade_in_them_and_nobody_is_asked() -> None:
    evening = [bar(380, "10"), bar(395, "9"), bar(400, "9")]
    patient: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": D("9.5")}
    assert prices(run(evening, {0: buy(**patient)})) == []
    late = run(evening, {0: buy(**patient, extended_hours=True)})
    assert (prices(late), late.bar_count) == ([D(9)], 1)


def test_exits_that_can_wait_at_the_broker_become_legs() -> None:
    plan = ExitPlan(stop_loss=D("0.1"), ladder=(Rung(D("0.2"), D(1)),))
    bars = [bar(0, "10"), bar(1, "10"), bar(2, "11", "13", "11", "12")]
    result = run(bars, {0: buy(time_in_force=TimeInForce.GTC, exits=plan)})
    assert prices(result) == [D(10), D(12)]


def test_a_class_without_its_legs_is_no_order() -> None:
    result = run([bar(0, "10"), bar(1, "10")], {0: buy(order_class=OrderClass.BRACKET)})
    assert len(result.orders) == 0


def test_a_limit_that_goes_by_volatility_knows_it() -> None:
    """An unknown one counts as the worst; after 15 quiet bars it is known to be small."""
    bars = [bar(number, "10", "10.1", "9.9", "10") for number in range(20)]
    limits = Limits(max_order_notional=D(1000), volatility_steps=(Step(D("0.1"), D("0.5")),))
    result = backtest(bars, Planned({0: buy("60"), 16: buy("60")}), limits=limits)
    assert [order.placed_at for order in result.orders] == [OPENING + dt.timedelta(minutes=17)]


def test_a_split_cancels_what_works_and_keeps_the_cost() -> None:
    bars = [bar(0, "100"), bar(1, "100"), bar(0, "50", start=OPENING + _DAY), bar(1, "50", start=OPENING + _DAY)]
    far = sell(order_type=OrderType.LIMIT, limit_price=D(200), time_in_force=TimeInForce.GTC)
    action = CorporateAction("AAA", dt.date(2024, 1, 3), ratio=D(2), dividend=D("0.5"))
    result = run(bars, {0: buy(), 1: far, 2: sell("20")}, actions=(action,))
    assert [one.status for one in result.orders] == [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.FILLED]
    assert result.cash == 100_000 + D("5.00")
    (trade,) = result.trades
    assert (trade.status, trade.realised_pnl) == (TradeStatus.CLOSED, D(0))


def test_the_broker_refuses_what_cannot_be_paid_and_the_gate_what_is_too_large() -> None:
    bars = [bar(0, "100"), bar(1, "100")]
    unpaid = backtest(bars, Planned({0: buy("10000")}))
    assert [one.status for one in unpaid.orders] == [OrderStatus.REJECTED]
    gated = backtest(bars, Planned({0: buy("10")}), limits=Limits(max_order_qty=D(5)))
    assert len(gated.orders) == 0
    assert any(one.event.NAME == "risk.limit.breached" for one in gated.open_journal().read(0, 1000))


def test_nothing_to_trade_one_bar_and_no_bars() -> None:
    idle = run([bar(0, "10"), bar(1, "11")], {})
    assert (len(idle.orders), len(idle.trades), idle.cash) == (0, 0, D(100_000))
    assert [equity for _, equity in idle.equity] == [D(100_000)] * 2
    one = run([bar(0, "10")], {0: buy()})
    assert [order.status for order in one.orders] == [OrderStatus.NEW]
    assert len(one.equity) == 1
    none = run([], {})
    assert (none.bar_count, len(none.equity)) == (0, 0)


def test_a_gap_and_a_halt_are_waited_out_at_the_last_price() -> None:
    bars = [bar(0, "10"), bar(1, "10"), bar(2, "10"), bar(90, "8"), bar(91, "8")]
    other = [bar(number, "5", symbol="BBB") for number in range(92)]
    result = run([*bars, *other], {0: buy(), 4: sell()})
    assert prices(result)[:1] == [D(10)]
    assert result.provenance.gaps == {"AAA": 1}
    assert result.equity[50][1] == D(100_000)
    assert result.equity[90][1] == D(100_000) - 20


def test_rows_without_a_price_are_left_out_and_told() -> None:
    bars = [bar(0, "10"), bar(1, "NaN"), bar(2, "12")]
    result = run(bars, {0: buy()})
    assert prices(result) == [D(12)]
    assert result.provenance.warnings == ("AAA: 1 rows without a price were left out",)


def test_bars_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="AAA"):
        run([bar(0, "10", "9", "8", "9")], {})
    with pytest.raises(InputError, match="times that rise"):
        run([bar(1, "10"), bar(0, "10")], {})


def test_the_ledger_of_a_run_is_a_ledger(tmp_path: object) -> None:
    bars = [bar(0, "10"), bar(1, "11"), bar(2, "12"), bar(3, "13")]
    url = f"sqlite:///{tmp_path}/run.db"
    kept = backtest(bars, Planned({0: buy(), 2: sell()}), journal=url).open_journal()
    kept.check()
    again = backtest(bars, Planned({0: buy(), 2: sell()})).open_journal()
    assert kept.head_link() == again.head_link(), "the same run is the same ledger, byte for byte"
    with pytest.raises(InputError, match="does not exist yet"):
        backtest(bars, Planned({}), journal=url)
    kept.close()


walks = st.lists(st.integers(-30, 30), min_size=30, max_size=80)


def walk(steps: list[int]) -> list[Bar]:
    level, bars = 5000, []
    for number, step in enumerate(steps):
        before, level = level, max(100, level + step)
        low, high = min(before, level), max(before, level)
        bars.append(bar(number, *(f"{cents / 100:.2f}" for cents in (before, high, low, level))))
    return bars


@settings(max_examples=40, deadline=None)
@given(walks, st.integers(5, 25), st.randoms(use_true_random=False))
def test_the_future_never_changes_the_past(steps: list[int], known: int, chance: object) -> None:
    later = steps[known:]
    chance.shuffle(later)  # type: ignore[attr-defined]
    results = [backtest(walk(known_steps), SmaCrossover(2, 5, 10)) for known_steps in (steps, [*steps[:known], *later])]
    border = OPENING + dt.timedelta(minutes=known)
    past = [
        (
            [one for one in ((o.order_id, o.side, o.placed_at) for o in result.orders) if one[2] <= border],
            [(one.order_id, one.price, one.at) for one in result.fills if one.at <= border],
            [point for point in result.equity if point[0] <= border],
        )
        for result in results
    ]
    assert past[0] == past[1]


@settings(max_examples=30, deadline=None)
@given(walks)
def test_twice_the_quantity_earns_twice_as_much(steps: list[int]) -> None:
    once, twice = (backtest(walk(steps), SmaCrossover(2, 5, quantity)) for quantity in (10, 20))
    assert twice.equity[-1][1] - 100_000 == 2 * (once.equity[-1][1] - 100_000)
