"""Pinning: an account is bound to the broker account behind the keys; its books begin, and its limits hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain.account import SETTINGS
from tradecore.domain.events import OpeningPosition
from tradecore.domain.limits import Action, Limits, check_limits
from tradecore.domain.listing import Listing
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus
from tradecore.errors import BrokerUnreachable, WrongAccount
from tradecore.gating import Occasion, gate_planned
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.ports.broker import Broker, BrokerAccount, BrokerActivity, BrokerPosition
from tradecore.reconcile import Differences
from tradecore.views import read_rows

_PAST = dt.timedelta(days=30)
"""How far back the broker may still list what its opening balances have in them already."""
_LONGEST_ORDER = dt.timedelta(days=100)
"""How long an order may work that was placed before the books began: brokers end them after 90 days."""
_LOOKS = 5
"""How often an account is read anew that changed meanwhile."""


async def pin_account(ledger: Ledger, broker: Broker, inbox: Inbox, name: str, cause: Cause) -> None:
    """Bind the account, and tell the inbox where its books begin. The view `balances` is at the head.

    Raises `WrongAccount`, `BrokerUnauthorized`, `BrokerUnreachable`.
    """
    as_of = await broker.now()
    found = await broker.account()
    _refuse_shared(ledger, name, found.account_id)
    if ledger.account(name).broker_account_id is None:
        opening = await _opening(broker, name)
    else:
        opening = _pin(broker, name, found, as_of, (), ())
    ledger.handle(opening, cause)
    books_begin = ledger.account(name).as_of
    assert books_begin is not None, "it was just pinned"
    inbox.start_from(books_begin)  # what was executed before is in the opening balances
    last = Differences.of(ledger, name).completed
    if last is None:
        inbox.list_from(books_begin - _LONGEST_ORDER)
    else:
        inbox.list_from(last.as_of if last.orders_from is None else min(last.as_of, last.orders_from))


def set_limits(
    ledger: Ledger, account: str, limits: Limits, now: dt.datetime, cause: Cause, listing: Callable[[str], Listing]
) -> None:
    """Hold the account to the limits of the settings; to the first ones also what was placed before there were any.

    `listing` tells what the broker says of a symbol.

    Raises `InputError` for limits that cannot be meant.
    """
    are_first = not ledger.account(account).limits.version
    if are_first:
        _hold_to(ledger, account, limits, now, cause, listing)
    ledger.handle(cmd.SetLimits(account, limits, SETTINGS, "as a runner was told at its start"), cause)
    if are_first:  # what was placed meanwhile; what a crash in between leaves was held to them before
        _hold_to(ledger, account, limits, now, cause, listing)


def _hold_to(
    ledger: Ledger, account: str, limits: Limits, now: dt.datetime, cause: Cause, listing: Callable[[str], Listing]
) -> None:
    """End every order that was not sent yet and would not pass the gate, each beside all that are left.

    The last ones come first, as the gate would have had it, and before them those without a price: beside one of these
    nobody knows what the others come to.
    """
    check_limits(limits)
    holder = ledger.account(account)
    newest = reversed(list(holder.reservations.items()))
    for order_id, _ in sorted(newest, key=lambda item: item[1].symbol not in holder.exposure.unpriced):
        order = ledger.order(order_id)
        if order is None or order.status not in (OrderStatus.PLANNED, OrderStatus.QUEUED) or order.cancel_requested:
            continue
        limited = attrs.evolve(ledger.account(account), limits=limits)
        here = Occasion("", now, limited.reservations[order_id].agent)
        gated = gate_planned(limited, order, listing(order.symbol), here)
        if gated.verdict.action not in (None, Action.WARN):
            reason = f"it was placed before the account had limits, and is outside of {gated.rule}: {gated.reason}"
            ledger.handle(cmd.CancelOrder(order_id, reason), cause)


async def _opening(broker: Broker, name: str) -> cmd.PinAccount:
    """Where the books begin: cash, positions and what is in them already, all of one moment.

    Raises `BrokerUnreachable` where the account does not stand still for as long as it takes to read it.
    """
    for _ in range(_LOOKS):
        as_of = await broker.now()
        found = await broker.account()
        held = await broker.positions()
        past = (await broker.activities_since(as_of - _PAST)).activities
        again = await broker.account()
        if (again.account_id, again.cash) == (found.account_id, found.cash):
            return _pin(broker, name, found, as_of, held, past)
    raise BrokerUnreachable(f"the account's cash changed {_LOOKS} times while its opening balance was read")


def _pin(
    broker: Broker,
    name: str,
    found: BrokerAccount,
    as_of: dt.datetime,
    held: Sequence[BrokerPosition],
    past: Sequence[BrokerActivity],
) -> cmd.PinAccount:
    return cmd.PinAccount(
        account=name,
        broker=broker.name,
        broker_account_id=found.account_id,
        paper=found.paper,
        currency=found.currency,
        cash=found.cash,
        positions=tuple(OpeningPosition(p.symbol, p.quantity, p.average_price) for p in held),
        as_of=as_of,
        activities=tuple(item.activity_id for item in past),
    )


def _refuse_shared(ledger: Ledger, name: str, broker_account_id: str) -> None:
    """Two accounts of the ledger at one broker account would each book what the other did."""
    for row in read_rows(ledger.journal, "balances"):
        if row["broker_account_id"] == broker_account_id and row["account"] != name:
            raise WrongAccount(
                f"broker account {broker_account_id} belongs to account {row['account']!r} of this ledger: use "
                f"account = {row['account']!r}, other keys, or another --ledger"
            )
