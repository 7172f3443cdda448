"""The engine: decide, deliver, collect. It knows the steps; a runner knows when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator

import attrs
import structlog

from tradecore import __version__, approvals
from tradecore.assets import Assets
from tradecore.broker_clock import BrokerClock
from tradecore.builds import limits_hash, refuse_mixed
from tradecore.comparing import Comparer, Round
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.account import AccountState
from tradecore.domain.events import AlertTriggered, Event, RunnerStarted, RunnerStopped
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.domain.session import is_regular
from tradecore.domain.terms import size
from tradecore.domain.truth import Known
from tradecore.domain.values import ZERO, Bar, TradingState
from tradecore.domain.volatility import Swing
from tradecore.engine_terms import Terms
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError, StaleError
from tradecore.exiting import Exits
from tradecore.follower import Follower
from tradecore.gate import Gate
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.marking import Marks
from tradecore.outbox import Outbox
from tradecore.pinning import pin_account, set_limits
from tradecore.portfolio import StrategyPortfolio
from tradecore.ports.broker import Broker, OrderReport
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.strategy import Idea, Strategy
from tradecore.proposing import order_of, with_exits
from tradecore.rewind import refuse_rewound
from tradecore.schedule import Schedule
from tradecore.troubles import Troubles
from tradecore.views import read_row
from tradecore.views.projector import Projector
from tradecore.watch import Watch

_log = structlog.get_logger("tradecore.engine")
_GATE = "gate"
"""The topic of all that waits because the gate of new risk is closed."""


class Engine:
    """One account at one broker, traded by one strategy."""

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        strategy: Strategy,
        outbox: Outbox,
        inbox: Inbox,
        projector: Projector,
        clock: Clock,
        ids: Ids,
        terms: Terms,
    ) -> None:
        self.ledger = ledger
        self.broker = broker
        self.strategy = strategy
        self.outbox = outbox
        self.inbox = inbox
        self.projector = projector
        self.follower = Follower(ledger.journal)
        self.schedule = Schedule(ledger, clock, ids)
        self._clock = clock
        self._ids = ids
        self._terms = terms
        self._portfolio = StrategyPortfolio(ledger, terms.account, strategy.name)
        self._troubles = Troubles(clock, self.tell)
        inbox.catch_up = self.follower.catch_up
        self._begun_as: str | None = None
        self.broker_clock = BrokerClock(broker, clock)
        self._comparer = Comparer(
            ledger, broker, inbox, outbox, clock, ids,
            terms.account, terms.cash_tolerance, self.collect, self.broker_clock.ask, terms.patience_s,
        )  # fmt: skip
        self._marks = Marks(ledger, broker, clock, terms.account, terms.mark_every_s)
        self.assets = Assets(ledger, broker, clock, terms.assets_max_age_s)
        self._swings: dict[str, Swing] = {}
        self.gate = Gate()
        self.exits = Exits(ledger, ids, terms.account)
        self.exits.doubts = not terms.is_replayed
        self.gate.opened = self._gate_opened
        self.watch = Watch(ledger, clock, ids, terms.account, terms.vigilance, lambda: outbox.unresolved)
        if not terms.is_replayed:
            self.broker_clock.compare = self.watch.compare_clocks
        outbox.leave.refusal = lambda order: self.gate.withdraws(ledger.account(order.account), order)
        outbox.leave.hold = self._hold

    # --- beginning and end ------------------------------------------------------------------------------------------

    async def begin(self, runner_id: str) -> None:
        """Pin the account, restore what is open, and read what happened meanwhile, before anything is decided or sent.

        Raises `RewoundLedger`, `MixedBuilds` (with nothing recorded), `WrongAccount`, `BrokerUnauthorized`,
        `BrokerUnreachable`.
        """
        self.gate.close("start", "the account was not reconciled since the start")
        refuse_mixed(self.ledger, self._terms.build, alone=self._terms.alone)
        overlooked = await refuse_rewound(self.ledger, self.broker)
        self.projector.catch_up()
        await pin_account(self.ledger, self.broker, self.inbox, self._terms.account, self._cause("runner"))
        await self.assets.refresh(self._cause("runner"))
        terms = self._terms
        now, settings = self._clock.now(), self._cause("settings")
        set_limits(self.ledger, terms.account, terms.limits, now, settings, self.assets.listing)
        if self._begun_as != runner_id:  # who could not reach the broker begins again, and is the same runner
            names = (runner_id, __version__, self.broker.name, self.strategy.name)
            started = RunnerStarted(*names, terms.build, limits_hash(terms.limits), terms.alone)
            self.ledger.note(streams.RUNNER, started, self._cause("runner"))
            self._begun_as = runner_id
        self._restore()
        self._restore_doubts()
        self.watch.restore()
        self.follower.listen(self.watch.observe)
        for order in overlooked:
            await self.inbox.take(OrderReport(order, "found at the start", None))
        self.catch_up()
        await self.collect()
        await self.reconcile("start")

    def end(self, runner_id: str, reason: str) -> None:
        """Record that the runner stopped in good order, with the views at the head."""
        self.ledger.note(streams.RUNNER, RunnerStopped(runner_id, reason), self._cause("runner"))
        self.catch_up()
        self.projector.catch_up()

    def _restore(self) -> None:
        """Take up what earlier runs left open, and follow the log from where the views end.

        What ended and reserves nothing is settled, and is not looked at however much of it there is.
        """
        self.follower.position = self.projector.catch_up()
        self.ledger.look_again()
        self.outbox.restore()
        for order in self._open_orders():
            self.outbox.consider(order.order_id)
            if order.broker_order_id is not None and not order.is_settled:
                self.inbox.remember(order.order_id, order.broker_updated_at or self._clock.now())
        balances = read_row(self.ledger.journal, "balances", self._terms.account)
        if balances is not None and balances["last_fill_at"] is not None:
            self.inbox.start_from(dt.datetime.fromisoformat(balances["last_fill_at"]))
        self.follower.listen(self.ledger.observe)
        self.follower.listen(self.outbox.observe)
        self.follower.listen(self.inbox.observe)

    # --- the steps --------------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Take in everything appended so far, here or by another process."""
        self.follower.catch_up()

    def observe(self, bar: Bar) -> None:
        """Show a bar to the strategy without asking it."""
        self._see(bar)
        if is_regular(bar.symbol, bar.start):
            self.strategy.observe(bar)

    def decide(self, bar: Bar) -> None:
        """Show a bar to the strategy and record what it proposes; the same bar never places two orders."""
        self._see(bar)
        if not is_regular(bar.symbol, bar.start):
            return
        self.exits.see(bar)
        self.catch_up()
        for number, idea in enumerate(self.strategy.on_bar(bar, self._portfolio)):
            try:
                self._place(bar, idea, number)
            except InputError as error:
                self.tell("bad_proposal", f"strategy {self.strategy.name} at {bar.start.isoformat()}: {error}")
        self.catch_up()

    def _see(self, bar: Bar) -> None:
        swing = self._swings[bar.symbol] = self._swings.get(bar.symbol, Swing()).after(bar)
        self.watch.see(bar, swing.share)

    def _place(self, bar: Bar, idea: Idea, number: int) -> None:
        order = order_of(
            idea,
            bar,
            number,
            strategy=self.strategy.name,
            account=self._terms.account,
            not_after=self._clock.now() + dt.timedelta(seconds=self._terms.not_after_s),
        )
        order = attrs.evolve(order, volatility=self._swings.get(order.symbol, Swing()).share)
        held = self._portfolio.position(order.symbol)
        order = with_exits(order, idea.exits or self._terms.exits, held, self.exits.watched)
        order = self.assets.on(order)
        if self.held_back(order) is None:
            self.ledger.handle(order, self._cause(f"strategy:{self.strategy.name}"))

    async def collect(self) -> None:
        """Read again what the broker knows."""
        await self.inbox.collect()
        self.catch_up()

    async def refresh_assets(self) -> None:
        """Read again what the broker trades; where it cannot be read, what is recorded stays."""
        started = self.schedule.start("assets")
        try:
            await self.assets.refresh(self._cause("runner"))
        except (BrokerUnreachable, ProtocolError) as error:
            self.schedule.failed(started, error)
        else:
            self.schedule.succeeded(started)

    async def reconcile(self, why: str = "schedule") -> None:
        """Compare the books with the broker and record what differs; new risk waits for what cannot be explained."""
        self.heed_halt()
        started = self.schedule.start("sync")
        try:
            result = await self._comparer.compare(why)
        except (BrokerUnreachable, ProtocolError) as error:
            self.schedule.failed(started, error)
            self.alert("broker_unreachable", str(error))
            return
        self.schedule.succeeded(started)
        if result is None:
            return  # the account moves too fast to be compared: the next round may see it stand still
        found = [str(difference) for difference in result.certain]
        self.is_over("reconcile_mismatch", but=found)
        for difference in found:
            self.alert("reconcile_mismatch", difference)
        if result.waiting or await self._mark("doubt" if self.exits.doubted else why, result):
            self.is_over("broker_unreachable")
        self.catch_up()
        self._heed(result)

    def _heed(self, result: Round) -> None:
        """Close the gate for what differs, and open it when nothing does any more."""
        if result.standing.gating:
            first = result.standing.gating[0].found
            self.gate.close("difference", f"{first.kind} {first.subject} differs from the broker's")
        if result.doubted:
            what, subject = result.doubted[0].key
            self.gate.close("doubt", f"{what} {subject} may differ from the broker's")
        elif not result.waiting:
            self.gate.open("doubt")
            if not result.standing.gating:
                self.gate.open("difference")
                self.gate.open("start")

    @property
    def is_unsure(self) -> bool:
        """Whether books and broker should be compared again soon: the last comparison came to no conclusion."""
        return self._comparer.is_unsure

    async def _mark(self, why: str, result: Round) -> bool:
        differing = {known.found.subject for known in result.standing.open.values() if known.found.kind == "position"}
        try:
            await self._marks.take(why, differing, self._cause("engine"))
        except (BrokerUnreachable, ProtocolError) as error:
            self.alert("broker_unreachable", str(error))
            return False
        return True

    def _restore_doubts(self) -> None:
        """Take up what earlier runs left open and only the orders themselves tell: unseen legs, contradictions."""
        for order in self._open_orders():
            if not order.status.is_terminal:
                self.inbox.restore(order)

    def _open_orders(self) -> Iterator[OrderState]:
        """Orders that reserve something, and those that may still work: legs reserve nothing."""
        indexed = (key for key, _ in self.ledger.journal.views.rows("open_orders"))
        for order_id in dict.fromkeys((*self.ledger.account(self._terms.account).reservations, *indexed)):
            order = self.ledger.order(order_id)
            if order is not None and order.account == self._terms.account:
                yield order

    def look(self) -> None:
        """What time alone brings about: a stop by file, approvals that expire, and triggers that spring."""
        self.heed_halt()
        approvals.expire(self.ledger, self._terms.account, self._clock.now(), self._cause("engine"))
        self.watch.look()
        if (now := self.broker_clock.now()) is not None and not self._terms.is_replayed:
            self.exits.look(now)
        unseen = self.exits.unseen()
        self.is_over("unprotected", but=unseen)
        for message in unseen:
            self.alert("unprotected", message)
        self.catch_up()

    def heed_halt(self) -> None:
        """Record the stop that somebody asked for outside of the ledger; it stays when the asking goes."""
        reason = self.outbox.leave.halt()
        account = self._terms.account
        if reason is not None and self.ledger.account(account).trading_state is not TradingState.HALTED:
            stop = cmd.ActivateKillSwitch(account, TradingState.HALTED, "file", reason, "engine")
            self.ledger.handle(stop, self._cause("engine"))
            self.tell("kill_switch", f"trading is halted: {reason}")

    def held_back(self, order: cmd.PlaceOrder) -> str | None:
        """Why an order must wait for the truth, or None. What reduces the account's position never does."""
        self.heed_halt()
        self.watch.look()
        self.judge_age()
        account = self.ledger.account(self._terms.account)
        quantity = size(order, order.reference_price) or ZERO
        why = self.gate.refuses(account, order.strategy, order.symbol, order.side, quantity)
        topic = _GATE if self.gate.reasons else f"held_back {order.strategy} {order.symbol}"
        if why is not None:
            self.alert("held_back", f"no new risk is taken: {why}", topic)
        elif topic != _GATE:
            self.is_over(topic)
        return why

    def _gate_opened(self) -> None:
        if not self.gate.reasons:
            self.is_over(_GATE)
        self.outbox.look_again()

    def _hold(self, order: OrderState) -> str | None:
        """Why an order that is queued must wait for the truth, or None; the outbox asks before every send."""
        self.judge_age()
        why = self.gate.holds(self.ledger.account(order.account), order)
        if why is not None:
            self.alert("held_back", f"what is queued and adds risk waits: {why}", _GATE)
        return why

    def known(self) -> Known[AccountState]:
        """The account as of the last comparison with the broker that was conclusive."""
        return self._comparer.known(self._terms.account_max_age_s)

    def judge_age(self) -> None:
        """Close or open the gate for what time alone makes stale."""
        lost_at = self.inbox.lost_at_ns
        if lost_at is not None and self._clock.now_ns() - lost_at > self._terms.stream_grace_s * 1e9:
            self.gate.close("stream", "the stream of reports is lost")
        else:
            self.gate.open("stream")
        try:
            self.known().require("account")
        except StaleError as error:
            if error.as_of is not None:  # what was never compared waits for the start
                limit = self._terms.account_max_age_s
                self.gate.close("age", f"the account was last compared with the broker more than {limit:g} s ago")
        else:
            self.gate.open("age")

    def watch_delivery(self, patience_s: float) -> None:
        """Alert when work is ready and nobody begins it."""
        if (why := self.outbox.why_stuck(patience_s)) is not None:
            self.alert("delivery_stalled", f"work is ready and nothing of it began for {patience_s:g} s: {why}")
        else:
            self.is_over("delivery_stalled")

    def alert(self, kind: str, message: str, topic: str | None = None) -> None:
        """Tell a person of what lasts: once, until somebody says that the topic (else the kind) `is_over`."""
        self._troubles.lasts(topic or kind, kind, message)

    def is_over(self, topic: str, but: Collection[str] = ()) -> None:
        """What was told of a topic troubles no more, but for these messages; it is told again when it does."""
        self._troubles.is_over(topic, but)

    def tell(self, kind: str, message: str) -> None:
        """Record something that happened and that a person should see."""
        _log.error(message, kind=kind)
        self.note(streams.BROKER, AlertTriggered(kind, message))

    def note(self, stream: str, event: Event) -> None:
        """Record an event of the system."""
        self.ledger.note(stream, event, self._cause("engine"))

    def _cause(self, actor: str) -> Cause:
        return Cause(self._ids.trace_id(), actor=actor)
