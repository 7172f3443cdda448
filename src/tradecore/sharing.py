"""Which trades a fill belongs to: the one that holds the position, and, through zero, the one that begins there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import attrs

from tradecore import leaving
from tradecore.domain import account, streams, trade
from tradecore.domain import events as ev
from tradecore.domain.identity import derived_id, successor_trade_id
from tradecore.domain.order_state import OrderState
from tradecore.domain.position import apply_fill
from tradecore.domain.values import ZERO, Side, TradeStatus
from tradecore.draft import Draft


@attrs.frozen
class Execution:
    """What is shared out: a fill, or what a correction made of it. `quantity` is unsigned."""

    fill_id: str
    order: OrderState
    quantity: Decimal
    price: Decimal
    fees: Decimal
    occurred_at: dt.datetime


def share_out(draft: Draft, execution: Execution) -> tuple[ev.FillPart, ...]:
    """Book a fill into its trades and into the account; returns its parts, with the lots that each closed."""
    order, holder = execution.order, draft.account(execution.order.account)
    shares = _share_among_trades(draft, execution, holder)
    booked = account.book(
        holder, order, execution.fill_id, execution.price, execution.fees, tuple(share[:2] for share in shares)
    )
    draft.add(streams.account(order.account), booked)
    return tuple(
        ev.FillPart(trade_id, part, change.closed_lots, closed)
        for (trade_id, part, closed), change in zip(shares, booked, strict=True)
    )


def _share_among_trades(
    draft: Draft, execution: Execution, holder: account.AccountState
) -> list[tuple[str, Decimal, tuple[ev.ClosedLot, ...]]]:
    order = execution.order
    holding = holder.holdings.get((order.strategy, order.symbol))
    among = [order.trade_id] if holding is None else list(holding.trades)
    among.sort(key=lambda trade_id: trade_id != order.trade_id)
    shares = []
    fees = execution.fees
    for trade_id, part in _parts(draft, among, order.side.sign * execution.quantity, execution.fill_id):
        owner = draft.trade(trade_id)
        assert owner is not None, "an order names its trade"
        closed = apply_fill(owner.position, execution.fill_id, part, execution.price).closed
        share = trade.TradeFill(order.order_id, execution.fill_id, part, execution.price, fees, execution.occurred_at)
        draft.add(streams.trade(trade_id), trade.fill(owner, share))
        shares.append((trade_id, part, closed))
        fees = ZERO
    return shares


def _parts(draft: Draft, among: list[str], signed: Decimal, fill_id: str) -> Iterator[tuple[str, Decimal]]:
    """What each of these trades gets; what goes through zero belongs to a trade that begins with it."""
    left = signed
    for trade_id in among:
        idea = draft.trade(trade_id)
        assert idea is not None, "an order names its trade"
        if idea.status in (TradeStatus.CLOSED, TradeStatus.ABANDONED):
            continue
        own, left = trade.split(idea, left)
        yield trade_id, own
        if not left:
            return
    before = draft.trade(among[0])
    assert before is not None, "an order names its trade"
    trade_id = successor_trade_id(before.trade_id, fill_id)
    if draft.trade(trade_id) is None:
        draft.add(streams.trade(trade_id), trade.succeed(before, trade_id, Side.BUY if left > 0 else Side.SELL))
    yield trade_id, left


def keep_in_one_trade(draft: Draft, before: account.AccountState, revised: Execution, revision: str) -> None:
    """Have one trade hold what a strategy holds, after a revised fill gave units back to one that was over.

    They go, at the price of that fill, to the trade that held `before`, or else to one whose entry works on that side:
    who closes, stops or adds looks at one trade.
    """
    order = revised.order
    holding = draft.account(order.account).holdings.get((order.strategy, order.symbol))
    for trade_id in () if holding is None else holding.trades:
        gives = draft.trade(trade_id)
        assert gives is not None, "a holding names its trade"
        keeper = _keeper(draft, before, gives)
        if keeper is not None:
            _move(draft, revised, gives, keeper, derived_id("moved", revised.fill_id, revision, trade_id))


def _keeper(draft: Draft, before: account.AccountState, gives: trade.TradeState) -> str | None:
    """The trade that the units go to, None where they stay: the first that was there, unless it is this one."""
    live = before.trades_for(gives.strategy, gives.symbol)
    if gives.trade_id in live[:1]:
        return None
    was_held = before.held(gives.strategy, gives.symbol)
    is_long = gives.position.quantity > 0
    for trade_id in live:
        idea = draft.trade(trade_id)
        if idea is None or idea.status in (TradeStatus.CLOSED, TradeStatus.ABANDONED):
            continue
        if idea.position.quantity if was_held else (idea.side is Side.BUY) == is_long:
            return trade_id
    return None


def _move(draft: Draft, revised: Execution, gives: trade.TradeState, keeper: str, fill_id: str) -> None:
    order, units = revised.order, gives.position.quantity
    shares = []
    for trade_id, part in ((gives.trade_id, -units), *_parts(draft, [keeper], units, fill_id)):
        owner = draft.trade(trade_id)
        assert owner is not None, "a holding names its trade"
        share = trade.TradeFill(order.order_id, fill_id, part, revised.price, ZERO, revised.occurred_at, True)
        draft.add(streams.trade(trade_id), trade.fill(owner, share))
        if trade_id not in (gives.trade_id, keeper):
            leaving.carry(draft, gives.trade_id, trade_id)
        shares.append(ev.TradeShare(order.strategy, trade_id, part))
    moved = ev.HoldingMoved(order.account, order.symbol, revised.fill_id, tuple(shares))
    draft.add(streams.account(order.account), [moved])
