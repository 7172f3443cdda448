"""The exchange as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send

from tradecore_exchange import (
    control,
    fault_control,
    http_account,
    http_activities,
    http_data,
    http_events,
    http_market,
    http_operations,
    http_orders,
    http_positions,
)
from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.data_stream import data_stream
from tradecore_exchange.floor import Floor
from tradecore_exchange.gate import Gate
from tradecore_exchange.house import House
from tradecore_exchange.refusals import Refused
from tradecore_exchange.service import DEFAULT_KEY, DEFAULT_SECRET, Host
from tradecore_exchange.serving import Serving
from tradecore_exchange.trade_stream import trade_stream


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused), "registered for refusals only"
    body = msgspec.json.encode(error.refusal.body)
    return Response(body, error.refusal.status, media_type="application/json")


async def _no_such_endpoint(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for these only"
    words = {404: "endpoint not found.", 405: "method not allowed."}.get(error.status_code, error.detail)
    body = msgspec.json.encode({"message": words})
    return Response(body, error.status_code, media_type="application/json")


async def _broken(_request: Request, _error: Exception) -> Response:
    return Response(b'{"code":50010000,"message":"internal server error occurred"}', 500, media_type="application/json")


def _routes() -> list[Route | WebSocketRoute]:
    # The control route comes first: a replay asks it tens of thousands of times, and routes are tried in order.
    routes: list[Route | WebSocketRoute] = []
    control_modules = (control, fault_control, http_operations)
    for module in (
        *control_modules,
        http_orders,
        http_positions,
        http_account,
        http_activities,
        http_market,
        http_data,
        http_events,
    ):
        routes.extend(module.ROUTES)
    routes.append(WebSocketRoute("/stream", trade_stream))
    routes.extend(WebSocketRoute(path, data_stream) for path in ("/v2/iex", "/v2/sip"))
    return routes


class _Directory(Router):
    """Finds a path without parameters at once; any other is looked for in the order of the routes."""

    def __init__(self, routes: list[Route | WebSocketRoute]) -> None:
        super().__init__(routes, redirect_slashes=False)
        self._exact: dict[tuple[str, str, str], Route | WebSocketRoute] = {}
        for place, route in enumerate(routes):
            is_first = not any(before.path_regex.match(route.path) for before in routes[:place] if "{" in before.path)
            if "{" not in route.path and is_first:
                for method in (route.methods or ()) if isinstance(route, Route) else ("",):
                    kind = "http" if isinstance(route, Route) else "websocket"
                    self._exact.setdefault((kind, route.path, method), route)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._exact.get((scope["type"], scope.get("path", ""), scope.get("method", "")))
        if route is None:
            await super().app(scope, receive, send)
            return
        match, found = route.matches(scope)
        assert match is Match.FULL, "path and method are the route's own"
        scope["router"] = self
        scope.update(found)
        await route.handle(scope, receive, send)


def create_app(
    floor: Floor,
    *,
    key: str = DEFAULT_KEY,
    secret: str = DEFAULT_SECRET,
    serving: Serving | None = None,
    accounts: Iterable[AccountEntry] = (),
    monotonic: Callable[[], float] = time.monotonic,
) -> Starlette:
    """The application that serves one exchange, on one event loop; `app.state.house` is its `House`.

    `floor` is that of the first account, whose clients are asked for `key` and `secret` (the default ones are no
    secret); `accounts` are further ones on the same market. `monotonic` measures how long ago something
    was, in seconds. Raises as `House` does.
    """
    first = AccountEntry("main", key, secret, floor.exchange.options.cash)
    house = House(floor, first, Host(serving or Serving(), monotonic=monotonic), accounts)
    app = Starlette(
        middleware=[Middleware(Gate, house=house)],
        exception_handlers={Refused: _refused, HTTPException: _no_such_endpoint, Exception: _broken},
    )
    app.router = _Directory(_routes())
    app.state.house = house
    return app
