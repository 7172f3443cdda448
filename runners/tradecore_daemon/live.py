"""Pacing a live market: decide on each bar as it closes, until told to stop."""

from __future__ import annotations

import datetime as dt

import anyio

from tradecore.domain.session import is_regular
from tradecore.runner.contract import Progress, Session
from tradecore_daemon.patience import patiently
from tradecore_daemon.turn import Turn, at_once
from tradecore_daemon.warmup import read_warmup


def is_watching(session: Session) -> bool:
    """Whether bars are needed: by a strategy, for what an agent opened, or for exits in the symbols that are named."""
    settings = session.settings
    return settings.strategy.name != "none" or session.cycle is not None or bool(settings.market_data.symbols)


async def pace_live(session: Session, progress: Progress, turn: Turn = at_once) -> None:
    """Show the strategy recent history, then every new bar; only bars that the stream brings in time are decided on."""
    engine, feed = session.engine, session.feed
    if not feed.symbols or not is_watching(session):
        progress.update(0, None, "delivering what others record")
        await anyio.sleep_forever()
    now = await patiently(session, engine.broker_clock.ask)
    limit = dt.timedelta(seconds=session.settings.market_data.max_age_s)
    bars = await patiently(session, lambda: read_warmup(session, now))
    for bar in bars:
        engine.observe(bar)
    feed.begin_after(bars)
    engine.watch.expect(feed.symbols)
    count = 0
    news = feed.live(engine.broker_clock.now, limit)
    while True:
        await turn()  # before the bar is taken: how old it is counts from here
        known = await anext(news)
        count += 1
        assert known.value is not None, "the feed yields bars"
        bar = known.value
        if known.is_live and not engine.inbox.behind:
            engine.decide(bar)
        else:  # no new orders on stale bars, nor while fills are known to be missing; to leave a trade never waits
            engine.observe(bar)
            if known.is_live and is_regular(bar.symbol, bar.start):
                engine.exits.see(bar)
                engine.catch_up()
        progress.update(count, None, f"{bar.symbol} {bar.start:%Y-%m-%d %H:%M}")
