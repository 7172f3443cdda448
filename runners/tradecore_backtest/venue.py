"""The assumed broker: admits orders, matches them against bars, and answers in the words of the outbox."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.identity import fill_id
from tradecore.domain.nanos import NANO, from_nanos
from tradecore.domain.order import OrderState
from tradecore.domain.values import OrderStatus, TradeStatus
from tradecore_backtest.desk import Desk, Moment
from tradecore_backtest.hours import end_of_order
from tradecore_backtest.market import FillAt, MarketModel
from tradecore_backtest.orders import Working, price_step

BROKER_ACCOUNT = "backtest"
_CENT = Decimal("0.01")
_NINE = Decimal("1e-9")
_BPS = 10_000
_ENDED = (TradeStatus.CLOSED, TradeStatus.ABANDONED)


@attrs.frozen
class Prices:
    """A bar in whole numbers, and when it ends."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    end: Moment


class Venue:
    """Open orders by symbol, and what becomes of them. `last` has the last price of every symbol, in billionths."""

    def __init__(self, desk: Desk, model: MarketModel, last: dict[str, int]) -> None:
        self.open: dict[str, list[Working]] = {}
        self._desk = desk
        self._model = model
        self._last = last
        self._count = 0
        self._fills = 0
        self._at_close = model.fill_at is FillAt.CLOSE
        self._slips = bool(model.slippage or model.slippage_bps)
        self._charges = bool(model.fee_per_unit or model.fee_per_order or model.fee_bps)

    # --- orders in --------------------------------------------------------------------------------------------------

    def submit(self, order: OrderState, moment: Moment) -> None:
        """Send a queued order: the attempt is recorded, then the answer, an admission or a refusal."""
        desk, order_id = self._desk, order.order_id
        desk.take(cmd.StartSubmit(order_id, "backtest", order.body_hash, moment.at, 1), moment, "outbox")
        refusal = self._refusal(order)
        if refusal is not None:
            desk.take(cmd.RecordRejection(order_id, *refusal, "", 1), moment, "outbox")
            self._let_go(order_id)
            return
        self._count += 1
        answer = cmd.RecordAnswer(order_id, f"bt-{self._count}", OrderStatus.NEW, Decimal(0), moment.at, "")
        desk.take(answer, moment, "outbox")
        accepted = desk.order(order_id)
        assert accepted is not None, "it was just answered"
        ends = end_of_order(order.time_in_force, order.extended_hours, moment.at)
        self.open.setdefault(order.symbol, []).append(Working(accepted, self._count, ends))

    def _refusal(self, order: OrderState) -> tuple[str, str] | None:
        """Code and words of the embedded exchange for an order that it would not take, or None."""
        others = self.open.get(order.symbol, ())
        held = self._desk.account.position(order.symbol).quantity
        sign, last = order.side.sign, self._last.get(order.symbol, 0)
        wanted = order.remaining
        if order.stop_price is not None and last:
            gap = (order.stop_price - from_nanos(last)) * sign
            if gap <= 0:
                return "422", "the stop price has been passed by the market already"
        if held * sign < 0:
            promised = sum((from_nanos(one.left or 0) for one in others if one.sign == sign), Decimal(0))
            if wanted > abs(held) - promised:
                return "403/40310000", f"insufficient qty available for order (requested: {wanted}, held: {held})"
            return None
        if sign < 0 and not self._model.shorting:
            return "403/40310000", "account is not allowed to short"
        if any(one.sign != sign for one in others):
            return "403/40310000", "opposite side market/stop order exists"
        cost = wanted * (order.limit_price or order.stop_price or from_nanos(last))
        free = self._buying_power()
        if cost > free:
            return "403/40310000", f"insufficient buying power (available: {free:.2f}, cost: {cost:.2f})"
        return None

    def _buying_power(self) -> Decimal:
        account = self._desk.account
        gross, equity = Decimal(0), account.cash
        for symbol, position in account.positions.items():
            value = position.quantity * from_nanos(self._last.get(symbol, 0))
            gross, equity = gross + abs(value), equity + value
        for symbol, orders in self.open.items():
            side = account.position(symbol).quantity
            for one in orders:
                if side * one.sign >= 0:
                    gross += from_nanos(one.left or 0) * from_nanos(one.limit or self._last.get(symbol, 0))
        return max(Decimal(0), equity * self._model.multiplier - gross)

    # --- the market moves -------------------------------------------------------------------------------------------

    def match(self, symbol: str, bar: Prices, start_ns: int) -> None:
        """Orders that were there before the bar trade within it, oldest first."""
        share = self._model.volume_share
        pool = None if share is None else int(share * bar.volume)
        for order in tuple(self.open.get(symbol, ())):
            if order.expires <= start_ns:
                self.end(order, OrderStatus.EXPIRED, bar.end)
                continue
            price = order.price_in(bar.open, bar.high, bar.low, bar.close, at_close=self._at_close)
            filled = 0
            if price is not None:
                filled = self._quantity(order, price, pool)
                if filled:
                    self._fill(order, filled, price, bar)
                if pool is not None:
                    pool -= filled
            if order.active and order.immediate:
                self.end(order, OrderStatus.CANCELED, bar.end)

    def _quantity(self, order: Working, price: int, pool: int | None) -> int:
        if order.left is None:
            assert order.notional is not None, "an order has a quantity or an amount"
            wanted = order.notional * NANO // price
        else:
            wanted = order.left
        if pool is None or wanted <= pool:
            return wanted
        if order.kill:
            return 0
        return pool // NANO * NANO if order.whole else pool

    def _fill(self, order: Working, quantity: int, price: int, bar: Prices) -> None:
        if self._slips and order.limit is None:
            price = self._slipped(order, price)
        units, at_price = from_nanos(quantity), from_nanos(price)
        state = self._desk.order(order.order_id)
        assert state is not None, "an open order is known"
        cumulative = state.filled_qty + units
        self._fills += 1
        fees = self._fees(units, at_price, is_first=not state.filled_qty) if self._charges else Decimal(0)
        identity = fill_id(BROKER_ACCOUNT, order.broker_id, str(cumulative))
        self._desk.take(
            cmd.RecordFill(
                fill_id=identity,
                order_id=order.order_id,
                broker_order_id=order.broker_id,
                execution_id=f"bt-x{self._fills}",
                quantity=units,
                price=at_price,
                cumulative_qty=cumulative,
                fees=fees,
                occurred_at=bar.end.at,
                source="backtest",
                raw="",
            ),
            bar.end,
            "inbox",
        )
        self._desk.forget(streams.fill(identity))
        if order.left is None:
            self.end(order, OrderStatus.FILLED, bar.end)
            return
        order.left -= quantity
        if not order.left:
            self._remove(order)

    def _slipped(self, order: Working, price: int) -> int:
        step = price_step(price, order.symbol)
        model = self._model
        worse = from_nanos(price) * model.slippage_bps / _BPS + model.slippage
        steps = -(-int((worse / _NINE).to_integral_value(ROUND_HALF_EVEN)) // step)
        return max(step, price + order.sign * steps * step)

    def _fees(self, units: Decimal, price: Decimal, *, is_first: bool) -> Decimal:
        model = self._model
        fees = units * model.fee_per_unit + units * price * model.fee_bps / _BPS
        if is_first:
            fees += model.fee_per_order
        return fees.quantize(_CENT if model.fee_cents else _NINE, ROUND_HALF_UP)

    # --- ends -------------------------------------------------------------------------------------------------------

    def end(self, order: Working, status: OrderStatus, moment: Moment) -> None:
        """The broker's last word on an order."""
        state = self._desk.order(order.order_id)
        assert state is not None, "an open order is known"
        report = cmd.RecordReport(
            order.order_id, order.broker_id, status, state.filled_qty, moment.at, "backtest", ""
        )  # fmt: skip
        self._desk.take(report, moment, "inbox")
        self._remove(order)

    def end_if(self, wanted: Callable[[Working], bool], status: OrderStatus, moment: Moment) -> None:
        """End every open order that `wanted` picks."""
        for orders in tuple(self.open.values()):
            for order in tuple(orders):
                if wanted(order):
                    self.end(order, status, moment)

    def _remove(self, order: Working) -> None:
        order.active = False
        left = self.open[order.symbol]
        left.remove(order)
        if not left:
            del self.open[order.symbol]
        self._let_go(order.order_id)

    def _let_go(self, order_id: str) -> None:
        """Nothing more will be recorded of an order that ended, nor of a trade with the last of its orders."""
        order = self._desk.order(order_id)
        if order is None or not order.is_settled:
            return
        self._desk.forget(streams.order(order_id))
        trade = self._desk.trade(order.trade_id)
        if trade is not None and trade.status in _ENDED and not trade.working_orders:
            self._desk.forget(streams.trade(order.trade_id))
