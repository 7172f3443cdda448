"""One order of any type over any few bars: the assumed market and the embedded exchange fill it alike."""

from __future__ import annotations

import itertools
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.market import OPENING, Planned, bar
from tradecore.domain.values import Bar, OrderType, Side, TimeInForce
from tradecore.ports.strategy import Idea
from tradecore_backtest import MarketModel, backtest
from tradecore_exchange import Exchange, ExchangeOptions, OrderRequest, Refusal, words

D = Decimal
cents = st.integers(900, 1100)
offsets = st.integers(-60, 60)


@st.composite
def bars(draw: st.DrawFn) -> list[Bar]:
    """A few minutes of about 10 dollars."""
    found = []
    for number in range(draw(st.integers(2, 6))):
        four = sorted(draw(st.tuples(cents, cents, cents, cents)))
        inner = draw(st.permutations(four[1:3]))
        prices = (inner[0], four[3], four[0], inner[1])
        found.append(bar(number, *(f"{price / 100:.2f}" for price in prices), volume=str(draw(st.integers(1, 80)))))
    return found


@st.composite
def ideas(draw: st.DrawFn) -> Idea:
    """An order that the terms allow, at prices near 10 dollars."""
    kind = draw(st.sampled_from(list(OrderType)))
    plain = kind in (OrderType.MARKET, OrderType.LIMIT)
    forces = [TimeInForce.DAY, TimeInForce.GTC] + ([TimeInForce.IOC, TimeInForce.FOK] if plain else [])
    by_percent = draw(st.booleans())
    trails = kind is OrderType.TRAILING_STOP
    return Idea(
        "AAA",
        draw(st.sampled_from(list(Side))),
        D(draw(st.integers(1, 30))),
        "any",
        order_type=kind,
        limit_price=D(1000 + draw(offsets)) / 100 if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=D(1000 + draw(offsets)) / 100 if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        trail_price=D(draw(st.integers(5, 60))) / 100 if trails and not by_percent else None,
        trail_percent=D(draw(st.integers(1, 6))) if trails and by_percent else None,
        time_in_force=draw(st.sampled_from(forces)),
    )


def on_the_exchange(tape: list[Bar], idea: Idea, share: Decimal | None) -> list[tuple[Decimal, Decimal]] | None:
    """Quantity and price of every fill; None when the order is refused."""
    exchange = Exchange({"AAA"}, ExchangeOptions(volume_share=share), start=OPENING)
    exchange.on_bar(tape[0])
    request = OrderRequest(
        idea.symbol,
        idea.side,
        words.OrderType(idea.order_type.value),
        words.TimeInForce(idea.time_in_force.value),
        qty=idea.quantity,
        limit_price=idea.limit_price,
        stop_price=idea.stop_price,
        trail_price=idea.trail_price,
        trail_percent=idea.trail_percent,
    )
    if isinstance(exchange.submit(request), Refusal):
        return None
    for one in tape[1:]:
        exchange.on_bar(one)
    fills = [one for one in exchange.activities if one.kind == "FILL"]
    return [(fill.qty, fill.price) for fill in fills]


@settings(max_examples=300, deadline=None)
@given(bars(), ideas(), st.sampled_from([None, D("0.25")]))
def test_the_assumed_market_is_the_exchange(tape: list[Bar], idea: Idea, share: Decimal | None) -> None:
    result = backtest(tape, Planned({0: idea}), market=MarketModel(volume_share=share))
    wanted = on_the_exchange(tape, idea, share)
    fills = [(fill.quantity, fill.price) for fill in result.fills]
    assert fills == (wanted or [])
    assert all(before.at < behind.at for before, behind in itertools.pairwise(result.fills))
