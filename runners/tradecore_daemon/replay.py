"""Pacing a replayed market: it moves one bar when everything that the last bar led to is done."""

from __future__ import annotations

import datetime as dt

import anyio
import structlog

from tradecore.domain.values import Bar
from tradecore.errors import BrokerUnreachable
from tradecore.failpoints import failpoint
from tradecore.feed import MINUTE
from tradecore.ports.venue import Advance, Replay
from tradecore.runner.contract import Progress, Session
from tradecore_daemon.patience import patiently
from tradecore_daemon.turn import Turn, at_once
from tradecore_daemon.warmup import read_warmup

_log = structlog.get_logger("tradecore.daemon.replay")
_PATIENCE_S = 2.0
_RETRY_S = 0.25


async def pace_replay(session: Session, replay: Replay, progress: Progress, turn: Turn = at_once) -> None:
    """Replay to the end: deliver what is open, move the market, collect what that did, decide on the new bars."""
    engine, feed = session.engine, session.feed
    state = await patiently(session, replay.state)
    await _be_sure(session)
    await _take_up(session, state)
    progress.update(state.steps, state.total, f"{state.time:%Y-%m-%d %H:%M}")
    while not state.done:
        await _settle(session)
        await turn()
        failpoint("engine.advance.before")
        before, state = state, await _advance(session, replay, state)
        failpoint("engine.advance.after")
        if state.steps == before.steps + 1 and state.symbols:
            bars = await feed.take(state.symbols, state.time - MINUTE, _PATIENCE_S)
        else:  # the answer was lost and asked for again: read everything that came meanwhile
            bars = await _between(session, before.time, state.time)
        if state.orders_changed:
            await patiently(session, engine.collect)
        for bar in bars:
            engine.decide(bar)
        if session.cycle is not None:
            await session.cycle.at(state.time)
        progress.update(state.steps, state.total, f"{state.time:%Y-%m-%d %H:%M}")
        await _keep_pace(session, state.time - before.time)
    await _settle(session)


async def _settle(session: Session) -> None:
    """Deliver what is open, and let sagas go on with what came of it, until only the market is waited for."""
    engine = session.engine
    before = -1
    while session.journal.head() != before:
        before = session.journal.head()
        await engine.outbox.drain()
        if session.conductor.live:
            await patiently(session, engine.collect)
            session.conductor.advance()
            engine.catch_up()


async def _be_sure(session: Session) -> None:
    """The market stands still for the first comparison: no bar is missed for want of a conclusion."""
    give_up = session.clock.monotonic() + session.settings.broker.unreachable_after_s
    while session.engine.is_unsure and session.clock.monotonic() < give_up:
        await session.clock.sleep(_RETRY_S)
        await session.engine.reconcile("start")


async def _take_up(session: Session, state: Advance) -> None:
    """Show the strategy what was replayed before, and decide again on the last bar: a crash may have come before it."""
    feed, engine = session.feed, session.engine
    if not feed.symbols:
        return
    with anyio.move_on_after(_PATIENCE_S):
        await feed.connected.wait()
    if not state.steps:
        return
    bars = await patiently(session, lambda: read_warmup(session, state.time))
    for bar in bars:
        if bar.start + MINUTE < state.time:
            engine.observe(bar)
        else:
            engine.decide(bar)
    feed.begin_after(bars)
    if session.cycle is not None:
        await session.cycle.at(state.time)


async def _advance(session: Session, replay: Replay, before: Advance) -> Advance:
    """Move the market once. When the answer is lost, look whether it moved; never move it twice for one answer."""
    try:
        return await replay.advance()
    except BrokerUnreachable as error:
        _log.warning("the market did not answer; looking where it stands", error=str(error))
    while True:
        state = await patiently(session, replay.state)
        if state.steps > before.steps or state.done:
            return Advance(state.time, (), 1, state.done, state.steps, state.total)
        try:
            return await replay.advance()
        except BrokerUnreachable:
            await session.clock.sleep(_RETRY_S)


async def _between(session: Session, after: dt.datetime, upto: dt.datetime) -> tuple[Bar, ...]:
    bars = await patiently(session, lambda: session.venue.market_data.history(session.feed.symbols, after, upto))
    session.feed.begin_after(bars)
    return bars


async def _keep_pace(session: Session, passed: dt.timedelta) -> None:
    """Wait as long as the market's time took, divided by the speed; nights and gaps count as one minute."""
    speed = session.settings.market_data.speed
    if speed != "max":
        await session.clock.sleep(min(passed, MINUTE).total_seconds() / float(speed))
