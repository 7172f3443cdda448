"""The engine: decide, deliver, collect. It knows the steps; a runner knows when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import structlog

from tradecore import __version__
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, AssetsRefreshed, OpeningPosition, RunnerStarted, RunnerStopped
from tradecore.domain.identity import decision_id, order_id_of_decision
from tradecore.domain.messages import Cause
from tradecore.domain.session import is_regular
from tradecore.domain.values import Bar, TimeInForce, parse_positive, parse_symbol
from tradecore.draft import last_event
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError
from tradecore.follower import Follower
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox
from tradecore.ports.broker import Broker, OrderReport
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.strategy import Idea, Strategy
from tradecore.reconcile import compare_standing
from tradecore.rewind import refuse_rewound
from tradecore.views import read_row
from tradecore.views.projector import Projector

_log = structlog.get_logger("tradecore.engine")
_PATIENT_ROUNDS = 10
"""Reconciliations in a row that may blame a difference on something that is on its way."""


@attrs.frozen
class StrategyPortfolio:
    """What the account's books say of one strategy."""

    ledger: Ledger
    account: str
    strategy: str

    def position(self, symbol: str) -> Decimal:
        """Signed quantity that the strategy holds."""
        return self.ledger.account(self.account).held(self.strategy, symbol)

    def working(self, symbol: str) -> Decimal:
        """Signed quantity that its open orders can still add."""
        return self.ledger.account(self.account).working(self.strategy, symbol)


@attrs.frozen
class Terms:
    """What the engine is told about an account: limits, and how long an intent stays fresh."""

    account: str
    max_order_qty: Decimal | None
    max_order_notional: Decimal | None
    max_open_orders: int | None
    not_after_s: float


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
        self._clock = clock
        self._ids = ids
        self._terms = terms
        self._portfolio = StrategyPortfolio(ledger, terms.account, strategy.name)
        self._alerted: set[str] = set()
        self._unsettled_rounds = 0

    # --- beginning and end ------------------------------------------------------------------------------------------

    async def begin(self, runner_id: str) -> None:
        """Pin the account, restore what is open, and read what happened meanwhile, before anything is decided or sent.

        Raises `RewoundLedger` (with nothing recorded), `WrongAccount`, `BrokerUnauthorized`, `BrokerUnreachable`.
        """
        overlooked = await refuse_rewound(self.ledger, self.broker)
        await self._pin()
        await self._refresh_assets()
        terms = self._terms
        limits = (terms.max_order_qty, terms.max_order_notional, terms.max_open_orders)
        self.ledger.handle(cmd.SetLimits(terms.account, *limits, reason="settings"), self._cause("settings"))
        started = RunnerStarted(runner_id, __version__, self.broker.name, self.strategy.name)
        self.ledger.note(streams.RUNNER, started, self._cause("runner"))
        self._restore()
        for order in overlooked:
            await self.inbox.take(OrderReport(order, "found at the start", None))
        self.catch_up()
        await self.collect()

    def end(self, runner_id: str, reason: str) -> None:
        """Record that the runner stopped in good order, with the views at the head."""
        self.ledger.note(streams.RUNNER, RunnerStopped(runner_id, reason), self._cause("runner"))
        self.catch_up()
        self.projector.catch_up()

    async def _pin(self) -> None:
        as_of = await self.broker.now()
        found = await self.broker.account()
        known = self.ledger.account(self._terms.account)
        held = await self.broker.positions() if known.broker_account_id is None else ()
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
            ),
            self._cause("runner"),
        )
        books_begin = self.ledger.account(self._terms.account).as_of
        assert books_begin is not None, "it was just pinned"
        self.inbox.start_from(books_begin)  # what was executed before is in the opening balances

    async def _refresh_assets(self) -> None:
        """Record the broker's list of assets when it is not the one that is recorded already."""
        symbols = tuple(sorted(asset.symbol for asset in await self.broker.assets() if asset.tradable))
        event = AssetsRefreshed(self.broker.name, symbols)
        if last_event(self.ledger.journal, streams.ASSETS) != event:
            self.ledger.note(streams.ASSETS, event, self._cause("runner"))

    def _restore(self) -> None:
        """Take up what earlier runs left open, and follow the log from where the views end.

        What is open is what reserves: everything else is settled, and is not looked at however much of it there is.
        """
        self.follower.position = self.projector.catch_up()
        for order_id in self.ledger.account(self._terms.account).reservations:
            order = self.ledger.order(order_id)
            if order is None:
                continue  # `tradecore verify` says what became of it
            self.outbox.consider(order_id)
            if order.broker_order_id is not None and not order.is_settled:
                self.inbox.remember(order_id, order.broker_updated_at or self._clock.now())
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
        as_of = bar.start if number == 0 else bar.start.replace(microsecond=number)
        decision = decision_id(self.strategy.name, idea.symbol, as_of.isoformat())
        quantity = parse_positive("quantity", idea.quantity)
        proposal = cmd.Proposal(
            decision_id=decision,
            strategy=self.strategy.name,
            symbol=parse_symbol("symbol", idea.symbol),
            side=idea.side,
            quantity=quantity,
            reference_price=bar.close,
            data_as_of=bar.start,
            reasoning=idea.reasoning,
            confidence=idea.confidence,
        )
        self.ledger.handle(
            cmd.PlaceOrder(
                order_id=order_id_of_decision(decision),
                account=self._terms.account,
                symbol=proposal.symbol,
                side=idea.side,
                quantity=quantity,
                order_type=idea.order_type,
                limit_price=parse_positive("limit_price", idea.limit_price) if idea.limit_price is not None else None,
                time_in_force=TimeInForce.DAY,
                strategy=self.strategy.name,
                not_after=self._clock.now() + dt.timedelta(seconds=self._terms.not_after_s),
                reference_price=bar.close,
                proposal=proposal,
            ),
            self._cause(f"strategy:{self.strategy.name}"),
        )

    async def collect(self) -> None:
        """Read again what the broker knows."""
        await self.inbox.collect()
        self.catch_up()

    async def reconcile(self) -> None:
        """Compare the books with the broker; each difference is recorded once per run."""
        try:
            await self.collect()
            differences = await compare_standing(self.ledger, self.broker, self._terms.account)
            if differences:  # an execution may have come between the two sides: only what stays is a difference
                await self.collect()
                again = await compare_standing(self.ledger, self.broker, self._terms.account)
                differences = tuple(difference for difference in differences if difference in again)
        except (BrokerUnreachable, ProtocolError) as error:
            self.alert("broker_unreachable", str(error))
            return
        if self.outbox.unresolved or self.inbox.behind:
            self._unsettled_rounds += 1
            if self._unsettled_rounds < _PATIENT_ROUNDS:
                return  # something is on its way; the next round sees it
        else:
            self._unsettled_rounds = 0
        for difference in differences:
            self.alert("reconcile_mismatch", str(difference))

    def alert(self, kind: str, message: str) -> None:
        """Record something that a person should see, once per run."""
        if message not in self._alerted:
            self._alerted.add(message)
            _log.error(message, kind=kind)
            self.ledger.note(streams.BROKER, AlertTriggered(kind, message), self._cause("engine"))

    def _cause(self, actor: str) -> Cause:
        return Cause(self._ids.trace_id(), actor=actor)
