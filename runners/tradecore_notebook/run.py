"""One run of the engine, from taking the lease to letting go of it; lives on the engine's loop."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import anyio
import attrs
import structlog

from tradecore.cli.actor import actor
from tradecore.domain.commands import ActivateKillSwitch
from tradecore.domain.messages import Cause
from tradecore.domain.values import TradingState
from tradecore.errors import BrokerUnreachable, ProtocolError, SessionRefused
from tradecore.ports.strategy import Strategy
from tradecore.runner import contract
from tradecore.runner.remedies import first_error
from tradecore.runner.summary import Summary, summarise
from tradecore.runner.system import SystemIds
from tradecore.runner.wiring import open_session
from tradecore.settings import Settings
from tradecore_daemon.daemon import Daemon
from tradecore_notebook.turnstile import Turnstile

_LAST_LOOK_S = 3.0
_log = structlog.get_logger("tradecore.notebook")


@attrs.frozen
class Figures:
    """The account while a run goes on. Amounts in account currency."""

    broker: str
    account: str
    paper: bool
    trading_state: str
    cash: Decimal
    equity: Decimal | None
    open_orders: int
    held_back: tuple[str, ...]


class Run:
    """The daemon with a turnstile instead of signals. Everything that it raises ends up in `error`."""

    def __init__(self, settings: Settings, make_strategy: Callable[[], Strategy] | None) -> None:
        self.settings = settings
        self.turnstile = Turnstile()
        self.progress: tuple[int, int | None, str] = (0, None, "starting")
        self.runner_id: str | None = None
        self.reason: str | None = None
        self.error: BaseException | None = None
        self.traceback = ""
        self.summary: Summary | None = None
        self.has_begun = False
        self.has_ended = False
        self.is_stopping = False
        self._make_strategy = make_strategy
        self._daemon = Daemon(hears_signals=False, turn=self._turn)
        self._opening = anyio.CancelScope()
        self._session: contract.Session | None = None
        self._changed = anyio.Event()

    async def go(self) -> None:
        """Run to the end, whatever it is."""
        try:
            strategy = None if self._make_strategy is None else self._make_strategy()
            with self._opening:
                async with open_session(self.settings, strategy) as session:
                    self._session, self.runner_id = session, session.runner_id
                    self.reason = await self._daemon.run(session, self)
                    with anyio.move_on_after(_LAST_LOOK_S), suppress(BrokerUnreachable, ProtocolError):
                        self.summary = await summarise(session)
        except anyio.get_cancelled_exc_class():
            self.reason = "the kernel ended"
            raise
        except BaseException as raised:  # noqa: BLE001 - a strategy is anybody's code; the loop outlives it, the error is shown
            self.error = first_error(raised)
            self.traceback = "".join(traceback.format_exception(self.error))
            _log.error("the run ended with an error", error=str(self.error))
        finally:
            self._session = None
            self.has_ended = True
            self.turnstile.end()
            self._tell()

    async def begun(self) -> None:
        """Wait until the market may move, or the run has ended."""
        while not (self.has_begun or self.has_ended):
            await self._changed.wait()

    async def ended(self) -> None:
        """Wait until the lease is let go."""
        while not self.has_ended:
            await self._changed.wait()

    def stop(self, why: str) -> None:
        """Take up nothing new, drain, let go of the lease."""
        self.is_stopping = True
        self._daemon.stop(why)
        if self._session is None:  # nothing was sent or decided yet
            self.reason = why
            self._opening.cancel()

    def update(self, done: int, total: int | None, message: str) -> None:
        """How far the market is, as told by the pace."""
        self.progress = (done, total, message)
        self._begin()

    @property
    def can_step(self) -> bool:
        """Whether there is a market that moves: one that nobody trades has no steps."""
        session = self._session
        if session is None:
            return False
        return session.venue.replay is not None or self.settings.strategy.name != "none"

    async def figures(self) -> Figures | None:
        """The account as the engine has it; None when there is none any more."""
        session = self._session
        if session is None:
            return None
        engine = session.engine
        account = engine.ledger.account(self.settings.account)
        return Figures(
            broker=engine.broker.name,
            account=account.account,
            paper=account.paper,
            trading_state=account.trading_state.value,
            cash=account.cash,
            equity=account.equity,
            open_orders=len(account.reservations),
            held_back=engine.gate.reasons,
        )

    async def halt(self, reason: str) -> None:
        """Record that trading is halted. Raises `SessionRefused` when the run is over, `InputError`."""
        session = self._session
        if session is None:
            raise SessionRefused("this notebook does not hold the lease: use `tradecore kill` to halt whoever does")
        stop = ActivateKillSwitch(self.settings.account, TradingState.HALTED, "manual", reason, actor())
        session.engine.ledger.handle(stop, Cause(SystemIds().trace_id(), actor=actor(), source="notebook"))
        session.engine.catch_up()

    async def _turn(self) -> None:
        self._begin()
        await self.turnstile.turn()

    def _begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
