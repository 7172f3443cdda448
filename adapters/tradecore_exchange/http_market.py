"""`/v2/clock`, `/v2/calendar`, `/v2/assets`: the market's hours and what is traded there."""

from __future__ import annotations

import datetime as dt
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore.domain.calendar import next_session
from tradecore_exchange.identity import asset_id
from tradecore_exchange.instants import SECOND_NS
from tradecore_exchange.refusals import Refused, asset_not_found, invalid
from tradecore_exchange.service import service_of
from tradecore_exchange.sessions import (
    NEW_YORK,
    Phase,
    Session,
    new_york_date,
    next_close,
    next_open,
    phase_at,
    session_on,
)
from tradecore_exchange.wire import asset_class
from tradecore_exchange.wire_account import asset_json, position_symbol

JSON = Any

_DAY = dt.timedelta(days=1)
_DAYS_MAX = 3_700


def _local(ns: int) -> str:
    """The time of New York with its offset, as the clock speaks."""
    seconds, fraction = divmod(ns, SECOND_NS)
    local = dt.datetime.fromtimestamp(seconds, NEW_YORK)
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%dT%H:%M:%S}{digits}{offset[:3]}:{offset[3:]}"


async def get_clock(request: Request) -> Response:
    """GET the exchange's time, which is the market's."""
    service = service_of(request)
    exchange = service.floor.exchange
    now = exchange.clock.now_ns
    is_open = exchange.options.always_open or phase_at(now) is Phase.REGULAR
    body = {
        "timestamp": _local(now),
        "is_open": is_open,
        "next_open": _local(next_open(now)),
        "next_close": _local(next_close(now)),
    }
    return service.answer(body)


def _date(query: QueryParams, name: str, default: dt.date) -> dt.date:
    text = query.get(name)
    if not text:
        return default
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise Refused(invalid(f"invalid {name}")) from None


async def get_calendar(request: Request) -> Response:
    """GET trading days; thirty days from the market's today unless asked for others."""
    service, query = service_of(request), request.query_params
    today = new_york_date(service.floor.exchange.clock.now_ns)
    start = _date(query, "start", today)
    end = min(_date(query, "end", start + 30 * _DAY), start + _DAYS_MAX * _DAY)
    days: list[JSON] = []
    date = start
    while date <= end:
        session = session_on(date)
        if session is not None:
            days.append(_calendar_day(session))
        date += _DAY
    return service.answer(days)


def _calendar_day(session: Session) -> dict[str, JSON]:
    return {
        "date": session.date.isoformat(),
        "open": _clock_time(session.open, ":"),
        "close": _clock_time(session.close, ":"),
        "session_open": _clock_time(session.pre_open),
        "session_close": _clock_time(session.post_close),
        "settlement_date": next_session(session.date + _DAY).date.isoformat(),
    }


def _clock_time(ns: int, between: str = "") -> str:
    return f"{dt.datetime.fromtimestamp(ns // SECOND_NS, NEW_YORK):%H{between}%M}"


async def list_assets(request: Request) -> Response:
    """GET what is listed."""
    exchange, query = service_of(request).floor.exchange, request.query_params
    wanted, status = query.get("asset_class"), query.get("status")
    symbols = sorted(exchange.symbols) if status in {None, "", "active"} else []
    chosen = [symbol for symbol in symbols if wanted in {None, "", asset_class(symbol)}]
    return service_of(request).answer([asset_json(symbol, exchange.options.terms(symbol)) for symbol in chosen])


async def get_asset(request: Request) -> Response:
    """GET one by symbol or id."""
    service, name = service_of(request), request.path_params["name"]
    for symbol in service.floor.exchange.symbols:
        if name in {symbol, position_symbol(symbol), asset_id(symbol)}:
            return service.answer(asset_json(symbol, service.floor.exchange.options.terms(symbol)))
    raise Refused(asset_not_found(name))


ROUTES = [
    Route("/v2/clock", get_clock, methods=["GET"]),
    Route("/v2/calendar", get_calendar, methods=["GET"]),
    Route("/v2/assets", list_assets, methods=["GET"]),
    Route("/v2/assets/{name:path}", get_asset, methods=["GET"]),
]
