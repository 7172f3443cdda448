"""What changed the account without an order: dividends, fees, interest, cash in and out, splits.

A row that was called off or corrected is not booked but handed on whole: a person must look at it.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from tradecore.domain.values import ZERO
from tradecore.errors import ProtocolError
from tradecore.ports.broker import ActivityKind, ActivityPage, BrokerActivity, UnknownReport
from tradecore_alpaca.activity_pages import activity_rows
from tradecore_alpaca.json_text import ABSENT, as_text, instant, optional_number, read
from tradecore_alpaca.questions import Questions

_KINDS = {
    "FEE": ActivityKind.FEE,
    "CFEE": ActivityKind.FEE,
    "INT": ActivityKind.INTEREST,
    "SPLIT": ActivityKind.SPLIT,
    "SSP": ActivityKind.SPLIT,
}
_CASH = frozenset({"JNLC", "CSD", "CSW"})
_EXECUTED = frozenset({None, "", "executed"})


class _Row(msgspec.Struct):
    id: str
    activity_type: str
    date: str | None = None
    created_at: str | None = None
    transaction_time: str | None = None
    net_amount: msgspec.Raw = ABSENT
    qty: msgspec.Raw = ABSENT
    symbol: str | None = None
    status: str | None = None


async def read_activities_since(questions: Questions, base_url: str, since: dt.datetime) -> ActivityPage:
    """Every such change booked at or after `since` (and some before), oldest first; unreadable rows apart.

    Raises `BrokerUnreachable`, `ProtocolError`.
    """
    url = f"{base_url}/v2/account/activities"
    found: dict[str, BrokerActivity] = {}
    unreadable: dict[UnknownReport, None] = {}
    async for raw in activity_rows(questions, url, {"category": "non_trade_activity"}, since):
        try:
            activity = decode_activity(raw)
        except ProtocolError as error:
            unreadable[UnknownReport(f"activity: {error}", as_text(raw))] = None
        else:
            found.setdefault(activity.activity_id, activity)
    in_order = sorted(found.values(), key=lambda activity: (activity.occurred_on, activity.activity_id))
    return ActivityPage(tuple(in_order), tuple(unreadable))


def decode_activity(raw: bytes | msgspec.Raw) -> BrokerActivity:
    """One row. Raises `ProtocolError`."""
    row = read(raw, _Row)
    if not row.id or not row.activity_type:
        raise ProtocolError("activity: id or activity_type is empty", as_text(raw))
    if row.status not in _EXECUTED:
        raise ProtocolError(f"activity: its status is {row.status!r}, not executed", as_text(raw))
    amount = optional_number("activity.net_amount", row.net_amount)
    quantity = optional_number("activity.qty", row.qty)
    kind = _kind(row.activity_type, amount or ZERO)
    if amount is None and quantity is None and kind is not ActivityKind.OTHER:
        raise ProtocolError("activity: neither net_amount nor qty", as_text(raw))
    return BrokerActivity(
        activity_id=row.id,
        kind=kind,
        symbol=row.symbol or None,
        amount=amount or ZERO,
        quantity=quantity or ZERO,
        occurred_on=_date(row, raw),
        raw=as_text(raw),
    )


def _kind(word: str, amount: Decimal) -> ActivityKind:
    if word in _CASH:
        return ActivityKind.DEPOSIT if amount >= 0 else ActivityKind.WITHDRAWAL
    if word.startswith("DIV"):
        return ActivityKind.DIVIDEND
    return _KINDS.get(word, ActivityKind.OTHER)


def _date(row: _Row, raw: bytes | msgspec.Raw) -> dt.date:
    moment = row.transaction_time or row.created_at
    if row.date:
        try:
            return dt.date.fromisoformat(row.date[:10])
        except ValueError:
            raise ProtocolError(f"activity.date: {row.date[:80]!r} is not a date", as_text(raw)) from None
    if not moment:
        raise ProtocolError("activity: it has no date", as_text(raw))
    return instant("activity.created_at", moment).date()
