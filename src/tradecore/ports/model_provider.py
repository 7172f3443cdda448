"""A provider of models, as a need: one request, one HTTP attempt, and a plain word on what came of it.

Failures are values and not exceptions, so that no traceback of a client library (whose frames hold the key) is ever
chained to an error of ours. Repeating, choosing, paying and validating are the gateway's business.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs

from tradecore.domain.model_call import ModelFailure, Usage
from tradecore.ports.clock import Clock


@attrs.frozen
class ProviderOptions:
    """How a provider is reached. `name` is the settings' name for it; `key` is a secret, empty where none is needed.

    `connect_timeout_s` bounds the connection only: the whole call is bounded by `ProviderRequest.timeout_s`.
    `answer_bytes_max` bounds what is read of an answer.
    """

    name: str
    base_url: str
    key: str = attrs.field(repr=False)
    connect_timeout_s: float
    answer_bytes_max: int
    clock: Clock


@attrs.frozen
class ProviderRequest:
    """A chat completion in OpenAI's terms. `body` is the whole request as JSON; `timeout_s` bounds the whole call.

    `is_streamed` asks for the answer piece by piece (server-sent events); it is put together before it is used.
    `traceparent` (W3C) goes along as a header, so that a provider's own traces can be joined.
    """

    model: str
    body: bytes
    timeout_s: float
    is_streamed: bool = False
    traceparent: str | None = None


@attrs.frozen
class Completion:
    """An answer that came in whole. `message` is the model's message as JSON (content, tool calls), without our keys.

    `usage` is None where the provider counted nothing; times are in seconds.
    """

    message: bytes
    finish_reason: str
    response_model: str
    response_id: str
    usage: Usage | None
    system_fingerprint: str | None = None
    first_token_s: float | None = None


@attrs.frozen
class CallFailed:
    """No answer. `is_billable` when the provider may bill it all the same: the request may have been worked on."""

    failure: ModelFailure
    message: str
    is_billable: bool
    status: int | None = None
    retry_after_s: float | None = None


class ModelProvider(Protocol):
    """One provider. `tradecore.testing.model_provider_contract` is this page as tests."""

    async def complete(self, request: ProviderRequest) -> Completion | CallFailed:
        """Send the request once and read the answer. Never raises for what the other side does, or does not."""


class OpenProvider(Protocol):
    """What the entry points `tradecore.models` name."""

    def __call__(self, options: ProviderOptions) -> AbstractAsyncContextManager[ModelProvider]:
        """Open the provider. Raises `ConfigurationError` for an address that makes no sense, `MissingExtra`."""
