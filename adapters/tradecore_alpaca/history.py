"""One-minute bars of the past, over as many pages as it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from tradecore.domain.values import Bar, parse_instant
from tradecore.errors import ProtocolError
from tradecore_alpaca.bar import decode_bar
from tradecore_alpaca.json_text import as_text, read, rfc3339
from tradecore_alpaca.questions import Questions
from tradecore_alpaca.urls import Urls

_LIMIT = 10_000
_SYMBOLS_PER_REQUEST = 100


class _Bars(msgspec.Struct):
    bars: dict[str, list[msgspec.Raw] | None] | None = None
    next_page_token: str | None = None


async def read_history(
    questions: Questions, urls: Urls, symbols: Sequence[str], start: dt.datetime, end: dt.datetime
) -> tuple[Bar, ...]:
    """Bars with `start <= bar.start < end`, by time then symbol. Raises `BrokerUnreachable`, `ProtocolError`."""
    start, end = parse_instant("start", start), parse_instant("end", end)
    if not symbols or start >= end:
        return ()
    found: dict[tuple[dt.datetime, str], Bar] = {}
    wanted = sorted(set(symbols))
    for first in range(0, len(wanted), _SYMBOLS_PER_REQUEST):
        for bar in await _read_pages(questions, urls, wanted[first : first + _SYMBOLS_PER_REQUEST], start, end):
            if start <= bar.start < end:  # Alpaca's `end` is inclusive
                found[bar.start, bar.symbol] = bar
    return tuple(found[key] for key in sorted(found))


async def _read_pages(
    questions: Questions, urls: Urls, symbols: Sequence[str], start: dt.datetime, end: dt.datetime
) -> list[Bar]:
    query = {
        "symbols": ",".join(symbols),
        "timeframe": "1Min",
        "start": rfc3339(start),
        "end": rfc3339(end),
        "limit": str(_LIMIT),
        "feed": urls.feed,
        "sort": "asc",
    }
    bars: list[Bar] = []
    tokens: set[str] = set()
    while True:
        body = await questions.ask(f"{urls.data_url}/v2/stocks/bars", query)
        page = read(body, _Bars)
        for symbol, rows in (page.bars or {}).items():
            bars.extend(decode_bar(symbol, raw) for raw in rows or ())
        if not page.next_page_token:
            return bars
        if page.next_page_token in tokens:
            raise ProtocolError("bars: the pages do not come to an end", as_text(body)[:1000])
        tokens.add(page.next_page_token)
        query["page_token"] = page.next_page_token
