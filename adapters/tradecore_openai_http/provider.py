"""One chat completion per call, once, with its time bounded; failures are values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import httpx

from tradecore.domain.model_call import ModelFailure
from tradecore.errors import ConfigurationError
from tradecore.models.refusals import refused
from tradecore.ports.model_provider import CallFailed, Completion, ModelProvider, ProviderOptions, ProviderRequest
from tradecore_openai_http.answers import Unusable, read_completion
from tradecore_openai_http.streaming import read_stream

_CONNECTIONS = 100
_HIDDEN = "[hidden]"
_SHOWN = 300
# The library raises these only before the first byte of a request is written.
_NOTHING_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@asynccontextmanager
async def open_provider(options: ProviderOptions) -> AsyncIterator[ModelProvider]:
    """A provider over its own HTTP client. Raises `ConfigurationError` for an address that is none."""
    url = _endpoint(options)
    client = httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(
            retries=0, trust_env=False, limits=httpx.Limits(max_connections=_CONNECTIONS)
        ),
        trust_env=False,
        follow_redirects=False,
    )
    async with client:
        yield OpenAIHttp(client, url, options)


class OpenAIHttp:
    """A `ModelProvider` over httpx."""

    def __init__(self, client: httpx.AsyncClient, url: str, options: ProviderOptions) -> None:
        self._client = client
        self._url = url
        self._key = options.key
        self._auth = _Bearer(options.key)
        self._connect_s = options.connect_timeout_s
        self._bytes_max = options.answer_bytes_max
        self._clock = options.clock

    async def complete(self, request: ProviderRequest) -> Completion | CallFailed:
        """Send the request once and read the answer."""
        with anyio.move_on_after(request.timeout_s):
            try:
                return await self._exchange(request)
            except _NOTHING_WRITTEN as error:
                return self._failed(ModelFailure.UNREACHABLE, error, is_billable=False)
            except httpx.TimeoutException as error:
                return self._failed(ModelFailure.TIMEOUT, error, is_billable=True)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return self._failed(ModelFailure.BROKEN, error, is_billable=True)
            except Unusable as error:
                return self._failed(ModelFailure.BROKEN, error, is_billable=True)
        said = f"no whole answer within {request.timeout_s:.3f} s"
        return CallFailed(ModelFailure.TIMEOUT, said, is_billable=True)

    async def _exchange(self, request: ProviderRequest) -> Completion | CallFailed:
        headers = {"content-type": "application/json"}
        if request.traceparent is not None:
            headers["traceparent"] = request.traceparent
        body = request.body
        if request.is_streamed:
            assert body.startswith(b"{"), "a request is a JSON object"
            body = b'{"stream":true,"stream_options":{"include_usage":true},' + body[1:]
        timeout = httpx.Timeout(request.timeout_s, connect=min(self._connect_s, request.timeout_s))
        began = self._clock.monotonic()
        async with self._client.stream(
            "POST", self._url, content=body, headers=headers, auth=self._auth, timeout=timeout
        ) as response:
            pieces = self._limited(response)
            if response.status_code != 200:
                words = self._hide(await _joined(pieces))[:_SHOWN].decode("utf-8", "backslashreplace")
                return refused(response.status_code, response.headers.get("retry-after"), words, self._clock.now())
            if "text/event-stream" in response.headers.get("content-type", ""):
                return await read_stream(pieces, self._hide, lambda: self._clock.monotonic() - began)
            return read_completion(self._hide(await _joined(pieces)))

    async def _limited(self, response: httpx.Response) -> AsyncIterator[bytes]:
        left = self._bytes_max
        async for piece in response.aiter_bytes():
            left -= len(piece)
            if left < 0:
                raise Unusable(f"the answer is longer than {self._bytes_max} bytes")
            yield piece

    def _hide(self, body: bytes) -> bytes:
        return body.replace(self._key.encode(), _HIDDEN.encode()) if self._key else body

    def _failed(self, failure: ModelFailure, error: Exception, *, is_billable: bool) -> CallFailed:
        words = self._hide(str(error).encode("utf-8", "backslashreplace")).decode()
        name = type(error).__name__
        return CallFailed(failure, f"{name}: {words}" if words else name, is_billable=is_billable)


async def _joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def _endpoint(options: ProviderOptions) -> str:
    setting = f"models.providers.{options.name}.base_url"
    parts = urlsplit(options.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ConfigurationError(f"{setting}: {options.base_url!r} is not a URL such as http://127.0.0.1:11434/v1")
    if options.key and not options.key.isascii():
        raise ConfigurationError(f"the key of models.providers.{options.name} holds a character that no key has")
    return options.base_url.rstrip("/") + "/chat/completions"


class _Bearer(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        yield request
