"""`/v2/stocks/...`: bars, quotes and last trades, never later than the market's time."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore.domain.values import Bar, Quote
from tradecore_exchange.history import SymbolHistory
from tradecore_exchange.instants import nanoseconds
from tradecore_exchange.query import choice, instant, listed, whole_number
from tradecore_exchange.refusals import Refused, invalid
from tradecore_exchange.service import service_of
from tradecore_exchange.sessions import NEW_YORK, new_york_date
from tradecore_exchange.wire_data import joined, rest_bar, rest_quote, rest_trade

JSON = Any
Point = TypeVar("Point", Bar, Quote)

_TIMEFRAME = re.compile(r"([1-9]\d?)(Min|T|Hour|H|Day|D)", re.ASCII)
_MINUTES = {"Min": 1, "T": 1, "Hour": 60, "H": 60, "Day": 1440, "D": 1440}


def _timeframe(text: str | None) -> int:
    """Minutes of one bar. Raises `Refused`."""
    match = _TIMEFRAME.fullmatch(text or "1Min")
    if match is None:
        raise Refused(invalid("invalid timeframe"))
    minutes = int(match[1]) * _MINUTES[match[2]]
    if minutes > 1440 or (minutes < 1440 and 1440 % minutes):
        raise Refused(invalid("invalid timeframe"))
    return minutes


def _symbols(query: QueryParams) -> list[str]:
    symbols = sorted(listed(query, "symbols"))
    if not symbols:
        raise Refused(invalid("symbols is required"))
    return symbols


def _period_start(bar: Bar, minutes: int) -> dt.datetime:
    """Where the longer bar begins: whole periods from midnight in New York."""
    local = bar.start.astimezone(NEW_YORK)
    of_day = local.hour * 60 + local.minute
    return (local - dt.timedelta(minutes=of_day % minutes)).astimezone(dt.UTC)


def _bars(history: SymbolHistory, start_ns: int, end_ns: int, minutes: int) -> list[Bar]:
    bars = history.bars_between(start_ns, end_ns)
    if minutes == 1:
        return bars
    periods: dict[dt.datetime, list[Bar]] = {}
    for bar in bars:
        periods.setdefault(_period_start(bar, minutes), []).append(bar)
    return [joined(parts, start) for start, parts in periods.items()]


def _token(symbol: str, at: dt.datetime) -> str:
    return base64.urlsafe_b64encode(f"{symbol}|{nanoseconds(at)}".encode()).decode()


def _after(query: QueryParams) -> tuple[str, int] | None:
    """The last point that the client has: symbol and nanoseconds. Raises `Refused`."""
    token = query.get("page_token")
    if not token:
        return None
    try:
        symbol, at = base64.urlsafe_b64decode(token.encode()).decode().split("|")
        return symbol, int(at)
    except (binascii.Error, ValueError):
        raise Refused(invalid("invalid page_token")) from None


def _page(
    request: Request,
    name: str,
    points: Callable[[str, int, int], list[Point]],
    at: Callable[[Point], dt.datetime],
    write: Callable[[Point], dict[str, JSON]],
) -> Response:
    """Points of all symbols, by symbol and time, `limit` of them in all."""
    service, query = service_of(request), request.query_params
    now = service.floor.exchange.clock.now_ns
    start, end = instant(query, "start"), instant(query, "end")
    if start is None:
        start = nanoseconds(dt.datetime.combine(new_york_date(now), dt.time(), NEW_YORK))
    limit = whole_number(query, "limit", 1_000, 10_000)
    backwards = choice(query, "sort", "asc", {"asc", "desc"}) == "desc"
    after = _after(query)
    answer: dict[str, list[JSON]] = {}
    token, count = None, 0
    last: tuple[str, dt.datetime] | None = None
    for symbol in _symbols(query):
        if after is not None and symbol < after[0]:
            continue
        chosen = points(symbol, start, now if end is None else end)
        for point in reversed(chosen) if backwards else chosen:
            if after is not None and symbol == after[0]:
                moment = nanoseconds(at(point))
                if (moment >= after[1]) if backwards else (moment <= after[1]):
                    continue
            if count == limit:
                assert last is not None, "a full page has a last point"
                token = _token(*last)
                break
            answer.setdefault(symbol, []).append(write(point))
            last, count = (symbol, at(point)), count + 1
        if token is not None:
            break
    return service.answer({name: answer, "next_page_token": token})


async def get_bars(request: Request) -> Response:
    """GET bars of a timeframe; only those that have ended."""
    history, minutes = service_of(request).floor.history, _timeframe(request.query_params.get("timeframe"))

    def points(symbol: str, start: int, end: int) -> list[Bar]:
        return _bars(history.of(symbol), start, end, minutes)

    return _page(request, "bars", points, lambda bar: bar.start, rest_bar)


async def get_quotes(request: Request) -> Response:
    """GET quotes; only the latest ten thousand of a symbol are known."""
    history = service_of(request).floor.history

    def points(symbol: str, start: int, end: int) -> list[Quote]:
        return [quote for quote in history.of(symbol).quotes if start <= nanoseconds(quote.at) <= end]

    return _page(request, "quotes", points, lambda quote: quote.at, rest_quote)


def _latest(request: Request) -> Iterator[tuple[str, SymbolHistory]]:
    history = service_of(request).floor.history
    for symbol in _symbols(request.query_params):
        yield symbol, history.of(symbol)


def _answer(request: Request, name: str, points: Mapping[str, JSON]) -> Response:
    return service_of(request).answer({name: points})


async def get_latest_bars(request: Request) -> Response:
    """GET the last bar of each symbol that has one."""
    return _answer(request, "bars", {name: rest_bar(past.bars[-1]) for name, past in _latest(request) if past.bars})


async def get_latest_trades(request: Request) -> Response:
    """GET the close of the last bar of each symbol, as a trade."""
    return _answer(request, "trades", {name: rest_trade(past.bars[-1]) for name, past in _latest(request) if past.bars})


async def get_latest_quotes(request: Request) -> Response:
    """GET the last quote of each symbol that has one."""
    points = {name: rest_quote(past.quotes[-1]) for name, past in _latest(request) if past.quotes}
    return _answer(request, "quotes", points)


ROUTES = [
    Route("/v2/stocks/bars", get_bars, methods=["GET"]),
    Route("/v2/stocks/quotes", get_quotes, methods=["GET"]),
    Route("/v2/stocks/bars/latest", get_latest_bars, methods=["GET"]),
    Route("/v2/stocks/trades/latest", get_latest_trades, methods=["GET"]),
    Route("/v2/stocks/quotes/latest", get_latest_quotes, methods=["GET"]),
]
