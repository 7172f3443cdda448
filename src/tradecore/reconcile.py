"""Reconciliation: the broker's truth against ours. A difference is reported, never papered over."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.account import AccountState
from tradecore.domain.identity import order_id_of_client
from tradecore.domain.order import OrderState
from tradecore.domain.values import ZERO
from tradecore.ledger import Ledger
from tradecore.ports.broker import EVER, Broker, BrokerOrder

_CENT = Decimal("0.01")


@attrs.frozen
class Difference:
    """Where the books and the broker disagree, each in its own words."""

    what: str
    subject: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.what} {self.subject}: the ledger says {self.ours}, the broker {self.theirs}"


async def compare_standing(ledger: Ledger, broker: Broker, account: str) -> tuple[Difference, ...]:
    """Compare positions (exactly) and cash (to the cent). Raises `BrokerUnreachable`."""
    ours = ledger.account(account)
    theirs = await broker.account()
    found = _compare_positions(ours, {held.symbol: held.quantity for held in await broker.positions()})
    if abs(ours.cash - theirs.cash) >= _CENT:
        found.append(Difference("cash", ours.currency, format(ours.cash, "f"), format(theirs.cash, "f")))
    return tuple(found)


def _compare_positions(ours: AccountState, theirs: dict[str, Decimal]) -> list[Difference]:
    spelt = {symbol.replace("/", ""): symbol for symbol in ours.positions}  # positions spell BTC/USD as BTCUSD
    held = {spelt.get(symbol, symbol): quantity for symbol, quantity in theirs.items()}
    found = []
    for symbol in sorted({*ours.positions, *held}):
        mine, his = ours.position(symbol).quantity, held.get(symbol, ZERO)
        if mine != his:
            found.append(Difference("position", symbol, format(mine, "f"), format(his, "f")))
    return found


async def compare_orders(ledger: Ledger, broker: Broker, order_ids: tuple[str, ...]) -> tuple[Difference, ...]:
    """Compare every order of this ledger, old or new, with what the broker shows. Raises `BrokerUnreachable`."""
    theirs: dict[str, BrokerOrder] = {}
    found: list[Difference] = []
    for order in (await broker.orders_since(EVER)).orders:
        known = ledger.order_under(order.client_order_id)
        order_id = known.order_id if known else order_id_of_client(order.client_order_id, ledger.epoch)
        if order_id is None:  # somebody else's, or forgotten with an epoch that is past
            continue
        if order_id in theirs:
            found.append(Difference("order", order_id, "one order", "two orders under one client id"))
        theirs[order_id] = order
    for order_id in order_ids:
        state = ledger.order(order_id)
        assert state is not None, "the caller names orders of this ledger"
        found.extend(_compare_order(state, theirs.pop(order_id, None)))
    found.extend(Difference("order", order_id, "nothing", order.raw) for order_id, order in theirs.items())
    return tuple(found)


def _compare_order(ours: OrderState, theirs: BrokerOrder | None) -> list[Difference]:
    if theirs is None:
        if ours.broker_order_id is None:
            return []
        return [Difference("order", ours.order_id, ours.status.value, "nothing")]
    found = []
    if theirs.filled_qty != ours.filled_qty:
        mine, his = format(ours.filled_qty, "f"), format(theirs.filled_qty, "f")
        found.append(Difference("filled quantity of order", ours.order_id, mine, his))
    his_end = theirs.status is not None and theirs.status.is_terminal
    if his_end != ours.status.is_terminal or (his_end and theirs.status is not ours.status):
        his_word = theirs.status.value if theirs.status else "a status that is not known"
        found.append(Difference("status of order", ours.order_id, ours.status.value, his_word))
    return found
