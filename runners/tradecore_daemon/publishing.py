"""What a runner tells a bus: the events of its ledger, and signals of the market and of itself."""

from __future__ import annotations

import anyio
import structlog

from tradecore.domain.session import is_regular
from tradecore.domain.signals import BarClosed, Heartbeat, NewsPublished, SessionChanged
from tradecore.domain.values import Bar
from tradecore.errors import BusUnavailable
from tradecore.ports.agent import Note
from tradecore.ports.bus import EventBus
from tradecore.ports.ids import Ids
from tradecore.publishing.announcer import Announcer
from tradecore.publishing.guarded import Guarded
from tradecore.publishing.publisher import Publisher
from tradecore.runner.contract import Session

_log = structlog.get_logger("tradecore.daemon.publishing")
READER = "runner"
"""The name of the cursor."""
_BEAT_S = 30.0
_LAST_S = 3.0
_LOOK_S = 1.0
_SHARES = "us_equity"


async def publish(session: Session, bus: EventBus, ids: Ids) -> None:
    """Publish for ever: events at least once behind a durable cursor, signals at most once."""
    bus = Guarded(bus)
    announcer = Announcer(bus, session.clock, ids, session.runner_id)
    session.feed.heard = lambda bar: announcer.announce(closed(bar))
    if session.cycle is not None:
        session.cycle.noticed = lambda symbol, note, digest: announcer.announce(published(symbol, note, digest))
    async with anyio.create_task_group() as group:
        group.start_soon(Publisher(session.journal, bus, session.clock, READER).run)
        group.start_soon(announcer.run)
        group.start_soon(_beat, session, announcer)
        await _watch_market(session, announcer)


async def publish_rest(session: Session, bus: EventBus) -> None:
    """Hand on what is left when a runner ends; what the bus does not take soon, the next start hands on."""
    with anyio.move_on_after(_LAST_S):
        try:
            await Publisher(session.journal, Guarded(bus), session.clock, READER).catch_up()
        except BusUnavailable as error:
            _log.warning("the bus does not take the last events; the next start hands them on", error=str(error))


def closed(bar: Bar) -> BarClosed:
    """The signal of a bar."""
    return BarClosed(bar.symbol, bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume)


def published(symbol: str, note: Note, digest: str) -> NewsPublished:
    """The signal of a text that a decision about a symbol is shown."""
    return NewsPublished(digest, (symbol,), note.at, note.origin)


async def _beat(session: Session, announcer: Announcer) -> None:
    while True:
        engine = session.engine
        announcer.announce(Heartbeat(session.runner_id, engine.follower.position, engine.outbox.open_items))
        await session.clock.sleep(_BEAT_S)


async def _watch_market(session: Session, announcer: Announcer) -> None:
    """Say at the start whether the market of shares is open, and whenever that changes; by the broker's clock."""
    was_open: bool | None = None
    while True:
        now = session.engine.broker_clock.now()
        if now is not None and (is_open := is_regular(_SHARES, now)) != was_open:
            announcer.announce(SessionChanged(_SHARES, is_open, now))
            was_open = is_open
        await session.clock.sleep(_LOOK_S)
