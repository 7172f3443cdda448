"""Whose is a broker's order? Found by client id, by broker id, as a leg of ours, or by what it replaced."""

from __future__ import annotations

from collections.abc import Iterator

from tradecore.domain import events as ev
from tradecore.domain.identity import derived_id, leg_order_id
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import Leg, OrderType
from tradecore.ledger import Ledger
from tradecore.ports.broker import BrokerOrder
from tradecore.views import read_row

_AT_HAND = 20_000
"""Orders by the broker's id that are kept in memory."""

_MOST_LATE = 1_000
"""Legs that were given up and are looked for when a strange order is met."""

_ROLES = {
    OrderType.LIMIT.value: Leg.TAKE_PROFIT,
    OrderType.STOP.value: Leg.STOP_LOSS,
    OrderType.STOP_LIMIT.value: Leg.STOP_LOSS,
}


class Attribution:
    """Who is who at the broker, as far as it was told."""

    def __init__(self, ledger: Ledger, account: str) -> None:
        self._ledger = ledger
        self._account = account
        self._order_of: dict[str, str] = {}  # broker order id -> order id, of those that were told lately
        self._parents: dict[str, set[str]] = {}  # order id -> legs that the broker has not shown yet
        self._late: dict[str, str] = {}  # leg that was given up, and may still show -> order id

    def observe(self, event: ev.Event) -> None:
        """Take in an event: who got which id at the broker, and which legs are to be expected."""
        if isinstance(event, ev.OrderAccepted | ev.OrderAdopted):
            self.learn(event.broker_order_id, event.order_id)
        elif isinstance(event, ev.OrderPlanned) and event.leg is not None and event.parent_order_id is not None:
            self._parents.setdefault(event.parent_order_id, set()).add(event.order_id)
        elif isinstance(event, ev.OrderCanceled | ev.OrderRejected):
            self._give_up_leg(event.order_id)

    def learn(self, broker_order_id: str, order_id: str) -> None:
        """The broker calls the order so."""
        self._order_of[broker_order_id] = order_id
        if len(self._order_of) > _AT_HAND:
            del self._order_of[next(iter(self._order_of))]  # the oldest; the view has it
        self._forget_leg(order_id)
        self._late.pop(order_id, None)

    def expect_leg(self, leg: OrderState) -> None:
        """A leg, restored from an earlier run, that the broker may not have shown yet."""
        if leg.parent_order_id is not None and leg.broker_order_id is None and not leg.status.is_terminal:
            self._parents.setdefault(leg.parent_order_id, set()).add(leg.order_id)

    def named(self, broker_order_id: str) -> str | None:
        """The order that the broker calls so, or None."""
        return self._order_of.get(broker_order_id) or self._in_view(broker_order_id)

    def parents_of_unseen_legs(self) -> Iterator[OrderState]:
        """Orders at the broker whose legs it has not shown yet: asked for by name, it tells them."""
        for order_id in list(self._parents):
            parent = self._ledger.order(order_id)
            if parent is not None and parent.broker_order_id is not None:
                yield parent

    def parents_of_late_legs(self, order: BrokerOrder) -> list[OrderState]:
        """Orders at the broker of which a strange order looks like a leg that was given up."""
        found: dict[str, OrderState] = {}
        for leg_id, parent_id in self._late.items():
            leg, parent = self._ledger.order(leg_id), self._ledger.order(parent_id)
            is_like = leg is not None and leg.symbol == order.symbol and _is_like(leg, order)
            if is_like and parent is not None and parent.broker_order_id is not None:
                found[parent_id] = parent
        return list(found.values())

    def may_be_leg(self, order: BrokerOrder) -> bool:
        """Whether a strange order may be a leg of ours that the broker has not named: of an order that was sent and has
        no answer yet, or whose answer was from before its legs.
        """
        for parent_id, legs in self._parents.items():
            parent = self._ledger.order(parent_id)
            if parent is None or not parent.submits or parent.symbol != order.symbol:
                continue
            if parent.broker_order_id is None or any(_is_like(self._ledger.order(leg), order) for leg in legs):
                return True
        return False

    def of(self, order: BrokerOrder) -> str | None:
        """The order of this ledger behind a broker's order; None when nothing says so."""
        known = self.named(order.broker_order_id)
        if known is None:
            ours = self._ledger.order_under(order.client_order_id)
            known = None if ours is None else ours.order_id
        return known or self._successor(order)

    def take_legs(self, parent_id: str, order: BrokerOrder) -> Iterator[tuple[str, BrokerOrder]]:
        """The legs that a broker's order brought along, each with the order that was planned for it."""
        for leg in order.legs:
            role = _ROLES.get(leg.order_type)
            known = self.named(leg.broker_order_id)
            if known is None and role is not None:
                planned = self._ledger.order(leg_order_id(parent_id, role.value))
                if planned is not None and planned.broker_order_id in (None, leg.broker_order_id):
                    known = planned.order_id
            if known is not None:
                self.learn(leg.broker_order_id, known)
                yield known, leg

    def replaced_by(self, order: BrokerOrder) -> str | None:
        """The order of ours whose place a strange order took, or None."""
        return None if order.replaces is None else self.named(order.replaces)

    def _in_view(self, broker_order_id: str) -> str | None:
        """What a view says of orders that were not told lately, unless the order itself says otherwise."""
        row = read_row(self._ledger.journal, "broker_orders", broker_order_id)
        order = None if row is None else self._ledger.order(row["order_id"])
        if order is None or (order.broker_order_id, order.account) != (broker_order_id, self._account):
            return None
        return order.order_id

    def _successor(self, order: BrokerOrder) -> str | None:
        """The replacement that we asked for, should the broker have given it a client id of its own."""
        old_id = self.replaced_by(order)
        old = None if old_id is None else self._ledger.order(old_id)
        new = None if old is None or old.replaced_by is None else self._ledger.order(old.replaced_by)
        return new.order_id if new is not None and new.broker_order_id in (None, order.broker_order_id) else None

    def _give_up_leg(self, order_id: str) -> None:
        for parent, legs in self._parents.items():
            if order_id in legs:
                self._late[order_id] = parent
        if len(self._late) > _MOST_LATE:
            del self._late[next(iter(self._late))]
        self._forget_leg(order_id)

    def _forget_leg(self, order_id: str) -> None:
        for parent, legs in list(self._parents.items()):
            legs.discard(order_id)
            if not legs:
                del self._parents[parent]


def _is_like(leg: OrderState | None, order: BrokerOrder) -> bool:
    return (
        leg is not None
        and (leg.side, leg.order_type.value) == (order.side, order.order_type)
        and leg.quantity in (None, order.quantity)
    )


def external_order_id(broker_account_id: str, broker_order_id: str) -> str:
    """The id in this ledger of an order that others placed."""
    return derived_id("external", broker_account_id, broker_order_id)
