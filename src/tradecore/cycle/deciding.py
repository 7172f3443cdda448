"""Deciding on one symbol: asked, judged, validated, each on record before the next. What was done is not done again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal

import anyio
import structlog

from tradecore.cycle.features import features_of
from tradecore.cycle.rules import CycleRules
from tradecore.cycle.sources import Sources
from tradecore.cycle.universe import Universe
from tradecore.cycle.validation import Market, validate
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.deliberation import DeliberationState, Progress
from tradecore.domain.events import DecisionConcluded
from tradecore.domain.identity import decision_id
from tradecore.domain.judgement import Judgement, abstain
from tradecore.domain.messages import Cause
from tradecore.domain.trade import TradeState
from tradecore.domain.values import Bar
from tradecore.errors import JournalError, ReplayMiss, TradecoreError
from tradecore.failpoints import failpoint
from tradecore.learning.active import active_calibration
from tradecore.ledger import Ledger
from tradecore.ports.agent import Agent, Briefing, Features, Note, Standing
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids

Noticed = Callable[[str, Note, str], None]
"""Told of a symbol, a text that a decision on it is shown, and the hash under which the text is kept."""

_log = structlog.get_logger("tradecore.cycle")


class Decider:
    """Asks one agent about symbols, for one account."""

    def __init__(
        self,
        ledger: Ledger,
        agent: Agent,
        universe: Universe,
        sources: Sources,
        clock: Clock,
        ids: Ids,
        account: str,
        rules: CycleRules,
        run: str,
    ) -> None:
        self._ledger = ledger
        self._agent = agent
        self._universe = universe
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._account = account
        self._rules = rules
        self._run = run
        self._shown: dict[str, frozenset[str]] = {}
        self.noticed: Noticed = lambda _symbol, _note, _digest: None

    def identity(self, symbol: str, bars: tuple[Bar, ...]) -> str:
        """The decision of the agent on these bars: the same bars, the same decision."""
        return decision_id(self._agent.name, symbol, bars[-1].start.isoformat())

    async def decide(self, symbol: str, bars: tuple[Bar, ...], cycle_id: str) -> DeliberationState | None:
        """The decision on a symbol, validated, from wherever an earlier run left it; None where the cycle is over."""
        decision = self.identity(symbol, bars)
        own = self.standing(symbol)
        figures, notes = self._outside(symbol, bars[-1].start)
        features = features_of(bars, self._agent.lookback_bars, figures)
        known = self._ledger.deliberation(decision)
        left_s = self._rules.decide_s if known is None else self._left_s(known)
        state = known or self._request(decision, symbol, bars, features, notes, cycle_id)
        if state is None:
            return None
        cause = self._cause(decision)
        if state.progress is Progress.REQUESTED:
            judgement = await self._judge(self._briefing(state, bars, features, notes, own, cause, left_s), left_s)
            failpoint("decision.judged")
            self._ledger.handle(cmd.ConcludeDecision(decision, judgement), cause)
            failpoint("decision.concluded")
            state = self._known(decision)
        if state.progress is Progress.CONCLUDED:
            made = state.concluded
            assert made is not None, "it is concluded"
            market = Market(bars[-1].close, self._universe.tradable(symbol))
            calibration = active_calibration(self._ledger.journal, self._agent.name, made.model)
            self._ledger.handle(validate(made, own, market, self._rules, calibration), cause)
            failpoint("decision.validated")
            state = self._known(decision)
        return state

    def _left_s(self, known: DeliberationState) -> float:
        """What is left of a decision's time that an earlier run asked for: the wall clock outlives a process."""
        left_s = (known.deadline - self._clock.now()).total_seconds()
        return min(max(left_s, 0.0), self._rules.decide_s)

    def standing(self, symbol: str) -> Standing:
        """What the agent has to do with the symbol, by the account's books."""
        account, name = self._ledger.account(self._account), self._agent.name
        held, working = account.held(name, symbol), account.working(name, symbol)
        idea, entry = self._idea(symbol), self._entry(symbol)
        return Standing(
            held=held,
            working=working,
            average_price=None if idea is None else idea.position.average_price,
            equity=account.equity,
            thesis="" if entry is None else entry.reasoning,
            opened_at=None if idea is None else idea.opened_at,
            may_add=self._rules.allow_adding,
            may_short=self._rules.allow_short,
        )

    def _idea(self, symbol: str) -> TradeState | None:
        """The trade that the agent holds of the symbol, or works on."""
        trades = self._ledger.account(self._account).trades_for(self._agent.name, symbol)
        return self._ledger.trade(trades[0]) if trades else None

    def _entry(self, symbol: str) -> DecisionConcluded | None:
        """The judgement that opened it."""
        idea = self._idea(symbol)
        decision = None if idea is None else idea.decision_id
        state = None if decision is None else self._ledger.deliberation(decision)
        return None if state is None else state.concluded

    def _request(
        self,
        decision: str,
        symbol: str,
        bars: tuple[Bar, ...],
        features: Features,
        notes: tuple[Note, ...],
        cycle_id: str,
    ) -> DeliberationState | None:
        """The decision as asked for; None where another process ended the cycle meanwhile."""
        asked = cmd.RequestDecision(
            decision_id=decision,
            agent=self._agent.name,
            account=self._account,
            symbol=symbol,
            cycle_id=cycle_id,
            data_as_of=bars[-1].start,
            deadline=self._clock.now() + dt.timedelta(seconds=self._rules.decide_s),
            values=features.values,
            missing=features.missing,
            sources=features.sources,
            notes=self._keep_notes(symbol, notes),
        )
        self._ledger.handle(asked, self._cause(decision))
        failpoint("decision.requested")
        return self._ledger.deliberation(decision)

    def _outside(self, symbol: str, as_of: dt.datetime) -> tuple[Mapping[str, Mapping[str, Decimal]], tuple[Note, ...]]:
        """What sources know of the symbol: nothing from after that moment, and nothing where they fail."""
        try:
            notes = self._sources.notes(symbol, as_of)
            return self._sources.figures(symbol, as_of), tuple(note for note in notes if note.at <= as_of)
        except Exception as error:  # noqa: BLE001 - a source is anybody's code; without it there are still bars
            _log.error("a source failed", symbol=symbol, error=f"{type(error).__name__}: {error}")
            return {}, ()

    def _keep_notes(self, symbol: str, notes: tuple[Note, ...]) -> tuple[str, ...]:
        """The texts that the agent is shown, in the side store under the month, by their hashes; new ones are told."""
        texts = [json.dumps([note.origin, note.at.isoformat(), note.text]).encode() for note in notes]
        subject = f"notes {self._clock.now():%Y-%m}"
        digests = self._ledger.journal.texts.put_all(subject, "application/json", texts) if texts else ()
        before, self._shown[symbol] = self._shown.get(symbol, frozenset()), frozenset(digests)
        for note, digest in zip(notes, digests, strict=True):
            if digest not in before:
                self.noticed(symbol, note, digest)
        return digests

    def _briefing(
        self,
        state: DeliberationState,
        bars: tuple[Bar, ...],
        features: Features,
        notes: tuple[Note, ...],
        own: Standing,
        cause: Cause,
        left_s: float,
    ) -> Briefing:
        return Briefing(
            decision_id=state.decision_id,
            symbol=state.symbol,
            as_of=state.data_as_of,
            deadline=self._clock.monotonic() + left_s,
            bars=bars,
            features=features,
            standing=own,
            notes=notes,
            cause=cause,
            run=self._run,
        )

    async def _judge(self, briefing: Briefing, left_s: float) -> Judgement:
        """The agent's judgement, or why it has none. Only what would make a replay or the store a liar is raised."""
        late = f"the agent did not decide within {self._rules.decide_s:g} s"
        with anyio.move_on_after(left_s):
            try:
                judgement = await self._agent.judge(briefing)
            except Exception as error:  # noqa: BLE001 - an agent is anybody's code, and its failure is no decision
                errors = _leaves(error)
                for one in errors:
                    if isinstance(one, JournalError | ReplayMiss):
                        raise one from None
                why = str(errors[0]) if isinstance(errors[0], TradecoreError) else type(errors[0]).__name__
                _log.error("an agent failed", agent=self._agent.name, symbol=briefing.symbol, error=why)
                return abstain(f"the agent failed: {why}"[:2000])
            # A process that was held up finds the answer and the end of its time at once, and the answer may be first.
            return judgement if self._clock.monotonic() <= briefing.deadline else abstain(late, judgement.cost)
        return abstain(late)

    def _known(self, decision: str) -> DeliberationState:
        state = self._ledger.deliberation(decision)
        assert state is not None, "it was requested"
        return state

    def _cause(self, decision: str) -> Cause:
        """Everything about a decision is one trace, across crashes too."""
        trace_id = self._ledger.trace_of(streams.deliberation(decision)) or self._ids.trace_id()
        return Cause(trace_id, actor=f"agent:{self._agent.name}", source="cycle")


def _leaves(error: BaseException) -> list[BaseException]:
    """The errors inside the groups that task groups make of them."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]
