"""What changes an account from outside: orders of others, cash and splits of the broker, a person's adjustment."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain import account, restating, streams, trade
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState
from tradecore.domain.commands import AdoptOrder, BookActivity, BookAdjustment
from tradecore.domain.identity import derived_id, trade_id_of_order
from tradecore.domain.order_state import OrderState
from tradecore.domain.position import apply_fill
from tradecore.domain.reducing import EXTERNAL
from tradecore.domain.values import ZERO, TradeStatus, minus, plus, rounded_down_to_nine, times
from tradecore.draft import Draft
from tradecore.errors import InputError

_CASH_KINDS = ("dividend", "fee", "interest", "deposit", "withdrawal", "other")


def adopt_order(draft: Draft, command: AdoptOrder) -> None:
    """Take up an order that others placed: it counts against the limits, and its fills belong to a trade.

    An order that took the place of one of ours goes on for that one's strategy and trade; any other is `external`.
    """
    if draft.order(command.order_id) is not None:
        return
    old = None if command.replaces is None else draft.order(command.replaces)
    holder = draft.account(command.account)
    strategy = EXTERNAL if old is None else old.strategy
    trade_id = _trade_of(draft, command, holder, old)
    adopted = ev.OrderAdopted(
        order_id=command.order_id,
        client_order_id=command.client_order_id,
        broker_order_id=command.broker_order_id,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        quantity=command.quantity,
        notional=command.notional,
        order_type=command.order_type,
        limit_price=command.limit_price,
        stop_price=command.stop_price,
        time_in_force=command.time_in_force,
        strategy=strategy,
        trade_id=trade_id,
        reference_price=command.reference_price,
        status=command.status,
        updated_at=command.updated_at,
        raw=command.raw,
        replaces=command.replaces,
        filled_before=command.filled_before,
    )
    draft.add(streams.order(command.order_id), [adopted])
    state = draft.order(command.order_id)
    assert state is not None, "it was just adopted"
    draft.add(streams.account(command.account), account.reserve_again(holder, state))
    if old is not None and old.replaced_by is None:
        requested = ev.ReplaceRequested(old.order_id, command.order_id, "replaced at the broker by somebody else")
        draft.add(streams.order(old.order_id), [requested])
    idea = draft.trade(trade_id)
    if idea is None:
        draft.add(streams.trade(trade_id), trade.adopt(command, trade_id))
        idea = draft.trade(trade_id)
    assert idea is not None, "it was just proposed"
    draft.add(streams.trade(trade_id), trade.work(idea, command.order_id, command.side))


def _trade_of(draft: Draft, command: AdoptOrder, holder: AccountState, old: OrderState | None) -> str:
    if old is not None:
        return old.trade_id
    for trade_id in holder.trades_for(EXTERNAL, command.symbol):
        idea = draft.trade(trade_id)
        if idea is not None and idea.status not in (TradeStatus.CLOSED, TradeStatus.ABANDONED):
            return trade_id
    return trade_id_of_order(command.order_id)


def book_activity(draft: Draft, command: BookActivity) -> None:
    """Book what the broker did to the account by itself, once. Raises `InputError` for what has no meaning in books."""
    holder = draft.account(command.account)
    names = command.activity_id.split("+")  # the rows of one split are booked as one
    places = [streams.activity(derived_id("activity", holder.broker_account_id or "", name)) for name in names]
    if any(name in holder.opening_activities for name in names) or any(draft.exists(place) for place in places):
        return
    if command.kind == "split":
        booked = _split(draft, command, holder)
    elif command.kind in _CASH_KINDS and command.amount and not (command.kind == "other" and command.quantity):
        cash = ev.CashBooked(
            command.account, command.activity_id, command.kind, command.symbol, command.amount, command.occurred_at
        )
        booked = [(streams.account(command.account), cash)]
    else:
        raise InputError("activity", command.kind, "cash of a known kind, or a split of a symbol")
    recorded = ev.ActivityRecorded(
        command.account, command.activity_id, command.kind, command.symbol,
        command.amount, command.quantity, command.occurred_at, command.raw,
    )  # fmt: skip
    for place in places:
        draft.add(place, [recorded])
    for name, event in booked:
        draft.add(name, [event])


def _split(draft: Draft, command: BookActivity, holder: AccountState) -> list[tuple[str, ev.Event]]:
    symbol, change = command.symbol, command.quantity
    if not symbol or not change:
        raise InputError("split", command.raw, "a symbol and a change of units")
    if not plus(holder.position(symbol).quantity, change):  # what they cost would be gone before the others come
        raise InputError("split", command.raw, "the row of the units that come in for those that go out beside it")
    shares = _shares(holder, symbol, change)
    step = restating.split_position(holder.position(symbol), command.activity_id, change)
    split = ev.PositionSplit(
        account=command.account,
        symbol=symbol,
        signed_qty=change,
        cash_delta=ZERO,
        realised_pnl=step.gross_pnl,
        quantity_after=step.after.quantity,
        lots=restating.open_lots(step.after),
        activity_id=command.activity_id,
        shares=shares,
        occurred_at=command.occurred_at,
    )
    events: list[tuple[str, ev.Event]] = [(streams.account(command.account), split)]
    for share in shares:
        idea = draft.trade(share.trade_id)
        assert idea is not None, "a holding names its trade"
        happened = trade.split_units(idea, command.activity_id, share.signed_qty, command.occurred_at)
        events.extend((streams.trade(share.trade_id), event) for event in happened)
        events += _split_exits(draft, share, command.activity_id, idea.position.quantity)
    return events


def _split_exits(draft: Draft, share: ev.TradeShare, activity_id: str, held: Decimal) -> list[tuple[str, ev.Event]]:
    """Stops, targets and ladders were meant for the units of before."""
    after = plus(held, share.signed_qty)
    if draft.exits(share.trade_id) is None or not after:
        return []
    return [(streams.exits(share.trade_id), ev.ExitsSplit(share.trade_id, activity_id, held, after))]


def _shares(holder: AccountState, symbol: str, change: Decimal) -> tuple[ev.TradeShare, ...]:
    """What of a split belongs to each trade, in proportion; units that no trade holds keep the rest."""
    held = holder.position(symbol).quantity
    holdings = [(strategy, holding) for (strategy, of), holding in holder.holdings.items() if of == symbol]
    if not held:
        return ()
    parts = [rounded_down_to_nine(times(holding.quantity, change), held) for _, holding in holdings]
    free, given = held, ZERO
    for (_, holding), part in zip(holdings, parts, strict=True):
        free, given = minus(free, holding.quantity), plus(given, part)
    if parts and not free:
        parts[-1] = plus(parts[-1], minus(change, given))
    return tuple(
        ev.TradeShare(strategy, holding.trade_id, part)
        for (strategy, holding), part in zip(holdings, parts, strict=True)
        if part
    )


def book_adjustment(draft: Draft, command: BookAdjustment) -> None:
    """Take over a position or cash from the broker, against equity: nothing is earned or lost by it.

    Raises `InputError` where the books have changed since a person looked.
    """
    holder = draft.account(command.account)
    position = holder.position(command.symbol) if command.symbol else restating.position_of(())
    ours = position.quantity if command.symbol else holder.cash
    if command.instead_of is not None and command.instead_of != ours:
        raise InputError("difference", command.instead_of, f"what the books say, which is {ours:f} by now")
    if command.symbol:
        position = apply_fill(position, command.difference_id, command.signed_qty, command.price).after
    booked = ev.AdjustmentBooked(
        account=command.account,
        symbol=command.symbol,
        signed_qty=command.signed_qty,
        cash_delta=command.cash_delta,
        realised_pnl=ZERO,
        quantity_after=position.quantity,
        lots=restating.open_lots(position),
        difference_id=command.difference_id,
        price=command.price,
        reason=command.reason,
    )
    draft.add(streams.account(command.account), [booked])
