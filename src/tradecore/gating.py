"""Gating: an order as the gate sees it, the gate's word on it, and what of both is recorded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.account import AccountState, worst_quantity
from tradecore.domain.commands import PlaceOrder
from tradecore.domain.gate.dynamics import Scale, scale_of, scaled
from tradecore.domain.gate.figures import Ask, scopes_of
from tradecore.domain.gate.standing import standing_of
from tradecore.domain.gate.verdict import Verdict, judge
from tradecore.domain.limits import Action
from tradecore.domain.listing import Listing
from tradecore.domain.order_state import OrderState
from tradecore.domain.session import hours_at

_NOTHING: frozenset[str] = frozenset()


@attrs.frozen
class Occasion:
    """When and by whom a command is given, and the epoch of new client order ids."""

    epoch: str
    now: dt.datetime
    actor: str


@attrs.frozen
class Gated:
    """An order after the gate: what was asked, and the verdict."""

    ask: Ask
    verdict: Verdict
    scale: Scale = Scale()

    @property
    def reason(self) -> str:
        """Why not, in a sentence, with what made limits smaller than they say."""
        why = f" (limits at {self.scale.factor}: {', '.join(self.scale.reasons)})" if self.scale.reasons else ""
        return f"{self.verdict.reason}{why}"

    @property
    def rule(self) -> str:
        """The limit that decides; empty when the order is within all of them."""
        return self.verdict.decisive.rule if self.verdict.decisive is not None else ""

    @property
    def checks(self) -> str:
        """Every rule with what was found and what is allowed, in a line."""
        told = [f"limits at {self.scale.factor} ({reason})" for reason in self.scale.reasons]
        return "; ".join((*told, *(f"{one.rule}: {one.found} ({one.allowed})" for one in self.verdict.checks)))


def _judged(
    account: AccountState, ask: Ask, here: Occasion, instead_of: str | None = None, set_aside: frozenset[str] = _NOTHING
) -> Gated:
    standing = standing_of(account, ask, here.now, instead_of)
    scale = scale_of(account.limits, ask, standing)
    return Gated(ask, judge(scaled(account.limits, scale.factor), ask, standing, set_aside), scale)


def gate_order(account: AccountState, command: PlaceOrder, here: Occasion) -> Gated:
    """Hold a new order against the limits. Raises `InputError` when its worst quantity cannot be told."""
    proposal = command.proposal
    known = account.exposure.marks.get(command.symbol)
    reference = command.reference_price if command.reference_price is not None else known
    ask = Ask(
        symbol=command.symbol,
        side=command.side,
        quantity=worst_quantity(command),
        purpose=command.purpose,
        strategy=command.strategy,
        actor=here.actor,
        at=here.now,
        limit_price=command.limit_price,
        reference_price=_with_stop(reference, command.stop_price, command.limit_price),
        price_at=proposal.data_as_of if proposal is not None and command.reference_price is not None else None,
        confidence=proposal.confidence if proposal is not None else None,
        is_decision=proposal is not None,
        tradable=command.tradable,
        whole_only=command.whole_only,
        by_amount=command.notional is not None,
        not_lent=command.not_lent,
        session=hours_at(command.symbol, here.now),
        repeat_is_meant=command.is_repeat,
        volatility=command.volatility,
        approval=command.approval,
    )
    return _judged(account, ask, here)


def gate_replacement(
    account: AccountState, order: OrderState, new: ev.OrderPlanned, listing: Listing, here: Occasion
) -> Gated:
    """Hold a replacement against the limits; the order that it replaces makes room for it."""
    assert new.quantity is not None, "an order of an amount of money is not replaced"
    known = account.exposure.marks.get(new.symbol, new.reference_price)
    ask = Ask(
        symbol=new.symbol,
        side=new.side,
        quantity=new.quantity,
        purpose=new.purpose,
        strategy=new.strategy,
        actor=here.actor,
        at=here.now,
        limit_price=new.limit_price,
        reference_price=_with_stop(known, new.stop_price, new.limit_price),
        tradable=listing.tradable,
        whole_only=listing.whole_only,
        not_lent=listing.not_lent,
        session=hours_at(new.symbol, here.now),
        repeat_is_meant=True,
    )
    return _judged(account, ask, here, order.order_id)


_JUDGED_BEFORE = frozenset(
    {
        "max_repeats",
        "max_orders_per_minute",
        "max_orders_per_day",
        "max_notional_per_day",
        "max_price_age_s",
        "approve_all",
    }
)
"""Limits that an order which waited for a person was held against when it was placed, and counts for since."""


def gate_again(account: AccountState, order: OrderState, listing: Listing, here: Occasion) -> Gated:
    """Hold an order that waited for a person against the limits as they are now, but for those that were approved."""
    assert order.approval is not None, "only what waited is judged again"
    ask = _ask_of(account, order, listing, here)
    counted = (f"{scope.key} {rule}" for scope in scopes_of(account.limits, ask) for rule in _JUDGED_BEFORE)
    set_aside = _JUDGED_BEFORE.union(order.approval.rules, counted)
    return _judged(account, ask, here, order.order_id, set_aside)


def gate_planned(account: AccountState, order: OrderState, listing: Listing, here: Occasion) -> Gated:
    """Hold an order against limits that were not there when it was placed. Limits that count orders count it twice."""
    return _judged(account, _ask_of(account, order, listing, here), here, order.order_id)


def _ask_of(account: AccountState, order: OrderState, listing: Listing, here: Occasion) -> Ask:
    """An order that is on record already."""
    known = account.exposure.marks.get(order.symbol, order.reference_price)
    return Ask(
        symbol=order.symbol,
        side=order.side,
        quantity=order.remaining,
        purpose=order.purpose,
        strategy=order.strategy,
        actor=account.reservations[order.order_id].agent,
        at=here.now,
        limit_price=order.limit_price,
        reference_price=_with_stop(known, order.stop_price, order.limit_price),
        tradable=listing.tradable,
        whole_only=listing.whole_only,
        by_amount=order.notional is not None,
        not_lent=listing.not_lent,
        session=hours_at(order.symbol, here.now),
        repeat_is_meant=True,
    )


def _with_stop(reference: Decimal | None, stop: Decimal | None, limit: Decimal | None) -> Decimal | None:
    """A stop order without a limit price fills about its stop, or worse for whoever buys."""
    if stop is None or limit is not None:
        return reference
    return stop if reference is None else max(stop, reference)


def reserve_order(account: AccountState, command: PlaceOrder, trade_id: str, gated: Gated) -> ev.ReservationMade:
    """Count the order at full size from here on."""
    return _reserve(account, command.order_id, trade_id, gated)


def reserve_replacement(account: AccountState, old: OrderState, new: ev.OrderPlanned, gated: Gated) -> ev.Event:
    """Count what the replacement adds: until the old order ends either may fill, but not both in full."""
    return _reserve(account, new.order_id, new.trade_id, gated, replaces=old.order_id)


def _reserve(
    account: AccountState, order_id: str, trade_id: str, gated: Gated, replaces: str | None = None
) -> ev.ReservationMade:
    ask = gated.ask
    return ev.ReservationMade(
        account=account.account,
        order_id=order_id,
        trade_id=trade_id,
        strategy=ask.strategy,
        symbol=ask.symbol,
        side=ask.side,
        quantity=ask.quantity,
        limits_version=account.limits.version,
        replaces=replaces,
        agent=ask.actor,
        at=ask.at,
        price=ask.price,
        limit_price=ask.limit_price,
        checks=gated.checks,
        factor=gated.scale.factor,
    )


def warning(account: str, order_id: str, gated: Gated) -> list[ev.Event]:
    """What is recorded of an order that goes on although it is outside a limit."""
    if gated.verdict.action is not Action.WARN:
        return []
    return [ev.LimitWarned(account, order_id, gated.ask.symbol, gated.rule, gated.reason)]


def ask_a_person(account: AccountState, order_id: str, gated: Gated, here: Occasion) -> ev.ApprovalRequested:
    """The order is recorded and counted; whether it is sent is for a person to say."""
    until = here.now + dt.timedelta(seconds=float(account.limits.approval_s))
    return ev.ApprovalRequested(order_id, gated.verdict.outside, gated.reason, until)


def reduced(command: PlaceOrder, quantity: Decimal) -> PlaceOrder:
    """The same order at a smaller quantity; the proposal stays what was proposed."""
    return attrs.evolve(command, quantity=quantity, notional=None)
