"""Pinning: an account of the ledger is bound to the broker account behind the keys, and its books begin there."""

from __future__ import annotations

import datetime as dt

from tradecore.domain import commands as cmd
from tradecore.domain.events import OpeningPosition
from tradecore.domain.messages import Cause
from tradecore.errors import WrongAccount
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.ports.broker import Broker
from tradecore.reconcile import Differences
from tradecore.views import read_rows

_PAST = dt.timedelta(days=30)
"""How far back the broker may still list what its opening balances have in them already."""
_LONGEST_ORDER = dt.timedelta(days=100)
"""How long an order may work that was placed before the books began: brokers end them after 90 days."""


async def pin_account(ledger: Ledger, broker: Broker, inbox: Inbox, name: str, cause: Cause) -> None:
    """Bind the account, and tell the inbox where its books begin. The view `balances` is at the head.

    Raises `WrongAccount`, `BrokerUnauthorized`, `BrokerUnreachable`.
    """
    as_of = await broker.now()
    found = await broker.account()
    _refuse_shared(ledger, name, found.account_id)
    is_new = ledger.account(name).broker_account_id is None
    held = await broker.positions() if is_new else ()
    past = (await broker.activities_since(as_of - _PAST)).activities if is_new else ()
    ledger.handle(
        cmd.PinAccount(
            account=name,
            broker=broker.name,
            broker_account_id=found.account_id,
            paper=found.paper,
            currency=found.currency,
            cash=found.cash,
            positions=tuple(OpeningPosition(p.symbol, p.quantity, p.average_price) for p in held),
            as_of=as_of,
            activities=tuple(item.activity_id for item in past),
        ),
        cause,
    )
    books_begin = ledger.account(name).as_of
    assert books_begin is not None, "it was just pinned"
    inbox.start_from(books_begin)  # what was executed before is in the opening balances
    last = Differences.of(ledger, name).completed
    inbox.list_from(last.as_of if last is not None else books_begin - _LONGEST_ORDER)


def _refuse_shared(ledger: Ledger, name: str, broker_account_id: str) -> None:
    """Two accounts of the ledger at one broker account would each book what the other did."""
    for row in read_rows(ledger.journal, "balances"):
        if row["broker_account_id"] == broker_account_id and row["account"] != name:
            raise WrongAccount(
                f"broker account {broker_account_id} belongs to account {row['account']!r} of this ledger: use "
                f"account = {row['account']!r}, other keys, or another --ledger"
            )
