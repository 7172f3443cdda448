"""What the verbs that record intents have in common: how their words are read, and what they show."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tradecore.cli.opening import rows_now
from tradecore.cli.options import Options
from tradecore.cli.printing import show_json, show_note, show_pairs
from tradecore.domain import streams
from tradecore.domain.events import AssetsRefreshed, Event, LimitBreached
from tradecore.domain.identity import parse_uuid
from tradecore.domain.listing import NOT_KNOWN, Listing
from tradecore.domain.messages import Recorded
from tradecore.domain.values import parse_number, parse_positive
from tradecore.errors import ConfigurationError, InputError, OrderRefused, StaleError

if TYPE_CHECKING:
    from decimal import Decimal

    from tradecore.journal.contract import Journal
    from tradecore.ledger import Ledger

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_LONGEST_S = 366 * 86_400
Number = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A number as it was typed; a leading minus is not an option."""


def name(field: str, raw: str) -> str:
    """A name of an account or a strategy. Raises `InputError`."""
    if not _NAME.fullmatch(raw):
        raise InputError(field, raw, "1 to 64 letters, digits, '_', '.' or '-', a letter or digit first")
    return raw


def order_of(ledger: Ledger, raw: str) -> str:
    """The order under an order id or a client order id. Raises `InputError` for text that is neither."""
    known = ledger.order_under(raw)
    return known.order_id if known else _order_id(raw)


def _order_id(raw: str) -> str:
    try:
        return parse_uuid("order", raw)
    except InputError:
        raise InputError("order", raw, "an order id or a client order id of this ledger") from None


def seconds(field: str, raw: str) -> dt.timedelta:
    """A time span. Raises `InputError`."""
    number = parse_positive(field, raw)
    if number > _LONGEST_S:
        raise InputError(field, raw, f"at most {_LONGEST_S} seconds, which is a year")
    return dt.timedelta(microseconds=int(parse_number(field, number) * 1_000_000))


def optional_price(field: str, raw: str | None) -> Decimal | None:
    """A number above zero, or None when it was not given. Raises `InputError`."""
    return None if raw is None else parse_positive(field, raw)


def listing_of(journal: Journal, symbol: str, now: dt.datetime) -> Listing:
    """What the broker says of a symbol, as the ledger has it; not known, with a note, when that is too old."""
    from tradecore.assets import recorded_list, recorded_listing
    from tradecore.draft import last_recorded

    if last_recorded(journal, streams.ASSETS) is None:
        return NOT_KNOWN
    from tradecore.settings import load_settings

    known = recorded_list(journal, now, load_settings().delivery.assets_max_age_s)
    try:
        told = known.require("what the broker trades")
    except StaleError as error:
        show_note(f"note: {error}; a runner that starts reads it again")
        return NOT_KNOWN
    return recorded_listing(told, symbol)


def refuse_untraded(journal: Journal, symbol: str, listing: Listing) -> None:
    """Raises `InputError` for a symbol that the broker does not trade."""
    from tradecore.draft import last_event

    told = last_event(journal, streams.ASSETS)
    if listing.tradable is False and isinstance(told, AssetsRefreshed):
        right = f"one of the {len(told.symbols)} symbols that {told.broker} trades for this ledger"
        raise InputError("symbol", symbol, right)


def account_of(journal: Journal, wanted: str | None) -> str:
    """The account to trade: the one that was asked for, else the ledger's only one."""
    pinned = [row["account"] for row in rows_now(journal, "balances") if row["broker_account_id"] is not None]
    if wanted is None:
        wanted = os.environ.get("TRADECORE_ACCOUNT") or (pinned[0] if len(pinned) == 1 else None)
    if wanted is None and pinned:
        raise ConfigurationError(f"this ledger has the accounts {', '.join(pinned)}: choose one with --account")
    if wanted is not None and pinned and wanted not in pinned:
        raise InputError("account", wanted, "an account of this ledger: " + ", ".join(pinned))
    return wanted or "main"


def raise_refusal(recorded: tuple[Recorded[Event], ...]) -> None:
    """Raises `OrderRefused` when a limit refused what was asked."""
    for item in recorded:
        if isinstance(item.event, LimitBreached):
            raise OrderRefused(item.event.rule, item.event.reason)


def show_order(ledger: Ledger, order_id: str, options: Options) -> int:
    """Print where an order stands."""
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
