"""From the tape to rows: what became of every order, execution and trade."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from tradecore.domain import events as ev
from tradecore.domain import order, trade
from tradecore.domain.nanos import instant
from tradecore.domain.values import ZERO, rounded_quotient
from tradecore_backtest.desk import Unit
from tradecore_backtest.rows import FillRow, OrderRow, TradeRow


def order_rows(tape: Sequence[Unit]) -> list[OrderRow]:
    """Every order, in the order of placing."""
    states: dict[str, order.OrderState] = {}
    placed: dict[str, dt.datetime] = {}
    ended: dict[str, dt.datetime] = {}
    for unit in tape:
        for stream, event in unit.events:
            if not stream.startswith("order-"):
                continue
            key = stream[6:]
            before = states.get(key)
            after = states[key] = order.evolve(before, event)
            if before is None:
                placed[key] = instant(unit.ns)
            elif after.status.is_terminal and not before.status.is_terminal:
                ended[key] = instant(unit.ns)
    return [_order_row(state, placed[key], ended.get(key)) for key, state in states.items()]


def _order_row(state: order.OrderState, placed: dt.datetime, ended: dt.datetime | None) -> OrderRow:
    return OrderRow(
        order_id=state.order_id,
        trade_id=state.trade_id,
        decision_id=state.decision_id,
        strategy=state.strategy,
        symbol=state.symbol,
        side=state.side,
        quantity=state.quantity,
        order_type=state.order_type,
        limit_price=state.limit_price,
        stop_price=state.stop_price,
        time_in_force=state.time_in_force,
        status=state.status,
        placed_at=placed,
        ended_at=ended,
        filled_qty=state.filled_qty,
        average_price=rounded_quotient(state.filled_value, state.filled_qty) if state.filled_qty else None,
    )


def fill_rows(tape: Sequence[Unit]) -> list[FillRow]:
    """Every execution, by time."""
    return [_fill_row(event) for unit in tape for _, event in unit.events if isinstance(event, ev.FillRecorded)]


def _fill_row(event: ev.FillRecorded) -> FillRow:
    return FillRow(
        event.fill_id, event.order_id, event.trade_id, event.symbol, event.side,
        event.quantity, event.price, event.fees, event.occurred_at,
    )  # fmt: skip


def trade_rows(tape: Sequence[Unit]) -> list[TradeRow]:
    """Every trade that was not refused, in the order of beginning."""
    states: dict[str, trade.TradeState] = {}
    sums: dict[str, list[Decimal]] = {}  # entered units and value, left units and value
    for unit in tape:
        for stream, event in unit.events:
            if not stream.startswith("trade-"):
                continue
            key = stream[6:]
            states[key] = trade.evolve(states.get(key), event)
            if isinstance(event, ev.TradeFilled):
                total = sums.setdefault(key, [ZERO, ZERO, ZERO, ZERO])
                place = 0 if event.signed_qty * states[key].side.sign > 0 else 2
                total[place] += abs(event.signed_qty)
                total[place + 1] += abs(event.signed_qty) * event.price
    nothing = [ZERO, ZERO, ZERO, ZERO]
    return [_trade_row(state, sums.get(key, nothing)) for key, state in states.items() if key in sums]


def _trade_row(state: trade.TradeState, sums: Sequence[Decimal]) -> TradeRow:
    entered, entry_value, left, exit_value = sums
    return TradeRow(
        trade_id=state.trade_id,
        strategy=state.strategy,
        symbol=state.symbol,
        side=state.side,
        quantity=entered,
        entry_price=rounded_quotient(entry_value, entered) if entered else None,
        exit_price=rounded_quotient(exit_value, left) if left else None,
        opened_at=state.opened_at,
        closed_at=state.closed_at,
        realised_pnl=state.realised_pnl,
        fees=state.fees,
        status=state.status,
        open_qty=state.position.quantity,
    )
