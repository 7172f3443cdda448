"""`/_ctl`: the hand of whoever tests. It moves the market, and looks behind the counter.

Every request is about the account whose keys it brings; the market is everybody's.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore.domain.values import Quote
from tradecore.errors import TradecoreError
from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.house import house_of
from tradecore_exchange.instants import as_datetime, instant_from_text, instant_text
from tradecore_exchange.numbers import number_text
from tradecore_exchange.refusals import Refused, invalid, unknown_asset
from tradecore_exchange.requests import positive, read_object
from tradecore_exchange.service import Service, read_body, service_of
from tradecore_exchange.wire import order_json
from tradecore_exchange.wire_account import account_id

JSON = Any

_STEPS_MAX = 1_000_000
# After so many steps at once the other tasks get their turn.
_STEPS_IN_A_ROW = 50


def _state(service: Service) -> dict[str, JSON]:
    floor = service.floor
    return {
        "time": instant_text(floor.exchange.clock.market_ns),
        "done": floor.feed.done,
        "steps_done": floor.feed.steps_done,
        "steps_total": floor.feed.steps_total,
        "updates": floor.exchange.blotter.update_count,
    }


async def advance(request: Request) -> Response:
    """POST `{"steps": n}`: move the market n moments on (1 when not said), as far as it goes."""
    service, house, raw = service_of(request), house_of(request), await request.body()
    steps = (read_object(raw) if raw else {}).get("steps", Decimal(1))
    if not isinstance(steps, Decimal) or steps != steps.to_integral_value() or not 0 <= steps <= _STEPS_MAX:
        raise Refused(invalid(f"steps must be from 0 to {_STEPS_MAX}"))
    bars: frozenset[str] = frozenset()
    changed: set[str] = set()
    for number in range(1, int(steps) + 1):
        advanced = house.advance(service)
        if advanced is None:
            break
        bars = advanced.bars
        changed |= advanced.orders_changed
        house.publish()
        if number % _STEPS_IN_A_ROW == 0:
            await asyncio.sleep(0)
    return service.answer({**_state(service), "bars": sorted(bars), "orders_changed": len(changed)})


async def quote(request: Request) -> Response:
    """POST `{"symbol", "bid", "ask", "bid_size"?, "ask_size"?, "time"?}`: a quote of this moment, or of a later one."""
    service, body = service_of(request), await read_body(request)
    exchange = service.floor.exchange
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or symbol not in exchange.symbols:
        raise Refused(unknown_asset(str(symbol)))
    numbers = {name: positive(name, body.get(name)) for name in ("bid", "bid_size", "ask", "ask_size")}
    at = as_datetime(exchange.clock.now_ns) + dt.timedelta(microseconds=1)
    if isinstance(body.get("time"), str):
        try:
            at = as_datetime(instant_from_text(body["time"]))
        except ValueError:
            raise Refused(invalid("invalid time")) from None
    zero, hundred = Decimal(0), Decimal(100)
    shown = Quote(
        symbol=symbol,
        at=at,
        bid=numbers["bid"] or zero,
        bid_size=numbers["bid_size"] or hundred,
        ask=numbers["ask"] or zero,
        ask_size=numbers["ask_size"] or hundred,
    )
    advanced = house_of(request).quote(shown, service)
    for other in house_of(request).services:
        if other is not service:
            other.floor.publish()
    return service.answer({**_state(service), "orders_changed": len(advanced.orders_changed)})


async def state(request: Request) -> Response:
    """GET where the market and the account stand; `cash` is exact here, `speed` null in lockstep."""
    service = service_of(request)
    exchange = service.floor.exchange
    return service.answer(
        {
            **_state(service),
            "now": instant_text(exchange.clock.now_ns),
            "fingerprint": service.floor.fingerprint,
            "speed": service.host.speed,
            "account": service.entry.name,
            "symbols": sorted(exchange.symbols),
            "cash": number_text(exchange.account.cash),
            "equity": number_text(exchange.account.equity(exchange.prices)),
            "positions": {name: number_text(held.qty) for name, held in sorted(exchange.account.positions.items())},
            "prices": {name: number_text(price) for name, price in sorted(exchange.prices.items())},
            "orders": len(exchange.book.all),
            "open_orders": sum(1 for _ in exchange.book.open()),
            "listening": {
                "trades": sum(one.listening for one in service.trades.connections),
                "data": sum(any(one.wanted.values()) for one in service.host.data.connections),
            },
        }
    )


async def orders(request: Request) -> Response:
    """GET everything a judge needs: all orders, all executions, and how often each client_order_id was posted."""
    service = service_of(request)
    exchange = service.floor.exchange
    executions = [
        {
            "execution_id": activity.execution_id,
            "activity_id": activity.id,
            "order_id": activity.order_id,
            "client_order_id": exchange.book.by_id[activity.order_id].client_order_id,
            "symbol": activity.symbol,
            "side": activity.side,
            "qty": number_text(activity.qty),
            "price": number_text(activity.price),
            "cum_qty": number_text(activity.cum_qty),
            "time": instant_text(activity.at_ns),
        }
        for activity in exchange.activities
        if activity.kind == "FILL"
    ]
    listed = [
        {**order_json(order), "posts": service.floor.posts.get(order.client_order_id, 0)} for order in exchange.book.all
    ]
    return service.answer({"orders": listed, "executions": executions, "posts": dict(service.floor.posts)})


async def open_account(request: Request) -> Response:
    """POST `{"name", "key", "secret", "cash"?}`: a further account on this market, remembered by the store."""
    service, house, body = service_of(request), house_of(request), await read_body(request)
    words = [body.get(name) for name in ("name", "key", "secret")]
    name, key, secret = (word if isinstance(word, str) else "" for word in words)
    try:
        entry = AccountEntry(name, key, secret, Decimal(body.get("cash", service.entry.cash)))
        opened = house.open_account(entry)
    except (TradecoreError, ArithmeticError, TypeError, ValueError) as error:
        raise Refused(invalid(str(error))) from None
    return service.answer(_account(opened), 201)


async def list_accounts(request: Request) -> Response:
    """GET every account: its name, its key, its id."""
    return service_of(request).answer([_account(service) for service in house_of(request).services])


def _account(service: Service) -> dict[str, JSON]:
    return {"name": service.entry.name, "key": service.entry.key, "id": account_id(service.floor)}


async def rate_limit(request: Request) -> Response:
    """PUT `{"per_minute"?, "enforced"?}`: the budget of this account."""
    service, body = service_of(request), await read_body(request)
    per_minute = positive("per_minute", body.get("per_minute", service.rate.per_minute))
    enforced = body.get("enforced", service.rate.enforced)
    if per_minute is None or per_minute < 1 or not isinstance(enforced, bool):
        raise Refused(invalid("per_minute must be one or more, enforced true or false"))
    service.rate.per_minute, service.rate.enforced = int(per_minute), enforced
    return service.answer({"per_minute": service.rate.per_minute, "enforced": enforced, "used": service.rate.used})


ROUTES = [
    Route("/_ctl/advance", advance, methods=["POST"]),
    Route("/_ctl/quote", quote, methods=["POST"]),
    Route("/_ctl/state", state, methods=["GET"]),
    Route("/_ctl/orders", orders, methods=["GET"]),
    Route("/_ctl/accounts", open_account, methods=["POST"]),
    Route("/_ctl/accounts", list_accounts, methods=["GET"]),
    Route("/_ctl/rate-limit", rate_limit, methods=["PUT"]),
]
