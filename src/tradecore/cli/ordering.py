"""Verbs that record intents: place and cancel. A runner on the same ledger delivers them."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing, open_or_create, rows_now
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_pairs
from tradecore.domain import streams
from tradecore.domain.commands import CancelOrder, PlaceOrder
from tradecore.domain.events import AssetsRefreshed, Event, LimitBreached
from tradecore.domain.identity import parse_uuid
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.order import check_terms
from tradecore.domain.values import (
    OrderType,
    Side,
    TimeInForce,
    parse_number,
    parse_positive,
    parse_symbol,
    parse_word,
)
from tradecore.errors import ConfigurationError, InputError, OrderRefused

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.ledger import Ledger

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_LONGEST_S = 366 * 86_400
_Number = Annotated[str, Parameter(allow_leading_hyphen=True)]


def place(
    symbol: str,
    side: str,
    qty: _Number,
    /,
    *,
    order_type: Annotated[str, Parameter(name="--type")] = "market",
    limit: _Number | None = None,
    tif: str = "day",
    good_for: _Number = "600",
    strategy: str = "manual",
    extended_hours: Annotated[bool, Parameter(negative=())] = False,
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Record an order; a runner sends it. Exit code 3 when a limit refuses it.

    Parameters
    ----------
    symbol
        such as AAPL, BRK.B or BTC/USD
    side
        buy or sell
    qty
        units, above zero, at most 9 places
    order_type
        market or limit
    limit
        price of a limit order
    tif
        day, gtc, ioc or fok
    good_for
        seconds from now until which it may be sent
    strategy
        the name under which it is kept
    extended_hours
        also outside the regular session (limit orders for the day)
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    clock, ids = SystemClock(), SystemIds()
    command = PlaceOrder(
        order_id=ids.order_id(),
        account="main" if account is None else _name("account", account),
        symbol=parse_symbol("symbol", symbol),
        side=parse_word("side", side, Side),
        quantity=parse_positive("qty", qty),
        order_type=parse_word("type", order_type, OrderType),
        limit_price=None if limit is None else parse_positive("limit", limit),
        time_in_force=parse_word("tif", tif, TimeInForce),
        strategy=_name("strategy", strategy),
        not_after=clock.now() + _seconds("good_for", good_for),
        extended_hours=extended_hours,
    )
    check_terms(command)
    with open_or_create(options) as journal:
        from tradecore.ledger import Ledger

        ledger = Ledger(journal, clock, ids)
        _check_symbol(journal, command.symbol)
        command = attrs.evolve(command, account=_account(journal, account))
        recorded = ledger.handle(command, Cause(ids.trace_id(), actor=actor(), source="cli"))
        _raise_refusal(recorded)
        return _show_order(ledger, command.order_id, options)


def cancel(order: str, /, *, reason: str = "canceled by hand", options: Options = DEFAULTS) -> int:
    """Record that an order is to be canceled; a runner asks the broker.

    Parameters
    ----------
    order
        order id or client order id
    reason
        why, for the record
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ids = SystemIds()
        ledger = Ledger(journal, SystemClock(), ids)
        known = ledger.order_under(order)
        order_id = known.order_id if known else _order_id(order)
        cause = Cause(ids.trace_id(), actor=actor(), source="cli")
        ledger.handle(CancelOrder(order_id, reason), cause)
        return _show_order(ledger, order_id, options)


def _name(field: str, raw: str) -> str:
    if not _NAME.fullmatch(raw):
        raise InputError(field, raw, "1 to 64 letters, digits, '_', '.' or '-', a letter or digit first")
    return raw


def _order_id(raw: str) -> str:
    try:
        return parse_uuid("order", raw)
    except InputError:
        raise InputError("order", raw, "an order id or a client order id of this ledger") from None


def _seconds(field: str, raw: str) -> dt.timedelta:
    number = parse_positive(field, raw)
    if number > _LONGEST_S:
        raise InputError(field, raw, f"at most {_LONGEST_S} seconds, which is a year")
    return dt.timedelta(microseconds=int(parse_number(field, number) * 1_000_000))


def _check_symbol(journal: Journal, symbol: str) -> None:
    """Refuse a symbol that the broker does not trade, as far as a runner has ever asked it."""
    from tradecore.draft import last_event

    known = last_event(journal, streams.ASSETS)
    if isinstance(known, AssetsRefreshed) and symbol not in known.symbols:
        right = f"one of the {len(known.symbols)} symbols that {known.broker} trades for this ledger"
        raise InputError("symbol", symbol, right)


def _account(journal: Journal, wanted: str | None) -> str:
    """The account to trade: the one that was asked for, else the ledger's only one."""
    pinned = [row["account"] for row in rows_now(journal, "balances") if row["broker_account_id"] is not None]
    if wanted is None:
        wanted = os.environ.get("TRADECORE_ACCOUNT") or (pinned[0] if len(pinned) == 1 else None)
    if wanted is None and pinned:
        raise ConfigurationError(f"this ledger has the accounts {', '.join(pinned)}: choose one with --account")
    if wanted is not None and pinned and wanted not in pinned:
        raise InputError("account", wanted, "an account of this ledger: " + ", ".join(pinned))
    return wanted or "main"


def _raise_refusal(recorded: tuple[Recorded[Event], ...]) -> None:
    for item in recorded:
        if isinstance(item.event, LimitBreached):
            raise OrderRefused(item.event.rule, item.event.reason)


def _show_order(ledger: Ledger, order_id: str, options: Options) -> int:
    order = ledger.order(order_id)
    assert order is not None, "it was just recorded"
    shown = {
        "order_id": order_id,
        "client_order_id": order.client_order_id,
        "trace_id": ledger.trace_of(streams.order(order_id)),
        "trade_id": order.trade_id,
        "status": order.status.value,
        "cancel_requested": order.cancel_requested,
    }
    if options.json:
        show_json([shown])
    else:
        show_pairs(shown.items())
    return 0
