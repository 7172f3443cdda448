"""Which trades a fill belongs to: the one that holds the position, and, through zero, the one that begins there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain import account, streams, trade
from tradecore.domain import events as ev
from tradecore.domain.identity import successor_trade_id
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
    idea = draft.trade(holding.trade_id if holding else order.trade_id)
    assert idea is not None, "an order names its trade"
    signed = order.side.sign * execution.quantity
    own, through = trade.split(idea, signed)
    if idea.status in (TradeStatus.CLOSED, TradeStatus.ABANDONED):
        own, through = ZERO, signed
    shares = []
    fees = execution.fees
    for trade_id, part in ((idea.trade_id, own), (successor_trade_id(idea.trade_id, execution.fill_id), through)):
        if not part:
            continue
        if draft.trade(trade_id) is None:
            draft.add(streams.trade(trade_id), trade.succeed(idea, trade_id, Side.BUY if part > 0 else Side.SELL))
        owner = draft.trade(trade_id)
        assert owner is not None, "it was just proposed"
        closed = apply_fill(owner.position, execution.fill_id, part, execution.price).closed
        share = trade.TradeFill(order.order_id, execution.fill_id, part, execution.price, fees, execution.occurred_at)
        draft.add(streams.trade(trade_id), trade.fill(owner, share))
        shares.append((trade_id, part, closed))
        fees = ZERO
    return shares
