"""The daemon: one task group that delivers, listens, projects and reconciles while the market is paced."""

from __future__ import annotations

import datetime as dt
import signal

import anyio
import structlog
from anyio.abc import TaskStatus

from tradecore.domain.calendar import last_closed
from tradecore.errors import BrokerUnreachable, ConfigurationError, ProtocolError, StoreFull
from tradecore.runner.contract import Progress, Session
from tradecore.runner.disk import record_full
from tradecore.runner.failing import failure_in, halt_failed
from tradecore.runner.system import SystemIds
from tradecore.views import read_rows
from tradecore_daemon.live import is_watching, pace_live
from tradecore_daemon.publishing import publish, publish_rest
from tradecore_daemon.replay import pace_replay
from tradecore_daemon.turn import Turn, at_once
from tradecore_daemon.upkeep import Upkeep

_log = structlog.get_logger("tradecore.daemon")
_DRAIN_S = 30.0
_LAST_READ_S = 3.0
_RETRY_S = 0.5
_WAIT_S = 5.0
_PROJECT_EVERY_S = 0.1
_BEHIND_S = 1.0
_LOOK_EVERY_S = 1.0
_STALLED_S = 30.0
_ASSETS_EVERY_S = 6 * 3600.0


class Daemon:
    """Runs until the replayed market is done or, on a live one, until SIGINT, SIGTERM or `stop`."""

    def __init__(self, *, hears_signals: bool = True, turn: Turn = at_once) -> None:
        """`turn` is awaited before each step of the market. Signals are for a process that is nothing but this."""
        self._hears_signals = hears_signals
        self._turn = turn
        self._stopped_by: str | None = None
        self._market: anyio.CancelScope | None = None

    def stop(self, why: str) -> None:
        """Take up nothing new, drain, and end; on the loop that it runs on. The first reason counts."""
        self._stopped_by = self._stopped_by or why
        if self._market is not None:
            self._market.cancel()

    async def run(self, session: Session, progress: Progress) -> str:
        """Pace the session; returns why it ended."""
        upkeep = Upkeep(session)
        try:
            reason = await self._run(session, progress, upkeep)
            await upkeep.finish()
        except (Exception, BaseExceptionGroup) as error:
            if _is_full(error):
                session.journal.close()
                if not record_full(session.settings, session.runner_id, session.clock):
                    _log.error("not even that the disk is full could be recorded")
            elif (failure := failure_in(error)) is not None:
                halt_failed(session, failure)
            raise
        finally:
            upkeep.close()
        return reason

    async def _run(self, session: Session, progress: Progress, upkeep: Upkeep) -> str:
        replay = session.venue.replay
        wants_bars = replay is not None or is_watching(session)
        if wants_bars and replay is None and not session.feed.symbols:
            raise ConfigurationError("market_data.symbols: a live market needs to be told which symbols to watch")
        session.engine.exits.watched = frozenset(session.feed.symbols if wants_bars else ())
        market = self._market = anyio.CancelScope()
        async with anyio.create_task_group() as group:
            if self._hears_signals:
                await group.start(self._listen_for_signals)
            with market:
                if self._stopped_by is not None:
                    market.cancel()
                await self._begin(session)
                upkeep.look_at_disk()  # before anything is sent
                group.start_soon(upkeep.watch_disk)
                group.start_soon(upkeep.anchor)
                group.start_soon(upkeep.check_daily)
                group.start_soon(session.engine.outbox.run)
                group.start_soon(session.engine.inbox.run)
                session.conductor.restore(read_rows(session.journal, "sagas"))
                group.start_soon(session.conductor.run)
                group.start_soon(self._follow, session)
                group.start_soon(self._project, session)
                group.start_soon(self._reconcile, session)
                group.start_soon(self._refresh_assets, session)
                group.start_soon(self._watch, session)
                if session.bus is not None:
                    group.start_soon(publish, session, session.bus, SystemIds())
                if wants_bars and session.feed.symbols:  # without a reader they would only pile up
                    group.start_soon(session.feed.run)
                if session.cycle is not None and replay is None:
                    group.start_soon(session.cycle.run)
                if replay is not None:
                    await pace_replay(session, replay, progress, self._turn)
                else:
                    await pace_live(session, progress, self._turn)
            await self._drain(session)
            group.cancel_scope.cancel()
        if session.cycle is not None:
            await session.cycle.finish()
        reason = self._stopped_by or "the market was replayed to its end"
        session.engine.end(session.runner_id, reason)
        if session.bus is not None:
            await publish_rest(session, session.bus)
        return reason

    async def _listen_for_signals(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                if self._stopped_by is not None:
                    _log.warning("draining already; SIGKILL is the faster way, and loses nothing either")
                self.stop(f"told to stop by {signal.Signals(number).name}")

    async def _begin(self, session: Session) -> None:
        """Begin as soon as the broker can be reached; give up after `broker.unreachable_after_s`."""
        give_up = session.clock.monotonic() + session.settings.broker.unreachable_after_s
        while True:
            try:
                return await session.engine.begin(session.runner_id)
            except (BrokerUnreachable, ProtocolError):
                if session.clock.monotonic() >= give_up:
                    raise
                await session.clock.sleep(_RETRY_S)

    async def _drain(self, session: Session) -> None:
        """Let calls to the broker that are under way end, and record their outcomes; then read once more."""
        with anyio.move_on_after(_DRAIN_S):
            await session.engine.outbox.settle_calls()
        # Who was told to stop does not wait for a broker that says nothing: the next start reads what is missing.
        with anyio.move_on_after(_LAST_READ_S if self._stopped_by else _DRAIN_S):
            try:
                await session.engine.collect()
            except (BrokerUnreachable, ProtocolError) as error:
                _log.warning("the broker cannot be read at the end; the next start will", error=str(error))

    async def _follow(self, session: Session) -> None:
        """Take in what other processes append, as soon as it is there."""
        while True:
            await session.engine.follower.wait(_WAIT_S)
            session.engine.catch_up()

    async def _project(self, session: Session) -> None:
        """Keep the views behind the log by a batch, not by an event."""
        position = 0
        while True:
            if await session.journal.wait(position, _WAIT_S):
                position = session.engine.projector.catch_up()
            await session.clock.sleep(_PROJECT_EVERY_S)

    async def _refresh_assets(self, session: Session) -> None:
        """Read what the broker trades again, on a schedule."""
        while True:
            await session.clock.sleep(_ASSETS_EVERY_S)
            await session.engine.refresh_assets()

    async def _watch(self, session: Session) -> None:
        """Look at what time alone brings about."""
        while True:
            await session.clock.sleep(_LOOK_EVERY_S)
            session.engine.look()

    async def _reconcile(self, session: Session) -> None:
        """Compare with the broker on a schedule, at the end of a day, and sooner while anything is not clear."""
        clock, every = session.clock, session.settings.delivery.reconcile_every_s
        due = clock.monotonic() + every
        sooner, tries = 0.0, 0
        compared_after = _last_closed(session)
        while True:
            await clock.sleep(min(_BEHIND_S, every))
            now = clock.monotonic()
            session.engine.judge_age()  # orders that wait for it are not asked about by themselves
            session.engine.watch_delivery(_STALLED_S)
            inbox = session.engine.inbox
            is_unclear = inbox.behind or session.engine.is_unsure
            closed = _last_closed(session)
            is_end = closed != compared_after
            if is_end or now >= due or inbox.reconnected or (is_unclear and now >= sooner):
                compared_after = closed
                why = "end" if is_end else "reconnect" if inbox.reconnected else "schedule"
                inbox.reconnected = False
                await session.engine.reconcile(why)
                # What stays missing is asked for ever more rarely, so that orders keep their share of the rate limit.
                tries = tries + 1 if inbox.behind or session.engine.is_unsure else 0
                due = clock.monotonic() + every
                sooner = clock.monotonic() + _BEHIND_S * 2.0 ** min(tries, 10)


def _last_closed(session: Session) -> dt.date | None:
    """The last trading day that is over by the broker's clock; None while that is not known."""
    now = session.engine.broker_clock.now()
    return None if now is None else last_closed(now)


def _is_full(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_full(each) for each in error.exceptions)
    return isinstance(error, StoreFull)
