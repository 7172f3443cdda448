"""The one way to the broker: every request waits for its turn here, and tells how it went."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from tradecore.ports.broker import Veto, no_veto
from tradecore.ports.clock import Clock
from tradecore_alpaca.breaker import Breaker, Trip
from tradecore_alpaca.budget import Budget, Pace
from tradecore_alpaca.http import JSON, AlpacaHttp, Answer, NoAnswer


@attrs.frozen
class Guards:
    """How requests are paced and when new orders are held up; None: not at all."""

    pace: Pace | None = None
    trip: Trip | None = None


UNGUARDED = Guards()


class Channel:
    """Requests over HTTP, paced by a budget, with a breaker in front of what adds risk.

    What is held up here was not sent: it ends as `NoAnswer` with nothing written, and nothing of it is kept.
    """

    def __init__(self, http: AlpacaHttp, clock: Clock, guards: Guards) -> None:
        self._http = http
        self._budget = Budget(clock, guards.pace) if guards.pace else None
        self._breaker = Breaker(clock, guards.trip) if guards.trip else None

    @property
    def troubled(self) -> bool:
        """Whether the way to the broker is known to be bad: then a question is not repeated."""
        return self._breaker is not None and self._breaker.is_open

    async def instruct(
        self, method: str, url: str, content: bytes | None = None, *, urgent: bool = False, veto: Veto = no_veto
    ) -> Answer | NoAnswer:
        """Give an instruction, once. `urgent` ones go through an open circuit and may use the last of the budget.

        Much can happen while it waits for its turn: `veto` is asked when it has come, and before the first byte leaves.
        """
        if urgent or self._breaker is None:
            held = await self._turn(None, urgent=urgent) or _vetoed(veto)
            return held or self._heard(await self._exchange(method, url, None, content, veto=veto))
        held = self._held(self._breaker)
        if held is None:
            held = await self._turn(None, urgent=urgent) or self._held(self._breaker) or _vetoed(veto)
        if held is not None:
            return held
        probe, outcome = self._breaker.begin(), None
        try:
            outcome = await self._exchange(method, url, None, content, veto=veto)
        finally:
            self._breaker.end(outcome, probe=probe)
        return outcome

    async def question(
        self,
        url: str,
        params: Mapping[str, str] | None,
        patience_s: float,
        *,
        urgent: bool,
        accept: str = JSON,
    ) -> Answer | NoAnswer:
        """Ask, once, after `patience_s` seconds at most. A question is never held up by the breaker."""
        held = await self._turn(patience_s, urgent=urgent)
        return held or self._heard(await self._exchange("GET", url, params, None, accept))

    async def _turn(self, patience_s: float | None, *, urgent: bool) -> NoAnswer | None:
        if self._budget is None:
            return None
        patience_s = self._budget.pace.patience_s if patience_s is None else patience_s
        wait_s = await self._budget.take(patience_s, urgent=urgent)
        if wait_s == 0.0:
            return None
        return NoAnswer(written=False, reason="the budget of requests is spent", retry_after_s=wait_s, held=True)

    def _held(self, breaker: Breaker) -> NoAnswer | None:
        if breaker.held_s == 0.0:
            return None
        reason = "the broker was in trouble lately: no new orders until it has proved itself"
        return NoAnswer(written=False, reason=reason, retry_after_s=breaker.held_s, held=True)

    def _heard(self, outcome: Answer | NoAnswer) -> Answer | NoAnswer:
        if self._breaker is not None:
            self._breaker.heard(outcome)
        return outcome

    async def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        content: bytes | None,
        accept: str = JSON,
        veto: Veto = no_veto,
    ) -> Answer | NoAnswer:
        outcome = await self._http.exchange(method, url, params, content, accept, veto)
        if self._budget is not None:
            self._budget.learn(outcome)
        return outcome


def _vetoed(veto: Veto) -> NoAnswer | None:
    reason = veto()
    return None if reason is None else NoAnswer(written=False, reason=reason, retry_after_s=0.0, held=True)
