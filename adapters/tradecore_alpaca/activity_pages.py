"""Rows of the account's activities since a time, over as many pages as it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping

import msgspec

from tradecore.domain.values import parse_instant
from tradecore.errors import ProtocolError
from tradecore.ports.broker import EVER
from tradecore_alpaca.json_text import as_text, read, rfc3339
from tradecore_alpaca.questions import Questions

PAGE_SIZE = 100

_OVERLAP = dt.timedelta(seconds=1)


class _Named(msgspec.Struct):
    id: str


async def activity_rows(
    questions: Questions, url: str, query: Mapping[str, str], since: dt.datetime
) -> AsyncIterator[msgspec.Raw]:
    """Raw rows booked at or after `since` and some of the second before, oldest first.

    Raises `BrokerUnreachable`, `ProtocolError`.
    """
    # `after` is exclusive, and by the time of booking, not of execution.
    after = max(parse_instant("since", since), EVER) - _OVERLAP
    asked = {**query, "direction": "asc", "page_size": str(PAGE_SIZE), "after": rfc3339(after)}
    tokens: set[str] = set()
    while True:
        rows = read(await questions.ask(url, asked), list[msgspec.Raw])
        for raw in rows:
            yield raw
        if len(rows) < PAGE_SIZE:
            return
        token = read(rows[-1], _Named).id
        if token in tokens:
            raise ProtocolError("activities: the pages do not come to an end", as_text(rows[-1]))
        tokens.add(token)
        asked["page_token"] = token
