"""What stands before every route: keys, rate limit, and faults."""

from __future__ import annotations

import base64
import binascii

from starlette.types import ASGIApp, Receive, Scope, Send

from tradecore_exchange.answers import answer, counted
from tradecore_exchange.house import House
from tradecore_exchange.lagging import Lagging
from tradecore_exchange.misbehaviour import Misbehaviour
from tradecore_exchange.service import Service

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", "testclient"})
_UNAUTHORIZED = b'{"message":"unauthorized."}'


class Gate:
    """ASGI middleware around the whole application; websockets authenticate by themselves."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app = app
        self.house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or stop it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].startswith("/_ctl"):
            await self._control(scope, receive, send)
        else:
            await self._trade(scope, receive, send)
        self.house.level()

    async def _trade(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._account(scope)
        if service is None:
            await answer(counted(send, self.house.first.rate), 401, _UNAUTHORIZED)
            return
        scope["account"] = service
        is_within = service.rate.count()
        limited = counted(send, service.rate)
        if not is_within:
            await answer(limited, 429, b'{"code":42910000,"message":"rate limit exceeded"}')
            return
        strike = service.faults.for_request(scope["method"], scope["path"])
        lagging = Lagging(self.app, service, strike)
        if strike is None or lagging.takes(strike):
            await lagging(scope, receive, limited)
        else:
            await Misbehaviour(lagging, self.house, service, strike)(scope, receive, limited)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        client, service = scope.get("client"), self._account(scope)
        if client is not None and client[0] not in _LOOPBACK:
            await answer(send, 403, b'{"message":"the control API is for this machine only"}')
        elif service is None:
            await answer(send, 401, _UNAUTHORIZED)
        else:
            scope["account"] = service
            await self.app(scope, receive, send)

    def _account(self, scope: Scope) -> Service | None:
        """Whose request it is: by the two headers of the protocol, or by basic authentication."""
        headers = dict(scope["headers"])
        key, secret = headers.get(b"apca-api-key-id"), headers.get(b"apca-api-secret-key")
        if key is None and headers.get(b"authorization", b"").startswith(b"Basic "):
            try:
                key, _, secret = base64.b64decode(headers[b"authorization"][6:], validate=True).partition(b":")
            except binascii.Error:
                return None
        if key is None or secret is None:
            return None
        return self.house.find(key.decode("latin-1"), secret.decode("latin-1"))
