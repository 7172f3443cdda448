"""Every execution since a time, from the account's FILL activities: the record that the stream only hints at."""

from __future__ import annotations

import datetime as dt

import msgspec

from tradecore.domain.values import parse_instant
from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerFill, FillPage, UnknownReport
from tradecore_alpaca.decode import decode_fill_activity
from tradecore_alpaca.json_text import as_text, read, rfc3339
from tradecore_alpaca.questions import Questions

PAGE_SIZE = 100

_OVERLAP = dt.timedelta(seconds=1)
_EARLIEST = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


class _Named(msgspec.Struct):
    id: str


async def read_fills_since(questions: Questions, base_url: str, since: dt.datetime) -> FillPage:
    """Executions at or after `since` (and some of the second before), oldest first; unreadable rows apart.

    Raises `BrokerUnreachable`, `ProtocolError`.
    """
    # `after` is exclusive, and by the time of booking, not of execution.
    after = max(parse_instant("since", since), _EARLIEST) - _OVERLAP
    query = {"direction": "asc", "page_size": str(PAGE_SIZE), "after": rfc3339(after)}
    fills: dict[str, BrokerFill] = {}
    unreadable: list[UnknownReport] = []
    tokens: set[str] = set()
    while True:
        rows = read(await questions.ask(f"{base_url}/v2/account/activities/FILL", query), list[msgspec.Raw])
        for raw in rows:
            try:
                fill = decode_fill_activity(raw)
            except ProtocolError as error:
                unreadable.append(UnknownReport(f"activity: {error}", as_text(raw)))
            else:
                fills.setdefault(fill.execution_id, fill)
        if len(rows) < PAGE_SIZE:
            return FillPage(in_order(tuple(fills.values())), tuple(dict.fromkeys(unreadable)))
        token = read(rows[-1], _Named).id
        if token in tokens:
            raise ProtocolError("activities: the pages do not come to an end", as_text(rows[-1]))
        tokens.add(token)
        query["page_token"] = token


def in_order(fills: tuple[BrokerFill, ...]) -> tuple[BrokerFill, ...]:
    """The same fills with each order's own in the order of their cumulative quantity.

    Alpaca may list executions of one millisecond the wrong way round; each order keeps the places it has in the list.
    """
    by_order: dict[str, list[BrokerFill]] = {}
    for fill in fills:
        by_order.setdefault(fill.broker_order_id, []).append(fill)
    queues = {order: iter(sorted(own, key=lambda fill: fill.cumulative_qty)) for order, own in by_order.items()}
    return tuple(next(queues[fill.broker_order_id]) for fill in fills)
