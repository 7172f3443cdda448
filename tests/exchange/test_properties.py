"""Whatever is asked of the exchange, its books balance, and a restart changes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.play import SYMBOLS, small_floor
from tradecore.domain.values import Side
from tradecore_exchange import Floor, OrderRequest, Refusal
from tradecore_exchange.wire_account import account_json, position_json
from tradecore_exchange.words import OrderType, TimeInForce

wishes = st.builds(
    lambda symbol, side, tif, qty, limit: OrderRequest(
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=tif,
        qty=qty,
        limit_price=limit,
    ),
    symbol=st.sampled_from(SYMBOLS),
    side=st.sampled_from(Side),
    tif=st.sampled_from(TimeInForce),
    qty=st.one_of(st.integers(1, 500).map(Decimal), st.sampled_from([Decimal("0.5"), Decimal("1.123456789")])),
    limit=st.none() | st.integers(100, 400).map(Decimal),
)
inputs = st.lists(st.one_of(wishes, st.integers(1, 100), st.sampled_from(["cancel"])), max_size=30)


def played(script: list[Any]) -> Floor:
    options: dict[str, Any] = {
        "volume_share": Decimal("0.02"),
        "partial_fill_rate": 0.5,
        "fee_per_share": Decimal("0.003"),
    }
    floor = small_floor(**options)
    for step in script:
        if isinstance(step, OrderRequest):
            floor.submit(step)
        elif isinstance(step, int):
            for _ in range(step):
                floor.advance()
        else:
            for order in list(floor.exchange.book.open())[:1]:
                assert not isinstance(floor.cancel(order.id), Refusal)
    return floor


@settings(max_examples=60, deadline=None)
@given(inputs)
def test_cash_and_positions_are_what_the_fills_and_fees_say(script: list[Any]) -> None:
    floor = played(script)
    exchange = floor.exchange
    cash, held = exchange.options.cash, dict.fromkeys(SYMBOLS, Decimal(0))
    for one in exchange.activities:
        if one.kind == "FILL":
            cash -= one.signed_qty * one.price
            held[one.symbol] += one.signed_qty
        else:
            cash += one.net_amount
    assert exchange.account.cash == cash
    assert {symbol: exchange.account.position_qty(symbol) for symbol in SYMBOLS} == held
    assert account_json(floor)["status"] == "ACTIVE"
    for position in exchange.account.positions.values():
        assert abs(Decimal(position_json(floor, position)["qty_available"])) <= abs(position.qty)


@settings(max_examples=60, deadline=None)
@given(inputs)
def test_each_orders_fills_add_up_and_never_exceed_it(script: list[Any]) -> None:
    exchange = played(script).exchange
    for order in exchange.book.all:
        fills = [one for one in exchange.activities if one.order_id == order.id and one.kind == "FILL"]
        assert sum((one.qty for one in fills), Decimal(0)) == order.filled_qty
        assert [one.cum_qty for one in fills] == sorted(one.cum_qty for one in fills)
        assert order.qty is not None
        assert order.filled_qty <= order.qty
        assert (order.status == "filled") == (order.filled_qty == order.qty)
        if order.limit_price is not None:
            assert all((one.price - order.limit_price) * order.side.sign <= 0 for one in fills)


@settings(max_examples=20, deadline=None)
@given(inputs)
def test_the_same_inputs_give_the_same_exchange(script: list[Any]) -> None:
    one, two = played(script).exchange, played(script).exchange
    assert one.book.all == two.book.all
    assert one.activities == two.activities
    assert one.clock == two.clock
