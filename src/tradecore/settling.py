"""Settling: what an order's end, or its coming back, means for its account, its trade and what depended on it."""

from __future__ import annotations

from tradecore.domain import account, order, streams, trade
from tradecore.domain import events as ev
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import legs_of
from tradecore.domain.values import ZERO, OrderStatus
from tradecore.draft import Draft


def count_again(draft: Draft, before: order.OrderState) -> None:
    """An order that was given up and arrived after all can fill: its size counts again, and it works for its trade."""
    if before.leg is not None or not before.is_settled:  # legs only reduce, and reserve nothing
        return
    after = draft.order(before.order_id)
    assert after is not None, "an order does not vanish"
    if after.is_settled:
        return
    draft.add(streams.account(after.account), account.reserve_again(draft.account(after.account), before))
    idea = draft.trade(after.trade_id)
    assert idea is not None, "an order names its trade"
    if after.order_id not in idea.working_orders:
        draft.add(streams.trade(after.trade_id), trade.work(idea, after.order_id, after.side))


def settle(draft: Draft, before: order.OrderState) -> None:
    """An order that is settled now reserves nothing more, and its trade and what depended on it learn it."""
    if before.is_settled:
        return
    after = draft.order(before.order_id)
    assert after is not None, "an order does not vanish"
    if not after.is_settled:
        return
    _end_followers(draft, after)
    draft.add(streams.account(after.account), account.release(draft.account(after.account), after.order_id))
    idea = draft.trade(after.trade_id)
    assert idea is not None, "an order names its trade"
    draft.add(streams.trade(after.trade_id), trade.finish_order(idea, after.order_id, f"order {after.status.value}"))


def _end_followers(draft: Draft, ended: order.OrderState) -> None:
    """What depended on an order that the broker never had, or refused: its legs, and the order it was to replace."""
    if ended.broker_order_id is not None and ended.status is not OrderStatus.REJECTED:
        return
    for leg in legs_of(ended):
        follower = draft.order(leg_order_id(ended.order_id, leg.value))
        if follower is None or follower.status.is_terminal or follower.broker_order_id is not None:
            continue
        reason = f"the order that it belongs to is {ended.status.value}"
        draft.add(streams.order(follower.order_id), [ev.OrderCanceled(follower.order_id, reason, ZERO, "")])
        settle(draft, follower)
    if ended.replaces is not None:
        old = draft.order(ended.replaces)
        if old is not None and not old.status.is_terminal and old.replaced_by == ended.order_id:
            reason = f"its replacement is {ended.status.value}"
            draft.add(streams.order(old.order_id), [ev.ReplaceFailed(old.order_id, ended.order_id, reason)])
