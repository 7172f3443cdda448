"""What a runner tells a bus: the events of its ledger, and signals of the market and of itself."""

from __future__ import annotations

import anyio

from tradecore.domain.session import is_regular
from tradecore.domain.signals import BarClosed, Heartbeat, SessionChanged
from tradecore.domain.values import Bar
from tradecore.ports.bus import EventBus
from tradecore.ports.ids import Ids
from tradecore.publishing.announcer import Announcer
from tradecore.publishing.publisher import Publisher
from tradecore.runner.contract import Session

_BEAT_S = 30.0
_LOOK_S = 1.0
_SHARES = "us_equity"


async def publish(session: Session, bus: EventBus, ids: Ids, reader: str) -> None:
    """Publish for ever: events at least once behind the cursor of `reader`, signals at most once."""
    announcer = Announcer(bus, session.clock, ids, session.runner_id)
    session.feed.heard = lambda bar: announcer.announce(closed(bar))
    async with anyio.create_task_group() as group:
        group.start_soon(Publisher(session.journal, bus, session.clock, reader).run)
        group.start_soon(announcer.run)
        group.start_soon(_beat, session, announcer)
        await _watch_market(session, announcer)


def closed(bar: Bar) -> BarClosed:
    """The signal of a bar."""
    return BarClosed(bar.symbol, bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume)


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
