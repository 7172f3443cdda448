"""Questions to the broker: reads that may be repeated, a few times and not for long."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from tradecore.errors import BrokerUnauthorized, BrokerUnreachable
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Rng
from tradecore_alpaca.channel import Channel
from tradecore_alpaca.classify import broker_words, keys_refused
from tradecore_alpaca.http import Answer, NoAnswer
from tradecore_alpaca.json_text import is_json
from tradecore_alpaca.retry_after import retry_after_s

_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.2
_LONGEST_WAIT_S = 3.0
_WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_FOUND = 40410000


@attrs.frozen
class Questions:
    """Asks over HTTP. No new attempt begins `budget_s` seconds after the first."""

    channel: Channel
    clock: Clock
    rng: Rng
    budget_s: float = 10.0

    async def ask(self, url: str, params: Mapping[str, str] | None = None, *, attempts: int = _ATTEMPTS) -> bytes:
        """The body of the 200 answer. Raises `BrokerUnauthorized`, `BrokerUnreachable`."""
        body = await self._ask(url, params, attempts, urgent=False)
        if body is None:
            raise BrokerUnreachable(f"GET {url}: HTTP 404, there is nothing")
        return body

    async def ask_for_one(self, url: str, params: Mapping[str, str] | None = None) -> bytes | None:
        """The body of the 200 answer, or None when the broker itself says that there is no such thing.

        It is how the fate of an order is found out, and goes before other questions.
        """
        return await self._ask(url, params, _ATTEMPTS, urgent=True)

    async def _ask(self, url: str, params: Mapping[str, str] | None, attempts: int, *, urgent: bool) -> bytes | None:
        began = self.clock.monotonic()
        attempt = 1
        while True:
            patience_s = max(0.0, began + self.budget_s - self.clock.monotonic())
            outcome = await self.channel.question(url, params, patience_s, urgent=urgent)
            if isinstance(outcome, Answer):
                if outcome.status == 200 and is_json(outcome.body):
                    return outcome.body
                if keys_refused(outcome):
                    raise BrokerUnauthorized(f"GET {url}: HTTP {outcome.status}, the broker does not accept the keys")
                if _is_absent(outcome):
                    return None
            pause = self._pause(outcome, attempt)
            last = attempt >= attempts or self.channel.troubled
            if pause is None or last or self.clock.monotonic() - began + pause > self.budget_s:
                raise BrokerUnreachable(f"GET {url}: {_tell(outcome)}")
            attempt += 1
            await self.clock.sleep(pause)

    def _pause(self, outcome: Answer | NoAnswer, attempt: int) -> float | None:
        pause = self.rng.uniform(0.5, 1.0) * _FIRST_PAUSE_S * 2.0 ** (attempt - 1)
        if isinstance(outcome, NoAnswer):
            return pause
        if outcome.status == 429:
            wished = retry_after_s(outcome, self.clock.now())
            if wished is not None:
                return None if wished > _LONGEST_WAIT_S else max(wished, pause)
        return pause if outcome.status == 200 or outcome.status in _WORTH_REPEATING else None


def _is_absent(answer: Answer) -> bool:
    # A 404 of a gateway or of a wrong address says nothing about an order.
    if answer.status != 404:
        return False
    words = broker_words(answer)
    return words is not None and (words.code == _NOT_FOUND or "not found" in words.message.lower())


def _tell(outcome: Answer | NoAnswer) -> str:
    if isinstance(outcome, NoAnswer):
        return outcome.reason
    return f"HTTP {outcome.status} is no usable answer: {outcome.text[:200]!r}"
