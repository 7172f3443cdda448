"""The replay control of a running exchange, as a runner needs it: `tradecore.ports.venue.Replay` over `/_ctl`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import msgspec

from tradecore.errors import BrokerUnauthorized, BrokerUnreachable
from tradecore.ports.venue import Advance

_TIMEOUT_S = 10.0
_UNAUTHORIZED = (401, 403)
_SAID_BY_AN_EXCHANGE = {"time", "done", "steps_done", "steps_total", "symbols"}


class ReplayControl:
    """Moves a lockstep exchange over HTTP. Nothing is repeated here: a lost answer is the caller's to look into."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, key: str, secret: str) -> None:
        self._http = http
        self._base_url = base_url
        self._headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}

    async def state(self) -> Advance:
        """Where the market stands. Raises `BrokerUnreachable`, `BrokerUnauthorized`."""
        return _advance(await self._call("GET", "/_ctl/state"), symbols=())

    async def advance(self) -> Advance:
        """Move to the next bar time. Raises `BrokerUnreachable` (it may have moved), `BrokerUnauthorized`."""
        told = await self._call("POST", "/_ctl/advance")
        return _advance(told, symbols=tuple(told["bars"]))

    async def describe(self) -> dict[str, Any] | None:
        """What the exchange says of itself, or None where nothing answers like one."""
        try:
            told = await self._call("GET", "/_ctl/state")
        except BrokerUnreachable:
            return None
        return told if told.keys() >= _SAID_BY_AN_EXCHANGE else None

    async def _call(self, method: str, path: str) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, self._base_url + path, headers=self._headers, timeout=_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise BrokerUnreachable(f"the exchange at {self._base_url} does not answer: {error!r}") from None
        if answer.status_code in _UNAUTHORIZED:
            raise BrokerUnauthorized(f"the exchange at {self._base_url} does not accept these keys")
        if answer.status_code != httpx.codes.OK:
            raise BrokerUnreachable(f"the exchange at {self._base_url} answered {answer.status_code} to {path}")
        try:
            told: dict[str, Any] = msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.MsgspecError:
            raise BrokerUnreachable(f"{self._base_url} does not answer {path} as an exchange does") from None
        return told


def _advance(told: dict[str, Any], symbols: tuple[str, ...]) -> Advance:
    return Advance(
        time=dt.datetime.fromisoformat(told["time"]),
        symbols=symbols,
        orders_changed=told.get("orders_changed", 0),
        done=told["done"],
        steps=told["steps_done"],
        total=told["steps_total"],
    )
