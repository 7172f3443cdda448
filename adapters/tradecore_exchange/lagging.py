"""Reading that lags: answers of a moment ago, given as the present."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from tradecore_exchange import endpoints
from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.answers import answer, held
from tradecore_exchange.endpoints import endpoint_of
from tradecore_exchange.fault_plan import Strike
from tradecore_exchange.refusals import Refusal, order_not_found, position_not_found
from tradecore_exchange.service import Service
from tradecore_exchange.words import OPEN

JSON = Any

_ORDER_READS = frozenset({endpoints.BY_CLIENT_ORDER_ID, endpoints.ORDER, endpoints.ORDERS})
_POSITION_READS = frozenset({endpoints.POSITION, endpoints.POSITIONS})
_BY_KIND = {
    kinds.HIDING: frozenset({endpoints.BY_CLIENT_ORDER_ID}),
    kinds.ORDER_LAG: _ORDER_READS,
    kinds.POSITION_LAG: _POSITION_READS,
}


async def _refuse(send: Send, refusal: Refusal) -> None:
    await answer(send, refusal.status, msgspec.json.encode(refusal.body))


class Lagging:
    """The application as an account sees it that is told of the past. `strike` is what a plan does to this request."""

    def __init__(self, app: ASGIApp, service: Service, strike: Strike | None) -> None:
        self._app = app
        self._service = service
        self._strike = strike

    def takes(self, strike: Strike) -> bool:
        """True for what is done here."""
        return strike.kind in _BY_KIND

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = endpoint_of(scope["method"], scope["path"])
        if not any(self._ms(kind, endpoint) for kind in _BY_KIND):
            await self._app(scope, receive, send)
            return
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        hidden = self._ms(kinds.HIDING, endpoint)
        client_order_id = query.get("client_order_id", "")
        if hidden and self._is_hidden(client_order_id, hidden):
            self._note(kinds.HIDING, endpoint)
            await _refuse(send, order_not_found(client_order_id))
        elif ms := self._ms(kinds.POSITION_LAG, endpoint):
            await self._positions(ms, endpoint, scope, send)
        elif ms := self._ms(kinds.ORDER_LAG, endpoint):
            await self._orders(ms, endpoint, query, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_hidden(self, client_order_id: str, ms: int) -> bool:
        known = self._service.floor.exchange.book.by_client_order_id
        return client_order_id in known and self._service.hindsight.is_younger(client_order_id, ms)

    def _ms(self, kind: str, endpoint: str) -> int:
        if endpoint not in _BY_KIND[kind]:
            return 0
        if self._strike is not None and self._strike.kind == kind:
            return self._strike.ms
        fault = self._service.faults.standing(kind)
        return 0 if fault is None else fault.ms

    def _note(self, kind: str, endpoint: str) -> None:
        # What a plan does was noted when it was drawn.
        if self._strike is None or self._strike.kind != kind:
            self._service.faults.log.note("armed", "lookup", endpoint, kind)

    async def _positions(self, ms: int, endpoint: str, scope: Scope, send: Send) -> None:
        self._note(kinds.POSITION_LAG, endpoint)
        positions = list(self._service.hindsight.positions(ms).values())
        if endpoint == endpoints.POSITIONS:
            await answer(send, 200, msgspec.json.encode(positions))
            return
        name = scope["path"].rsplit("/", 1)[1]
        found = next((one for one in positions if name in {one["symbol"], one["asset_id"]}), None)
        if found is None:
            await _refuse(send, position_not_found())
        else:
            await answer(send, 200, msgspec.json.encode(found))

    async def _orders(
        self, ms: int, endpoint: str, query: dict[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Whether an order is in a list, its status of then decides."""
        self._note(kinds.ORDER_LAG, endpoint)
        if endpoint == endpoints.ORDERS:
            scope["query_string"] = urlencode({**query, "status": "all", "limit": "500"}).encode()
        now = await held(self._app, scope, receive)
        if now.status != 200:
            await now.let_go(send)
            return
        if endpoint != endpoints.ORDERS:
            then = self._of_then(now.json, ms)
            if then is None:
                await _refuse(send, order_not_found(query.get("client_order_id") or now.json["id"]))
            else:
                await answer(send, 200, msgspec.json.encode(then))
            return
        wanted = query.get("status", "open")
        orders = [then for one in now.json if (then := self._of_then(one, ms)) is not None]
        chosen = [one for one in orders if wanted == "all" or (one["status"] in OPEN) == (wanted == "open")]
        await answer(send, 200, msgspec.json.encode(chosen[: int(query.get("limit") or 50)]))

    def _of_then(self, one: JSON, ms: int) -> JSON:
        """An order as it was, with those of its legs that were there; None when it was not."""
        order = self._service.hindsight.order
        then = order(one["id"], ms)
        if then is None or not one.get("legs"):
            return then
        return {**then, "legs": [leg for each in one["legs"] if (leg := order(each["id"], ms)) is not None] or None}
