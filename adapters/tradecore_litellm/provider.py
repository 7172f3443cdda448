"""A provider over `litellm.acompletion`: one attempt, no repeats, no Router, no cache, no callbacks of its own.

Calls are never streamed: some versions of litellm take a stream that was cut off for a whole answer.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import anyio
import anyio.to_thread

from tradecore.domain.model_call import ModelFailure, Usage
from tradecore.models.canonical import canonical
from tradecore.ports.model_provider import CallFailed, Completion, ModelProvider, ProviderOptions, ProviderRequest
from tradecore_litellm.failures import classify
from tradecore_litellm.library import check_library, load_library
from tradecore_litellm.loop import run_there

_HIDDEN = "[hidden]"
_KEPT = ("role", "content", "tool_calls", "refusal")
_NO_KEY = "none"  # servers that want no key are asked with this one


@asynccontextmanager
async def open_provider(options: ProviderOptions) -> AsyncIterator[ModelProvider]:
    """A provider; litellm is imported here, which takes seconds. Raises `MissingExtra`, `ConfigurationError`."""
    check_library()
    litellm = await anyio.to_thread.run_sync(load_library)
    await run_there(_warm_up(litellm))
    yield LitellmProvider(litellm, options)


class LitellmProvider:
    """A `ModelProvider` over litellm."""

    def __init__(self, litellm: ModuleType, options: ProviderOptions) -> None:
        self._litellm = litellm
        self._options = options

    async def complete(self, request: ProviderRequest) -> Completion | CallFailed:
        """Send the request once and read the answer."""
        with anyio.move_on_after(request.timeout_s):
            try:
                answer = await run_there(self._ask(request))
            except Exception as error:  # noqa: BLE001  whatever it is, the chain goes on
                return classify(error, self._hide, self._options.clock.now())
            return self._read(answer)
        said = f"no whole answer within {request.timeout_s:.3f} s"
        return CallFailed(ModelFailure.TIMEOUT, said, is_billable=True)

    async def _ask(self, request: ProviderRequest) -> dict[str, Any]:
        body = json.loads(request.body)
        headers = {} if request.traceparent is None else {"traceparent": request.traceparent}
        answer = await self._litellm.acompletion(
            **body,
            api_key=self._options.key or _NO_KEY,
            api_base=self._options.base_url or None,
            timeout=request.timeout_s,
            num_retries=0,
            max_retries=0,
            extra_headers=headers,
        )
        plain: dict[str, Any] = answer.model_dump()
        return plain

    def _read(self, answer: dict[str, Any]) -> Completion | CallFailed:
        choices = answer.get("choices") or [{}]
        message, finish_reason = choices[0].get("message"), choices[0].get("finish_reason")
        if not isinstance(message, dict) or not isinstance(finish_reason, str):
            return CallFailed(ModelFailure.BROKEN, "the answer has no finished message", is_billable=True)
        kept = canonical("message", _message(message))
        if len(kept) > self._options.answer_bytes_max:
            said = f"the answer is longer than {self._options.answer_bytes_max} bytes"
            return CallFailed(ModelFailure.BROKEN, said, is_billable=True)
        return Completion(
            message=self._hide(kept),
            finish_reason=finish_reason,
            response_model=str(answer.get("model") or ""),
            response_id=str(answer.get("id") or ""),
            usage=_usage(answer.get("usage")),
            system_fingerprint=answer.get("system_fingerprint"),
        )

    def _hide(self, text: bytes) -> bytes:
        key = self._options.key
        return text.replace(key.encode(), _HIDDEN.encode()) if key else text


async def _warm_up(litellm: ModuleType) -> None:
    """The first call of a process loads more modules, for about a second: not within anybody's deadline.

    It goes to a port of our own that nobody listens at, so nothing leaves the machine.
    """
    messages = [{"role": "user", "content": "nobody reads this"}]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with contextlib.suppress(Exception):
            await litellm.acompletion(
                model="openai/none",
                messages=messages,
                api_key=_NO_KEY,
                api_base=nowhere,
                timeout=1.0,
                num_retries=0,
                max_retries=0,
            )


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """What the model said, in OpenAI's words; some of them litellm moves aside."""
    aside = message.get("provider_specific_fields") or {}
    said = {name: message.get(name) or aside.get(name) for name in _KEPT}
    return {name: value for name, value in said.items() if value is not None}


def _usage(usage: object) -> Usage | None:
    """What was counted. litellm says zero where the provider said nothing, and no prompt has no tokens."""
    if not isinstance(usage, dict) or not usage.get("prompt_tokens"):
        return None
    given, made = int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0)
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return Usage(given, made, min(int(cached), given), int(reasoning))
