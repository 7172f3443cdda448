"""The stream `trade_updates`: sign in, listen, tell every message, connect again.

It has no replay, repeats itself, and loses messages: each `StreamConnected` is a reason to read the record again.
Messages that nobody has taken yet wait in the socket's own bounded queue; when it is full the broker is held up, and
when the broker gives us up for that the loss shows as `StreamLost`, never as a gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import attrs
import msgspec
import structlog

from tradecore.errors import BrokerUnauthorized, ProtocolError
from tradecore.ports.broker import OrderReport, Report, StreamConnected, StreamLost
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore_alpaca.backoff import Backoff
from tradecore_alpaca.json_text import read
from tradecore_alpaca.keys import Keys
from tradecore_alpaca.trade_update import read_report
from tradecore_alpaca.websocket import Connect, Socket, SocketLostError

_log = structlog.get_logger(__name__)
_TRADE_UPDATES = "trade_updates"


class _Frame(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Authorization(msgspec.Struct):
    status: str


class _Listening(msgspec.Struct):
    streams: list[str]


@attrs.frozen
class TradeStream:
    """Reports of one account. `sign_in_s` bounds the wait for the broker's answers at the door.

    `probe` asks the broker something that needs the keys, once, after a sign-in that was met with silence: a stream
    that never answers is the only sign of keys that were withdrawn. It raises `BrokerUnauthorized`. `missed`, where the
    broker has such a thing, tells again what happened since a moment.
    """

    url: str
    keys: Keys
    clock: Clock
    rng: Rng
    connect: Connect
    probe: Callable[[], Awaitable[None]]
    sign_in_s: float = 10.0
    missed: Callable[[dt.datetime], Awaitable[tuple[Report, ...]]] | None = None

    async def reports(self) -> AsyncIterator[Report]:
        """Every message, for ever; `StreamConnected` first after each connect, `StreamLost` once while there is none.

        Raises `BrokerUnauthorized`.
        """
        backoff, heard_until, told = Backoff(self.rng), None, False
        while True:
            began, silent = self.clock.monotonic(), False
            try:
                async with self.connect(self.url) as socket:
                    early = await self._sign_in(socket)
                    told = False
                    yield StreamConnected()
                    if self.missed is not None and heard_until is not None:
                        for report in await self.missed(heard_until):
                            yield report
                    for message in early:
                        yield read_report(message)
                    while True:
                        message = self.keys.hide_bytes(await socket.recv())
                        if not _is_routine(message):
                            report = read_report(message)
                            heard_until = _latest(heard_until, report)
                            yield report
            except SocketLostError as lost:
                reason, busy, silent = lost.reason, lost.busy, lost.silent
            if not told:  # a stream that never came to be is as lost as one that was there
                told = True
                yield StreamLost(reason)
            if silent:
                await self.probe()
            wait_s = backoff.wait_s(self.clock.monotonic() - began, busy=busy)
            _log.warning("the stream of orders is lost; connecting again", reason=reason, wait_s=round(wait_s, 1))
            await self.clock.sleep(wait_s)

    async def _sign_in(self, socket: Socket) -> list[bytes]:
        try:
            with anyio.fail_after(self.sign_in_s):
                await socket.send(self._authenticate())
                await _await_authorization(socket)
                await socket.send(msgspec.json.encode({"action": "listen", "data": {"streams": [_TRADE_UPDATES]}}))
                return await _await_listening(socket, self.keys)
        except TimeoutError:
            raise SocketLostError(f"no answer to the sign-in within {self.sign_in_s} s", silent=True) from None

    def _authenticate(self) -> bytes:
        keys = {
            "key_id": self.keys.key_id.get_secret_value(),
            "secret_key": self.keys.secret_key.get_secret_value(),
        }
        return msgspec.json.encode({"action": "authenticate", "data": keys})


def _latest(known: dt.datetime | None, report: Report) -> dt.datetime | None:
    if not isinstance(report, OrderReport):
        return known
    return report.order.updated_at if known is None else max(known, report.order.updated_at)


async def _await_authorization(socket: Socket) -> None:
    message = await socket.recv()
    frame = _frame(message)
    if frame is None or frame.stream != "authorization":
        raise SocketLostError("the first message was not the authorization")
    _check_authorization(frame)


async def _await_listening(socket: Socket, keys: Keys) -> list[bytes]:
    early: list[bytes] = []
    while True:
        message = keys.hide_bytes(await socket.recv())
        frame = _frame(message)
        if frame is not None and frame.stream == "authorization":
            _check_authorization(frame)
        elif frame is not None and frame.stream == "listening":
            _check_listening(frame)
            return early
        else:
            early.append(message)


def _is_routine(message: bytes) -> bool:
    frame = _frame(message)
    if frame is not None and frame.stream == "authorization":
        _check_authorization(frame)
        return True
    if frame is not None and frame.stream == "listening":
        _check_listening(frame)
        return True
    return False


def _check_authorization(frame: _Frame) -> None:
    try:
        status = read(frame.data, _Authorization).status
    except ProtocolError as error:
        raise SocketLostError(f"authorization: {error}") from None
    if status == "unauthorized":
        raise BrokerUnauthorized("the stream does not accept the keys")
    if status != "authorized":
        raise SocketLostError(f"authorization: {status[:80]!r} is not a known word")


def _check_listening(frame: _Frame) -> None:
    try:
        streams = read(frame.data, _Listening).streams
    except ProtocolError as error:
        raise SocketLostError(f"listening: {error}") from None
    if _TRADE_UPDATES not in streams:
        raise SocketLostError(f"listening to {streams}, not to {_TRADE_UPDATES}")


def _frame(message: bytes) -> _Frame | None:
    try:
        return read(message, _Frame)
    except ProtocolError:
        return None
