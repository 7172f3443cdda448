"""The stream of one-minute bars, as JSON text: the server speaks first, then we sign in and subscribe."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import anyio
import attrs
import msgspec
import structlog

from tradecore.domain.values import Bar
from tradecore.errors import BrokerUnauthorized, ConfigurationError, ProtocolError
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore.ports.market_data import DataConnected
from tradecore_alpaca.backoff import Backoff
from tradecore_alpaca.bar import decode_bar
from tradecore_alpaca.json_text import read
from tradecore_alpaca.keys import Keys
from tradecore_alpaca.websocket import Connect, Socket, SocketLostError

_log = structlog.get_logger(__name__)

_AUTH_FAILED = 402
_SYMBOL_LIMIT = 405
_CONNECTION_LIMIT = 406
_INSUFFICIENT_SUBSCRIPTION = 409


class _Point(msgspec.Struct):
    T: str
    S: str = ""
    msg: str = ""
    code: int = 0
    bars: list[str] = []


@attrs.frozen
class DataStream:
    """Bars of one feed. `sign_in_s` bounds the wait for the server's answers at the door."""

    url: str
    keys: Keys
    clock: Clock
    rng: Rng
    connect: Connect
    sign_in_s: float = 10.0

    async def bars(self, symbols: Sequence[str]) -> AsyncIterator[Bar | DataConnected]:
        """Bars as they close, for ever; `DataConnected` first after each connect, and again after an unreadable bar.

        Raises `BrokerUnauthorized` when the keys are refused, `ConfigurationError` when they do not include the feed
        or that many symbols.
        """
        wanted = sorted(set(symbols))
        backoff = Backoff(self.rng)
        while True:
            began = self.clock.monotonic()
            try:
                async with self.connect(self.url) as socket:
                    await self._sign_in(socket, wanted)
                    yield DataConnected()
                    while True:
                        for told in _read_bars(await socket.recv()):
                            yield told
            except SocketLostError as lost:
                wait_s = backoff.wait_s(self.clock.monotonic() - began, busy=lost.busy)
                _log.warning(
                    "the stream of bars is lost; connecting again", reason=lost.reason, wait_s=round(wait_s, 1)
                )
            await self.clock.sleep(wait_s)

    async def _sign_in(self, socket: Socket, symbols: list[str]) -> None:
        try:
            with anyio.fail_after(self.sign_in_s):
                await _await_success(socket, "connected")
                await socket.send(self._auth())
                await _await_success(socket, "authenticated")
                await socket.send(msgspec.json.encode({"action": "subscribe", "bars": symbols}))
                await _await_subscription(socket, symbols)
        except TimeoutError:
            raise SocketLostError(f"no answer to the sign-in within {self.sign_in_s} s") from None

    def _auth(self) -> bytes:
        key, secret = self.keys.key_id.get_secret_value(), self.keys.secret_key.get_secret_value()
        return msgspec.json.encode({"action": "auth", "key": key, "secret": secret})


async def _await_success(socket: Socket, word: str) -> None:
    points = [point for point, _ in _points(await socket.recv())]
    if not any(point.T == "success" and point.msg == word for point in points):
        raise SocketLostError(f"the server did not say {word!r}")


async def _await_subscription(socket: Socket, symbols: list[str]) -> None:
    while True:
        for point, _ in _points(await socket.recv()):
            if point.T == "subscription":
                missing = set(symbols) - set(point.bars)
                if missing:
                    raise SocketLostError(f"the subscription lacks {', '.join(sorted(missing))}")
                return


def _read_bars(message: bytes) -> list[Bar | DataConnected]:
    told: list[Bar | DataConnected] = []
    for point, raw in _points(message):
        if point.T != "b":
            continue
        try:
            told.append(decode_bar(point.S, raw))
        except ProtocolError as error:
            # The port has no word for a bar that cannot be read, but one for bars that may be missing.
            _log.warning("a bar cannot be read", symbol=point.S[:20], error=str(error))
            told.append(DataConnected())
    return told


def _points(message: bytes) -> list[tuple[_Point, msgspec.Raw]]:
    try:
        points = [(read(raw, _Point), raw) for raw in read(message, list[msgspec.Raw])]
    except ProtocolError as error:
        raise SocketLostError(f"a message that is not of the protocol: {error}") from None
    for point, _ in points:
        if point.T == "error":
            raise _refusal(point)
    return points


def _refusal(point: _Point) -> Exception:
    told = f"{point.code} {point.msg}"
    if point.code == _AUTH_FAILED:
        return BrokerUnauthorized(f"the data stream does not accept the keys: {told}")
    if point.code == _INSUFFICIENT_SUBSCRIPTION:
        return ConfigurationError(f"broker.feed: the keys do not include this feed: {told}")
    if point.code == _SYMBOL_LIMIT:
        return ConfigurationError(f"market_data.symbols: more than the keys include: {told}")
    return SocketLostError(f"the server said {told}", busy=point.code == _CONNECTION_LIMIT)
