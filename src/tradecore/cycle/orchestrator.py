"""The orchestrator: check, data, decide, intend, deliver, sync; every step on record, one cycle at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

import anyio
import attrs
import structlog

from tradecore import approvals
from tradecore.cycle.deciding import Decider, Noticed
from tradecore.cycle.market import MarketMemory
from tradecore.cycle.placing import order_of_decision
from tradecore.cycle.rules import CycleRules
from tradecore.cycle.sources import NoSources, Sources
from tradecore.cycle.turn import Turn
from tradecore.cycle.universe import Universe
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.cycle import cycle_id_of
from tradecore.domain.deliberation import DeliberationState
from tradecore.domain.events import CyclesPaused, DecisionExecuted
from tradecore.domain.judgement import CycleStep, StepResult
from tradecore.domain.messages import Cause
from tradecore.domain.truth import Known
from tradecore.domain.values import Bar, TradingState
from tradecore.draft import last_event
from tradecore.engine import Engine
from tradecore.errors import BrokerUnreachable, InputError, LaneRefused, ProtocolError, RefusedError
from tradecore.failpoints import failpoint
from tradecore.learning.outcomes import OutcomeResolver
from tradecore.ports.agent import Agent
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.market_data import MarketData
from tradecore.views import read_rows

_log = structlog.get_logger("tradecore.cycle")
_UNREAD = (BrokerUnreachable, ProtocolError)
_WORST = (StepResult.OK, StepResult.SKIPPED, StepResult.PARTLY, StepResult.FAILED)
_MANY_MISSED = 10
_UNDONE = ("requested", "concluded", "buy", "sell")


@attrs.define
class _Round:
    """A cycle under way."""

    cycle_id: str
    now: dt.datetime
    cause: Cause
    symbols: tuple[str, ...]
    began: float
    decisions: list[DeliberationState] = attrs.field(factory=list)
    orders: int = 0
    asks: bool = True
    worst: StepResult = StepResult.OK


_Outcome = tuple[StepResult, str]


class Cycle:
    """The cycles of one account with one agent."""

    def __init__(
        self,
        engine: Engine,
        agent: Agent,
        market_data: MarketData,
        clock: Clock,
        ids: Ids,
        account: str,
        symbols: tuple[str, ...],
        rules: CycleRules,
        run: str,
        sources: Sources | None = None,
        turn: Turn | None = None,
    ) -> None:
        """`run` is what a recording of the models' answers is replayed by; `turn` where processes share the ledger."""
        self._engine = engine
        self._ledger = engine.ledger
        self._agent = agent
        self._clock = clock
        self._ids = ids
        self._account = account
        self._rules = rules
        self._universe = Universe(symbols, engine.assets.tradable)
        self._memory = MarketMemory(market_data, agent.lookback_bars)
        self.outcomes = OutcomeResolver(self._ledger, ids, market_data)
        self._decider = Decider(
            self._ledger, agent, self._universe, sources or NoSources(), clock, ids, account, rules, run
        )
        self._running: str | None = None
        self._has_begun = False
        self._turn = turn
        if turn is not None:
            engine.follower.listen(turn.observe)

    @property
    def noticed(self) -> Noticed:
        """Told each text from outside when a decision is first shown it."""
        return self._decider.noticed

    @noticed.setter
    def noticed(self, listener: Noticed) -> None:
        self._decider.noticed = listener

    # --- when -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """A cycle at every place in time on a live market, for ever. What a slow one misses is skipped, on record."""
        while True:
            now = await self._ask_time()
            has_run = await self.at(now)
            after = self._market_time()
            missed = self._slot(now) + self._every
            for _ in range(_MANY_MISSED if has_run else 0):
                if missed > self._slot(after):
                    break
                self._skip(missed, cycle_id_of(self._account, self._agent.name, self._slot(now)))
                missed += self._every
            await self._clock.sleep(self._pause(self._slot(after) + self._every))

    async def at(self, now: dt.datetime) -> bool:
        """The cycle of this place in time by the market's clock; false when there is none, or it was done already."""
        due = self._slot(now)
        cycle_id = cycle_id_of(self._account, self._agent.name, due)
        symbols = self._universe.open_at(now)
        is_wanted = bool(symbols) and not self.is_paused
        if self._turn is not None:
            if not self._has_turn(self._turn, is_due=is_wanted):
                return False
        elif not self._has_begun:
            self._end_interrupted(cycle_id)
        self._has_begun = True
        known = self._ledger.cycle(cycle_id)
        if known is not None and not known.is_live:
            return False
        if self._running is not None:
            self._skip(due, self._running)
            return False
        if not is_wanted:
            return False
        self._running = cycle_id
        try:
            await self._run(_Round(cycle_id, now, self._cause(cycle_id), symbols, self._clock.monotonic()), due)
        except LaneRefused as refused:
            _log.warning("another process runs the cycles", why=str(refused))
            return False
        finally:
            self._running = None
        return True

    def _has_turn(self, turn: Turn, *, is_due: bool) -> bool:
        """Whether this process is the one that asks; who takes the turn ends what the one before left open."""
        if self._running is not None:
            return True
        self._engine.catch_up()
        had_it = turn.is_held
        if not turn.take(is_due=is_due):
            return False
        if not had_it:
            self._end_interrupted(None)
        return True

    def _pause(self, next_due: dt.datetime) -> float:
        """Seconds until there is something to do: the next place in time, or to see whether another has died."""
        until_due = max(0.0, (next_due - self._market_time()).total_seconds())
        if self._turn is None or self._turn.is_held:
            return until_due
        left = self._turn.seconds_left(self._clock.monotonic())
        return min(until_due, left) if left > 0 else until_due

    @property
    def is_paused(self) -> bool:
        """Whether somebody wants no further cycles."""
        return isinstance(last_event(self._ledger.journal, streams.cycles(self._account)), CyclesPaused)

    async def finish(self) -> None:
        """Put on record what became of decisions whose trades ended after the last cycle, and make way for others."""
        await self.outcomes.resolve()
        if self._turn is not None:
            self._turn.leave()

    # --- what -------------------------------------------------------------------------------------------------------

    async def _run(self, here: _Round, due: dt.datetime) -> None:
        rules = self._rules
        turn = None if self._turn is None else self._turn.sign()
        start = cmd.StartCycle(here.cycle_id, self._account, self._agent.name, rules.mode, due, here.symbols, turn)
        self._ledger.handle(start, here.cause)
        failpoint("cycle.started")
        try:
            for step, work in self._steps():
                if not await self._step(here, step, work):
                    break
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            self._ledger.handle(cmd.FailCycle(here.cycle_id, reason), here.cause)
            raise
        lasted = self._seconds_since(here.began)
        done = cmd.CompleteCycle(here.cycle_id, here.worst, len(here.decisions), here.orders, lasted)
        self._ledger.handle(done, here.cause)
        failpoint("cycle.completed")

    def _steps(self) -> tuple[tuple[CycleStep, Callable[[_Round], Awaitable[_Outcome]]], ...]:
        return (
            (CycleStep.CHECK, self._check),
            (CycleStep.DATA, self._read),
            (CycleStep.DECIDE, self._decide),
            (CycleStep.INTEND, self._intend),
            (CycleStep.DELIVER, self._deliver),
            (CycleStep.SYNC, self._sync),
        )

    async def _step(self, here: _Round, step: CycleStep, work: Callable[[_Round], Awaitable[_Outcome]]) -> bool:
        """Do a step and record how it went; false where the others make no sense after it, or the cycle is over."""
        self._engine.catch_up()
        known = self._ledger.cycle(here.cycle_id)
        if known is None or not known.is_live:
            _log.warning("another process took the cycle for dead, and ended it", cycle=here.cycle_id)
            return False
        began = self._clock.monotonic()
        result, detail = await work(here)
        told = cmd.StepCycle(here.cycle_id, step, result, detail, self._seconds_since(began))
        self._ledger.handle(told, here.cause)
        here.worst = max(here.worst, result, key=_WORST.index)
        is_needed = step in (CycleStep.CHECK, CycleStep.DATA)
        return not (is_needed and result in (StepResult.FAILED, StepResult.SKIPPED))

    async def _check(self, here: _Round) -> _Outcome:
        """What waited for a person too long is over. In a halted account nobody is asked."""
        self._engine.heed_halt()
        self._engine.catch_up()
        approvals.expire(self._ledger, self._account, self._clock.now(), here.cause)
        state = self._ledger.account(self._account).trading_state
        if state is TradingState.HALTED:
            here.asks = False
            return StepResult.PARTLY, "trading is halted: nobody is asked"
        return StepResult.OK, state.value

    async def _read(self, here: _Round) -> _Outcome:
        """Symbols without fresh data are left out; without any the cycle ends."""
        try:
            await self._memory.read(here.symbols, here.now)
        except _UNREAD as error:
            return StepResult.FAILED, str(error)
        stale = [one for one in here.symbols if not self._known(one, here.now).is_live]
        here.symbols = tuple(one for one in here.symbols if one not in stale)
        if not here.symbols:
            return StepResult.FAILED, "no symbol has fresh bars"
        return (StepResult.PARTLY, "no fresh bars of " + ", ".join(stale)) if stale else (StepResult.OK, "")

    async def _decide(self, here: _Round) -> _Outcome:
        """All symbols at once; none can keep another from its decision."""

        async def one(symbol: str) -> None:
            bars = self._known(symbol, here.now).require(f"bars of {symbol}")
            state = await self._decider.decide(symbol, bars, here.cycle_id)
            if state is not None:
                here.decisions.append(state)

        try:
            async with anyio.create_task_group() as group:
                for symbol in here.symbols if here.asks else ():
                    group.start_soon(one, symbol)
        except BaseExceptionGroup as group_error:
            raise group_error.exceptions[0] from None
        here.decisions.sort(key=lambda state: here.symbols.index(state.symbol))
        silent = [one for one in here.decisions if one.concluded is not None and one.concluded.stance == "abstain"]
        names = ", ".join(state.symbol for state in silent)
        return (StepResult.PARTLY, f"no judgement on {names}") if silent else (StepResult.OK, "")

    async def _intend(self, here: _Round) -> _Outcome:
        """What acts becomes an intent or is refused by the gate, in one command each; refusals are on record there."""
        problems = []
        wait = 0
        for state in here.decisions:
            kept = state.validated
            if kept is None or not kept.stance.acts or self._ledger.has_stream(streams.decision(state.decision_id)):
                continue
            problem = self._place(state, self._known(state.symbol, here.now).require(f"bars of {state.symbol}"))
            failpoint("decision.placed")
            if problem is None:
                here.orders += 1
                wait += kept.needs_approval is not None
            else:
                problems.append(f"{state.symbol}: {problem}")
        self._engine.catch_up()
        told = f"{here.orders} orders" + (f", {wait} of them wait for a person" if wait else "")
        return (StepResult.PARTLY, "; ".join((told, *problems))) if problems else (StepResult.OK, told)

    def _place(self, state: DeliberationState, bars: tuple[Bar, ...]) -> str | None:
        """Record the intent; why not, where it is not."""
        not_after = self._clock.now() + dt.timedelta(seconds=self._rules.not_after_s)
        held = self._ledger.account(self._account).held(state.agent, state.symbol)
        order = self._engine.assets.on(order_of_decision(state, bars, not_after, held, self._rules.exits))
        cause = self._decision_cause(state)
        why = self._engine.held_back(order)
        if why is None:
            try:
                self._ledger.handle(order, cause)
            except (InputError, RefusedError) as error:
                why = str(error)
        if why is not None:
            self._ledger.handle(cmd.LapseDecision(state.decision_id, why), cause)
            return why
        if self._ledger.order(order.order_id) is None and not self._is_executed(state.decision_id):
            return "refused by the risk gate"
        return None

    def _is_executed(self, decision_id: str) -> bool:
        """Whether it became anything: a close that has to withdraw the legs at the broker first is no order yet."""
        events = self._ledger.journal.load(streams.decision(decision_id))
        return any(isinstance(recorded.event, DecisionExecuted) for recorded in events)

    async def _deliver(self, _: _Round) -> _Outcome:
        """Give delivery its time; what takes longer goes on by itself, and the next cycle sees it."""
        with anyio.move_on_after(self._rules.deliver_s) as scope:
            await self._engine.outbox.drain()
        return (StepResult.PARTLY, "delivery goes on") if scope.cancelled_caught else (StepResult.OK, "")

    async def _sync(self, _: _Round) -> _Outcome:
        """Take in what the broker did, and put on record what became of earlier decisions."""
        try:
            await self._engine.collect()
        except _UNREAD as error:
            return StepResult.FAILED, str(error)
        resolved = await self.outcomes.resolve()
        return StepResult.OK, f"{resolved} outcomes" if resolved else ""

    # --- what an earlier process left -------------------------------------------------------------------------------

    def _end_interrupted(self, current: str | None) -> None:
        """Cycles that their process did not survive are over, but for the one whose time it still is.

        First the cycles: for one that is over nothing is decided any more, so what lapses then is all that there is.
        """
        journal = self._ledger.journal
        self._engine.projector.catch_up()
        own = {row["cycle_id"]: row for row in read_rows(journal, "cycles") if row["account"] == self._account}
        for cycle_id, row in own.items():
            if row["status"] == "live" and cycle_id != current:
                self._ledger.handle(cmd.FailCycle(cycle_id, "its process ended in it"), self._cause(cycle_id))
        self._engine.projector.catch_up()
        for row in read_rows(journal, "decisions"):
            if row["status"] in _UNDONE and row["cycle_id"] in own and row["cycle_id"] != current:
                lapse = cmd.LapseDecision(row["decision_id"], "its process ended before it was executed")
                self._ledger.handle(lapse, Cause(row["trace_id"], actor="cycle", source="cycle"))

    def _skip(self, due: dt.datetime, running: str) -> None:
        cycle_id = cycle_id_of(self._account, self._agent.name, due)
        skip = cmd.SkipCycle(cycle_id, self._account, self._agent.name, due, running)
        self._ledger.handle(skip, self._cause(cycle_id))

    # --- small things -----------------------------------------------------------------------------------------------

    def _known(self, symbol: str, now: dt.datetime) -> Known[tuple[Bar, ...]]:
        return self._memory.known(symbol, now, self._rules.data_max_age_s)

    @property
    def _every(self) -> dt.timedelta:
        return dt.timedelta(seconds=self._rules.every_s)

    def _slot(self, now: dt.datetime) -> dt.datetime:
        """The place in time that a moment belongs to."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (now - midnight) // self._every * self._every

    async def _ask_time(self) -> dt.datetime:
        """The broker's time, or what has become of its last word where it does not answer."""
        try:
            return await self._engine.broker_clock.ask()
        except _UNREAD:
            return self._market_time()

    def _market_time(self) -> dt.datetime:
        return self._engine.broker_clock.now() or self._clock.now()

    def _seconds_since(self, began: float) -> Decimal:
        return Decimal(f"{self._clock.monotonic() - began:.3f}")

    def _cause(self, cycle_id: str) -> Cause:
        trace_id = self._ledger.trace_of(streams.cycle(cycle_id)) or self._ids.trace_id()
        return Cause(trace_id, actor="cycle", source="cycle")

    def _decision_cause(self, state: DeliberationState) -> Cause:
        trace_id = self._ledger.trace_of(streams.deliberation(state.decision_id))
        assert trace_id is not None, "it was requested"
        return Cause(trace_id, actor=f"agent:{state.agent}", source="cycle")
