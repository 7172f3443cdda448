"""Every order since a time, over as many pages as it takes.

Alpaca's `after` is exclusive and by submission time, and several orders may share one; so each page starts a little
before the last order of the page before it, and what was seen is not told twice.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from tradecore.domain.values import parse_instant
from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerOrder, OrderPage, UnknownReport
from tradecore_alpaca.json_text import as_text, instant, read, rfc3339
from tradecore_alpaca.order_json import decode_order
from tradecore_alpaca.questions import Questions

PAGE = 500

_OVERLAP = dt.timedelta(seconds=1)
_STEP_BACK = dt.timedelta(microseconds=1)
_EARLIEST = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


class _Submitted(msgspec.Struct):
    id: str
    submitted_at: str | None = None
    created_at: str | None = None


async def read_orders_since(questions: Questions, base_url: str, since: dt.datetime) -> OrderPage:
    """Orders submitted at or after `since`, oldest first. Raises `BrokerUnreachable`, `ProtocolError`."""
    since = max(parse_instant("since", since), _EARLIEST)
    found: dict[str, BrokerOrder] = {}
    unreadable: list[UnknownReport] = []
    seen: set[str] = set()
    cursor = {"after": rfc3339(since - _OVERLAP)}
    while True:
        body = await questions.ask(f"{base_url}/v2/orders", _query(cursor))
        rows = read(body, list[msgspec.Raw])
        new = 0
        for raw in rows:
            submitted = read(raw, _Submitted)
            if submitted.id in seen:
                continue
            seen.add(submitted.id)
            new += 1
            if _time(submitted, raw) >= since:
                try:
                    found[submitted.id] = decode_order(raw)
                except ProtocolError as error:  # one strange order must not hide the others
                    unreadable.append(UnknownReport(str(error), as_text(raw)))
        if len(rows) < PAGE:
            return OrderPage(tuple(found.values()), tuple(unreadable))
        last = read(rows[-1], _Submitted)
        if new and "after" in cursor:
            cursor = {"after": rfc3339(_time(last, rows[-1]) - _STEP_BACK)}
        elif new or "after" in cursor:
            # A whole page of one instant: time cannot tell where it ends; from here on the order id does.
            cursor = {"after_order_id": last.id}
        else:
            raise ProtocolError("orders: the pages do not come to an end", as_text(rows[-1]))


def _query(cursor: dict[str, str]) -> dict[str, str]:
    return {"status": "all", "direction": "asc", "limit": str(PAGE), "nested": "false", **cursor}


def _time(order: _Submitted, raw: msgspec.Raw) -> dt.datetime:
    moment = order.submitted_at or order.created_at
    if moment is None:
        raise ProtocolError("order: neither submitted_at nor created_at", as_text(raw))
    return instant("order.submitted_at", moment)
