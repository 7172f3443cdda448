"""Every execution since a time, from the account's FILL activities: the record that the stream only hints at."""

from __future__ import annotations

import datetime as dt

from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerFill, Execution, FillPage, UnknownReport
from tradecore_alpaca.activity_pages import activity_rows
from tradecore_alpaca.decode import decode_fill_activity
from tradecore_alpaca.json_text import as_text
from tradecore_alpaca.questions import Questions


async def read_fills_since(questions: Questions, base_url: str, since: dt.datetime) -> FillPage:
    """Executions at or after `since` (and some of the second before), oldest first; unreadable rows apart.

    Raises `BrokerUnreachable`, `ProtocolError`.
    """
    fills: dict[str, BrokerFill] = {}
    unreadable: dict[UnknownReport, None] = {}
    async for raw in activity_rows(questions, f"{base_url}/v2/account/activities/FILL", {}, since):
        try:
            fill = decode_fill_activity(raw)
        except ProtocolError as error:
            unreadable[UnknownReport(f"activity: {error}", as_text(raw))] = None
        else:
            fills.setdefault(fill.execution_id, fill)
    return FillPage(in_order(tuple(fills.values())), tuple(unreadable))


def in_order(fills: tuple[BrokerFill, ...]) -> tuple[BrokerFill, ...]:
    """The same fills with each order's own in the order of their cumulative quantity.

    Alpaca may list executions of one millisecond the wrong way round; each order keeps the places it has in the list.
    An order with a bust or a correction, which lower that quantity, stays as it is listed.
    """
    by_order: dict[str, list[BrokerFill]] = {}
    for fill in fills:
        by_order.setdefault(fill.broker_order_id, []).append(fill)
    queues = {order: iter(_rising(own)) for order, own in by_order.items()}
    return tuple(next(queues[fill.broker_order_id]) for fill in fills)


def _rising(own: list[BrokerFill]) -> list[BrokerFill]:
    if any(fill.execution is not Execution.TRADE for fill in own):
        return own
    return sorted(own, key=lambda fill: fill.cumulative_qty)
