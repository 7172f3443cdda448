"""What an exception of litellm means: by its status and by what caused it, never by its words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator

import httpx

from tradecore.domain.model_call import ModelFailure
from tradecore.models.refusals import refused
from tradecore.ports.model_provider import CallFailed

_SHOWN = 300
_NOTHING_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def classify(error: Exception, hide: Callable[[bytes], bytes], now: dt.datetime) -> CallFailed:
    """The failure behind an exception."""
    causes = tuple(_causes(error))
    words = hide(str(error).encode("utf-8", "backslashreplace")).decode()[:_SHOWN]
    message = f"{type(error).__name__}: {words}"
    if any(isinstance(cause, _NOTHING_WRITTEN) for cause in causes):
        return CallFailed(ModelFailure.UNREACHABLE, message, is_billable=False)
    if any(isinstance(cause, httpx.TimeoutException) for cause in causes):
        return CallFailed(ModelFailure.TIMEOUT, message, is_billable=True)
    response = next((cause.response for cause in causes if isinstance(cause, httpx.HTTPStatusError)), None)
    response = response or next((one for one in map(_response, causes) if one is not None), None)
    # litellm gives a broken connection, and an answer that is no JSON, the status 500: only a provider's own counts.
    if response is None or any(isinstance(cause, httpx.TransportError | json.JSONDecodeError) for cause in causes):
        return CallFailed(ModelFailure.BROKEN, message, is_billable=True)
    return refused(response.status_code, response.headers.get("retry-after"), message, now)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _response(error: BaseException) -> httpx.Response | None:
    response = getattr(error, "response", None)
    return response if isinstance(response, httpx.Response) else None
