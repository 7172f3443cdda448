"""One HTTP exchange: sign it, bound its time, and say plainly whether there was an answer.

Nothing is repeated and no redirect is followed here. Failures are values, not exceptions, so that no traceback of the
HTTP library (whose frames hold the signed request) is ever chained to an error of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping

import anyio
import attrs
import httpx

from tradecore.ports.broker import Veto, no_veto
from tradecore_alpaca.keys import Keys

JSON = "application/json"
FIRST_BYTE = "send_request_headers.started"
"""The step of the library after which bytes leave."""

# The library raises these only before the first byte of a request is written.
_NOTHING_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@attrs.frozen
class Timeouts:
    """Seconds to wait for a connection, and for each piece of an answer."""

    connect_s: float = 3.0
    read_s: float = 10.0

    @property
    def whole_s(self) -> float:
        """Seconds for a whole exchange, however slowly the answer drips."""
        return self.connect_s + 2 * self.read_s


@attrs.frozen
class Answer:
    """An answer that came in whole. `body` has our keys removed."""

    status: int
    body: bytes
    retry_after: str | None = None
    rate_limit_reset: str | None = None
    rate_limit_remaining: str | None = None

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are shown as such."""
        return self.body.decode("utf-8", errors="backslashreplace")


@attrs.frozen
class NoAnswer:
    """No answer, or not all of it. `written` is False only when not one byte of the request can have left.

    `held` says that it was held back here, and nothing of the way to the broker.
    """

    written: bool
    reason: str
    retry_after_s: float | None = None
    held: bool = False


class _Vetoed(Exception):
    """Raised where the first byte would have left."""


class AlpacaHttp:
    """Signed exchanges over an injected client."""

    def __init__(self, client: httpx.AsyncClient, keys: Keys, timeouts: Timeouts) -> None:
        self._client = client
        self._keys = keys
        self._auth = _KeyHeaders(keys)
        self._whole_s = timeouts.whole_s
        self._timeout = httpx.Timeout(
            connect=timeouts.connect_s, read=timeouts.read_s, write=timeouts.read_s, pool=timeouts.connect_s
        )

    async def exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        accept: str = JSON,
        veto: Veto = no_veto,
    ) -> Answer | NoAnswer:
        """Send one request, once, and read its answer.

        `veto` is asked before the first byte leaves: to connect takes time, in which the process may have slept.
        """
        headers = {"accept": accept}
        if content is not None:
            headers["content-type"] = JSON
        try:
            with anyio.fail_after(self._whole_s):
                response = await self._client.request(
                    method,
                    url,
                    params=params,
                    content=content,
                    headers=headers,
                    auth=self._auth,
                    timeout=self._timeout,
                    follow_redirects=False,
                    extensions=None if veto is no_veto else {"trace": _asking(veto)},
                )
        except _Vetoed as vetoed:
            return NoAnswer(written=False, reason=str(vetoed), retry_after_s=0.0, held=True)
        except _NOTHING_WRITTEN as error:
            return NoAnswer(written=False, reason=self._tell(error))
        except Exception as error:  # noqa: BLE001  whatever broke, the request may have been written
            return NoAnswer(written=True, reason=self._tell(error))
        return Answer(
            status=response.status_code,
            body=self._keys.hide_bytes(response.content),
            retry_after=response.headers.get("retry-after"),
            rate_limit_reset=response.headers.get("x-ratelimit-reset"),
            rate_limit_remaining=response.headers.get("x-ratelimit-remaining"),
        )

    def _tell(self, error: Exception) -> str:
        words = self._keys.hide(str(error))
        return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _asking(veto: Veto) -> Callable[[str, object], Awaitable[None]]:
    """What the library calls at each step of an exchange."""

    async def trace(step: str, _: object) -> None:
        if step.endswith(FIRST_BYTE) and (reason := veto()) is not None:
            raise _Vetoed(reason)

    return trace


class _KeyHeaders(httpx.Auth):
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["APCA-API-KEY-ID"] = self._keys.key_id.get_secret_value()
        request.headers["APCA-API-SECRET-KEY"] = self._keys.secret_key.get_secret_value()
        yield request
