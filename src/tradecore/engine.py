"""The engine: decide, deliver, collect. It knows the steps; a runner knows when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import attrs
import structlog

from tradecore import __version__
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.account import SETTINGS
from tradecore.domain.events import (
    AlertTriggered,
    AssetsRefreshed,
    Event,
    OpeningPosition,
    RunnerStarted,
    RunnerStopped,
)
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.domain.session import is_regular
from tradecore.domain.terms import size
from tradecore.domain.values import ZERO, Bar, TradingState
from tradecore.draft import last_event
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError, WrongAccount
from tradecore.follower import Follower
from tradecore.gate import Gate
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox
from tradecore.portfolio import StrategyPortfolio
from tradecore.ports.broker import Broker, OrderReport
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.strategy import Idea, Strategy
from tradecore.proposing import order_of
from tradecore.reconcile import Difference, Differences, Reconciler, compare_standing, confirmed, may_be_late
from tradecore.rewind import refuse_rewound
from tradecore.schedule import Schedule
from tradecore.views import read_row, read_rows
from tradecore.views.projector import Projector

_log = structlog.get_logger("tradecore.engine")
_PAST = dt.timedelta(days=30)
"""How far back the broker may still list what its opening balances have in them already."""
_LONGEST_ORDER = dt.timedelta(days=100)
"""How long an order may work that was placed before the books began: brokers end them after 90 days."""
_PATIENT_ROUNDS = 10
"""Reconciliations in a row that may blame a difference on something that is on its way."""


@attrs.frozen
class Terms:
    """What the engine is told about an account: limits, how long an intent stays fresh, and when truth is too old.

    New risk waits when the account was not reconciled for `account_max_age_s` (None: however long), and when the stream
    of reports is lost for longer than `stream_grace_s`. Cash may differ by `cash_tolerance` without stopping anything.
    Prices of what is held are taken in every `mark_every_s`.
    """

    account: str
    limits: Limits
    not_after_s: float
    account_max_age_s: float | None = None
    stream_grace_s: float = 10.0
    cash_tolerance: Decimal = Decimal(1)
    mark_every_s: float = 300.0


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
        self._alerted: set[str] = set()
        inbox.catch_up = self.follower.catch_up
        self._unsettled_rounds = 0
        self._begun_as: str | None = None
        self._suspects: tuple[Difference, ...] = ()
        self._reconciler = Reconciler(ledger, ids, terms.account, terms.cash_tolerance)
        self._compared_at: float | None = None  # when the broker last answered, on the monotonic clock
        self._marked_at: float | None = None
        self._tradable: frozenset[str] | None = None
        self._broker_time: tuple[dt.datetime, float] | None = None
        self.gate = Gate()
        outbox.refusal = lambda order: self.gate.refuses_to_send(ledger.account(order.account), order)

    # --- beginning and end ------------------------------------------------------------------------------------------

    async def begin(self, runner_id: str) -> None:
        """Pin the account, restore what is open, and read what happened meanwhile, before anything is decided or sent.

        Raises `RewoundLedger` (with nothing recorded), `WrongAccount`, `BrokerUnauthorized`, `BrokerUnreachable`.
        """
        self.gate.close("start", "the account was not reconciled since the start")
        overlooked = await refuse_rewound(self.ledger, self.broker)
        await self._pin()
        await self._refresh_assets()
        terms = self._terms
        wanted = cmd.SetLimits(terms.account, terms.limits, SETTINGS, "as a runner was told at its start")
        self.ledger.handle(wanted, self._cause("settings"))
        if self._begun_as != runner_id:  # who could not reach the broker begins again, and is the same runner
            started = RunnerStarted(runner_id, __version__, self.broker.name, self.strategy.name)
            self.ledger.note(streams.RUNNER, started, self._cause("runner"))
            self._begun_as = runner_id
        self._restore()
        self._restore_doubts()
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

    async def _pin(self) -> None:
        as_of = await self.broker.now()
        found = await self.broker.account()
        known = self.ledger.account(self._terms.account)
        self._refuse_shared(found.account_id)
        is_new = known.broker_account_id is None
        held = await self.broker.positions() if is_new else ()
        past = (await self.broker.activities_since(as_of - _PAST)).activities if is_new else ()
        self.ledger.handle(
            cmd.PinAccount(
                account=self._terms.account,
                broker=self.broker.name,
                broker_account_id=found.account_id,
                paper=found.paper,
                currency=found.currency,
                cash=found.cash,
                positions=tuple(OpeningPosition(p.symbol, p.quantity, p.average_price) for p in held),
                as_of=as_of,
                activities=tuple(item.activity_id for item in past),
            ),
            self._cause("runner"),
        )
        books_begin = self.ledger.account(self._terms.account).as_of
        assert books_begin is not None, "it was just pinned"
        self.inbox.start_from(books_begin)  # what was executed before is in the opening balances
        last = Differences.of(self.ledger, self._terms.account).completed
        self.inbox.list_from(last.as_of if last is not None else books_begin - _LONGEST_ORDER)

    def _refuse_shared(self, broker_account_id: str) -> None:
        """Two accounts of the ledger at one broker account would each book what the other did."""
        self.projector.catch_up()
        for row in read_rows(self.ledger.journal, "balances"):
            if row["broker_account_id"] == broker_account_id and row["account"] != self._terms.account:
                raise WrongAccount(
                    f"broker account {broker_account_id} belongs to account {row['account']!r} of this ledger: use "
                    f"account = {row['account']!r}, other keys, or another --ledger"
                )

    async def _refresh_assets(self) -> None:
        """Record the broker's list of assets when it is not the one that is recorded already."""
        symbols = tuple(sorted(asset.symbol for asset in await self.broker.assets() if asset.tradable))
        self._tradable = frozenset(symbols)
        event = AssetsRefreshed(self.broker.name, symbols)
        if last_event(self.ledger.journal, streams.ASSETS) != event:
            self.ledger.note(streams.ASSETS, event, self._cause("runner"))

    def _restore(self) -> None:
        """Take up what earlier runs left open, and follow the log from where the views end.

        What ended and reserves nothing is settled, and is not looked at however much of it there is.
        """
        self.follower.position = self.projector.catch_up()
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
        if is_regular(bar.symbol, bar.start):
            self.strategy.observe(bar)

    def decide(self, bar: Bar) -> None:
        """Show a bar to the strategy and record what it proposes; the same bar never places two orders."""
        if not is_regular(bar.symbol, bar.start):
            return
        for number, idea in enumerate(self.strategy.on_bar(bar, self._portfolio)):
            try:
                self._place(bar, idea, number)
            except InputError as error:
                self.alert("bad_proposal", f"strategy {self.strategy.name} at {bar.start.isoformat()}: {error}")
        self.catch_up()

    def _place(self, bar: Bar, idea: Idea, number: int) -> None:
        order = order_of(
            idea,
            bar,
            number,
            strategy=self.strategy.name,
            account=self._terms.account,
            not_after=self._clock.now() + dt.timedelta(seconds=self._terms.not_after_s),
        )
        if self._tradable is not None:
            order = attrs.evolve(order, tradable=order.symbol in self._tradable)
        if self.held_back(order) is None:
            self.ledger.handle(order, self._cause(f"strategy:{self.strategy.name}"))

    async def collect(self, *, far: bool = False) -> None:
        """Read again what the broker knows."""
        await self.inbox.collect(far=far)
        self.catch_up()

    async def refresh_assets(self) -> None:
        """Read again what the broker trades; where it cannot be read, what is recorded stays."""
        started = self.schedule.start("assets")
        try:
            await self._refresh_assets()
        except (BrokerUnreachable, ProtocolError) as error:
            self.schedule.failed(started, error)
        else:
            self.schedule.succeeded(started)

    async def reconcile(self, why: str = "schedule") -> None:
        """Compare the books with the broker and record what differs; new risk waits for what cannot be explained."""
        self.heed_halt()
        started = self.schedule.start("sync")
        try:
            await self.collect()
            as_of = await self.ask_time()
            differences = await confirmed(self.ledger, self.broker, self._terms.account, lambda: self.collect(far=True))
            if differences is None:
                return  # the account moves too fast to be compared: the next round may see it stand still
            if differences or why != "schedule":
                await self.inbox.collect_activities()
                name = self._terms.account
                differences = await compare_standing(self.ledger, self.broker, name) if differences else ()
        except (BrokerUnreachable, ProtocolError) as error:
            self.schedule.failed(started, error)
            self.alert("broker_unreachable", str(error))
            return
        self.schedule.succeeded(started)
        self._compared_at = self._clock.monotonic()
        if self.outbox.unresolved or self.inbox.behind:
            self._unsettled_rounds += 1
            if differences and self._unsettled_rounds < _PATIENT_ROUNDS:
                return  # something is on its way; the next round sees it
        else:
            self._unsettled_rounds = 0
        suspects, self._suspects = self._suspects, differences
        account = self.ledger.account(self._terms.account)
        if any(item not in suspects and may_be_late(account, item) for item in differences):
            return  # an execution may be visible in the position before it is in the list
        await self._mark(why)
        standing = self._reconciler.record(why, as_of, (*differences, *self._halted()))
        self.catch_up()
        for difference in differences:
            self.alert("reconcile_mismatch", str(difference))
        if standing.gating:
            first = standing.gating[0].found
            self.gate.close("difference", f"{first.kind} {first.subject} differs from the broker's")
        else:
            self.gate.open("difference")
            self.gate.open("start")

    async def _mark(self, why: str) -> None:
        """Take in the broker's prices of what is held: at a start, on a new day, now and then, and where one lacks."""
        account, now = self.ledger.account(self._terms.account), self._clock.monotonic()
        is_new_day = account.tempo.day != self._clock.now().date()
        lately = self._marked_at is not None and now - self._marked_at < self._terms.mark_every_s
        if why == "schedule" and lately and not is_new_day and not account.exposure.unpriced:
            return
        spelt = {symbol.replace("/", ""): symbol for symbol in account.exposure.books}
        try:
            held = await self.broker.positions()
        except (BrokerUnreachable, ProtocolError) as error:
            self.alert("broker_unreachable", str(error))
            return
        self._marked_at = now
        marks = {
            spelt.get(item.symbol, item.symbol): item.current_price for item in held if item.current_price is not None
        }
        self.ledger.handle(cmd.MarkEquity(self._terms.account, marks, self._clock.now()), self._cause("engine"))

    def _halted(self) -> tuple[Difference, ...]:
        return tuple(Difference("order", order_id, "halted", reason) for order_id, reason in self.inbox.halted.items())

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

    async def ask_time(self) -> dt.datetime:
        """Ask the broker for its time, and keep it. Raises `BrokerUnreachable`, `ProtocolError`."""
        told = await self.broker.now()
        self._broker_time = (told, self._clock.monotonic())
        return told

    def broker_time(self) -> dt.datetime | None:
        """The broker's time as far as it is known: its last word, and what has passed since; None before the first."""
        if self._broker_time is None:
            return None
        told, at = self._broker_time
        return told + dt.timedelta(seconds=self._clock.monotonic() - at)

    def heed_halt(self) -> None:
        """Record the stop that somebody asked for outside of the ledger; it stays when the asking goes."""
        reason = self.outbox.halt()
        account = self._terms.account
        if reason is not None and self.ledger.account(account).trading_state is not TradingState.HALTED:
            stop = cmd.ActivateKillSwitch(account, TradingState.HALTED, "file", reason, "engine")
            self.ledger.handle(stop, self._cause("engine"))
            self.alert("kill_switch", f"trading is halted: {reason}")

    def held_back(self, order: cmd.PlaceOrder) -> str | None:
        """Why an order must wait for the truth, or None. What reduces the account's position never does."""
        self.heed_halt()
        self._judge_age()
        account = self.ledger.account(self._terms.account)
        quantity = size(order, order.reference_price) or ZERO
        why = self.gate.refuses(account, order.strategy, order.symbol, order.side, quantity)
        if why is not None:
            self.alert("held_back", f"no new risk is taken: {why}")
        return why

    def _judge_age(self) -> None:
        """Close or open the gate for what time alone makes stale."""
        terms, lost_at = self._terms, self.inbox.lost_at_ns
        if lost_at is not None and self._clock.now_ns() - lost_at > terms.stream_grace_s * 1e9:
            self.gate.close("stream", "the stream of reports is lost")
        else:
            self.gate.open("stream")
        compared = self._compared_at
        limit = terms.account_max_age_s
        if compared is not None and limit is not None and self._clock.monotonic() - compared > limit:
            self.gate.close("age", f"the account was last compared with the broker more than {limit:g} s ago")
        else:
            self.gate.open("age")

    def alert(self, kind: str, message: str) -> None:
        """Record something that a person should see, once per run."""
        if message not in self._alerted:
            self._alerted.add(message)
            _log.error(message, kind=kind)
            self.note(streams.BROKER, AlertTriggered(kind, message))

    def note(self, stream: str, event: Event) -> None:
        """Record an event of the system."""
        self.ledger.note(stream, event, self._cause("engine"))

    def _cause(self, actor: str) -> Cause:
        return Cause(self._ids.trace_id(), actor=actor)
