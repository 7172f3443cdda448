"""Orders of any type, class and time over any few bars: the assumed market and the exchange fill them alike."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from decimal import Decimal

import attrs
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.backtest.market import OPENING, Planned, bar
from tradecore.domain.session import is_regular
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderType, Side, TimeInForce
from tradecore.ports.strategy import Idea
from tradecore_backtest import MarketModel, backtest
from tradecore_exchange import Exchange, ExchangeOptions, OrderRequest, words
from tradecore_exchange.requests import StopLoss as WireStopLoss

D = Decimal
Fills = list[tuple[dt.datetime, Side, Decimal, Decimal]]
cents = st.integers(900, 1100)
offsets = st.integers(-60, 60)


@st.composite
def bars(draw: st.DrawFn, count: int = 6) -> list[Bar]:
    """A few minutes of about 10 dollars."""
    return [draw(one_bar(number)) for number in range(draw(st.integers(2, count)))]


@st.composite
def one_bar(draw: st.DrawFn, number: int) -> Bar:
    four = sorted(draw(st.tuples(cents, cents, cents, cents)))
    inner = draw(st.permutations(four[1:3]))
    prices = (inner[0], four[3], four[0], inner[1])
    return bar(number, *(f"{price / 100:.2f}" for price in prices), volume=str(draw(st.integers(1, 80))))


@st.composite
def ideas(draw: st.DrawFn) -> Idea:
    """An order that the terms allow, at prices near 10 dollars."""
    kind = draw(st.sampled_from(list(OrderType)))
    plain = kind in (OrderType.MARKET, OrderType.LIMIT)
    forces = [TimeInForce.DAY, TimeInForce.GTC]
    forces += [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.CLS, TimeInForce.OPG] if plain else []
    by_percent = draw(st.booleans())
    trails = kind is OrderType.TRAILING_STOP
    force = draw(st.sampled_from(forces))
    limited = kind is OrderType.LIMIT and force in (TimeInForce.DAY, TimeInForce.GTC)
    return Idea(
        "AAA",
        draw(st.sampled_from(list(Side))),
        D(draw(st.integers(1, 30))),
        "any",
        order_type=kind,
        limit_price=near(draw) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=near(draw) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        trail_price=D(draw(st.integers(5, 60))) / 100 if trails and not by_percent else None,
        trail_percent=D(draw(st.integers(1, 6))) if trails and by_percent else None,
        time_in_force=force,
        extended_hours=limited and draw(st.booleans()),
    )


@st.composite
def classed(draw: st.DrawFn) -> Idea:
    """A bracket, an OCO or an OTO near 10 dollars; some cannot be meant, and both sides refuse those."""
    name = draw(st.sampled_from([OrderClass.BRACKET, OrderClass.OCO, OrderClass.OTO]))
    side = draw(st.sampled_from(list(Side)))
    opening = side.sign if name is not OrderClass.OCO else -side.sign
    target = 1000 + opening * draw(st.integers(2, 50))
    stop = 1000 - opening * draw(st.integers(2, 50))
    beyond = draw(st.sampled_from([None, None, 0, 20]))
    loss = StopLoss(D(stop) / 100, None if beyond is None else D(stop - opening * beyond) / 100)
    takes = name is OrderClass.BRACKET or (name is OrderClass.OTO and draw(st.booleans()))
    limited = name is OrderClass.OCO or draw(st.booleans())
    entry = target if name is OrderClass.OCO else 1000 + draw(st.integers(-20, 20))
    return Idea(
        "AAA",
        side,
        D(draw(st.integers(1, 30))),
        "any",
        order_type=OrderType.LIMIT if limited else OrderType.MARKET,
        limit_price=D(entry) / 100 if limited else None,
        time_in_force=draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC])),
        order_class=name,
        take_profit=TakeProfit(D(target) / 100) if takes else None,
        stop_loss=None if name is OrderClass.OTO and takes else loss,
    )


def near(draw: st.DrawFn) -> Decimal:
    return D(1000 + draw(offsets)) / 100


def request_of(idea: Idea) -> OrderRequest:
    profit, loss = idea.take_profit, idea.stop_loss
    is_oco = idea.order_class is OrderClass.OCO
    return OrderRequest(
        idea.symbol,
        idea.side,
        words.OrderType(idea.order_type.value),
        words.TimeInForce(idea.time_in_force.value),
        qty=idea.quantity,
        limit_price=idea.limit_price,
        stop_price=idea.stop_price,
        trail_price=idea.trail_price,
        trail_percent=idea.trail_percent,
        extended_hours=idea.extended_hours,
        order_class=words.OrderClass[idea.order_class.name],
        take_profit=idea.limit_price if is_oco else None if profit is None else profit.limit_price,
        stop_loss=None if loss is None else WireStopLoss(loss.stop_price, loss.limit_price),
    )


def on_the_exchange(tape: list[Bar], plan: Mapping[int, Idea], share: Decimal | None) -> Fills:
    """Every fill of the exchange; what is proposed at a bar is asked when it has ended."""
    exchange = Exchange({"AAA"}, ExchangeOptions(volume_share=share), start=OPENING)
    regular = 0
    for one in tape:
        exchange.on_bar(one)
        if not is_regular("AAA", one.start):
            continue  # nobody decides outside of the session
        idea = plan.get(regular)
        regular += 1
        if idea is not None:
            exchange.submit(request_of(idea))
    fills = [one for one in exchange.activities if one.kind == "FILL"]
    assert all(fill.side is not None and fill.price is not None for fill in fills)
    return [(minute_of(fill.at_ns), fill.side, fill.qty, fill.price) for fill in fills]  # type: ignore[misc]


def minute_of(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns // 60_000_000_000 * 60, dt.UTC)


def in_the_backtest(tape: list[Bar], plan: Mapping[int, Idea], share: Decimal | None) -> Fills:
    result = backtest(tape, Planned(plan), market=MarketModel(volume_share=share))
    return [(fill.at, fill.side, fill.quantity, fill.price) for fill in result.fills]


shares = st.sampled_from([None, D("0.25")])


@settings(max_examples=100, deadline=None)
@given(bars(), ideas(), shares)
def test_the_assumed_market_is_the_exchange(tape: list[Bar], idea: Idea, share: Decimal | None) -> None:
    result = backtest(tape, Planned({0: idea}), market=MarketModel(volume_share=share))
    fills = [(fill.at, fill.side, fill.quantity, fill.price) for fill in result.fills]
    assert fills == on_the_exchange(tape, {0: idea}, share)
    assert all(before.at < behind.at for before, behind in itertools.pairwise(result.fills))


plans = st.dictionaries(st.integers(0, 8), st.one_of(classed(), classed(), ideas()), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(bars(count=10), plans, shares)
def test_orders_that_belong_together_are_those_of_the_exchange(
    tape: list[Bar], plan: dict[int, Idea], share: Decimal | None
) -> None:
    assert in_the_backtest(tape, plan, share) == on_the_exchange(tape, plan, share)


# Minutes of the day around which orders for the close and for extended hours come and go: 378 is 15:48 in New York.
_LATE = (370, 378, 379, 385, 388, 389, 390, 395, 500, 900, 1440, 1441, 1442, 1829, 1830)


@settings(max_examples=150, deadline=None, phases=[Phase.generate])
@given(st.data(), st.dictionaries(st.integers(0, 8), ideas(), min_size=1, max_size=4), shares)
def test_auctions_and_extended_hours_are_those_of_the_exchange(
    data: st.DataObject, plan: dict[int, Idea], share: Decimal | None
) -> None:
    minutes = data.draw(st.lists(st.sampled_from(_LATE), min_size=2, max_size=10, unique=True).map(sorted))
    tape = [data.draw(one_bar(minute)) for minute in (300, 301, *minutes)]
    assert in_the_backtest(tape, plan, share) == on_the_exchange(tape, plan, share)


def test_an_order_for_extended_hours_trades_in_the_night_before_a_session() -> None:
    idea = Idea(
        "AAA", Side.BUY, D(1), "any", OrderType.LIMIT, D(10), time_in_force=TimeInForce.GTC, extended_hours=True
    )
    day = [bar(number, *["9"] * 4) for number in (300, 301, 378)]  # asked for the last time at 15:48
    tape = [*day, bar(900, *["9"] * 4)]  # and half past midnight
    fills = in_the_backtest(tape, {2: idea}, None)
    assert [fill[0] for fill in fills] == [tape[-1].start + dt.timedelta(minutes=1)]
    assert fills == on_the_exchange(tape, {2: idea}, None)
    saturday = [replace_start(one, 3) for one in tape]
    assert in_the_backtest(saturday, {2: idea}, None) == on_the_exchange(saturday, {2: idea}, None) == []


def replace_start(one: Bar, days: int) -> Bar:
    return attrs.evolve(one, start=one.start + dt.timedelta(days=days))
