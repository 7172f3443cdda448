"""When the ledger is anchored, checked and its disk looked at, beside trading and without holding it up.

What goes through the ledger does so in a thread, by a connection of its own; what it finds is recorded on the loop.
"""

from __future__ import annotations

import anyio
import structlog

from tradecore.audit.anchorer import Anchorer
from tradecore.domain import streams
from tradecore.domain.daily import is_due
from tradecore.errors import CorruptLedger, StoreFull, StoreUnavailable
from tradecore.journal import find_key_ring, open_journal
from tradecore.journal.contract import Journal
from tradecore.ports.anchor import AnchorSink
from tradecore.runner.anchors import make_anchorer, make_sink
from tradecore.runner.contract import Session
from tradecore.runner.daily_check import check_ledger, last_check
from tradecore.runner.disk import DiskWatch

DAMAGED = "ledger_damaged"
_LOOK_S = 5.0
_AGAIN_S = 600.0

_log = structlog.get_logger("tradecore.daemon.upkeep")


class Upkeep:
    """The tasks that keep a session's ledger."""

    def __init__(self, session: Session) -> None:
        """Raises `ConfigurationError` for anchors that can go nowhere."""
        self._session = session
        self._settings = session.settings
        self._sink = make_sink(session.settings)
        self._watch = DiskWatch(session.settings, session.engine)
        self._anchorer: Anchorer | None = None
        self._own: Journal | None = None

    def look_at_disk(self) -> None:
        """Hold new intents when the disk fills up, and let go when it has room. Raises the journal's errors."""
        try:
            self._watch.look()
        except StoreFull:
            raise
        except StoreUnavailable as error:
            self._session.engine.alert("disk_unknown", str(error))
        else:
            self._session.engine.is_over("disk_unknown")

    async def watch_disk(self) -> None:
        """Look for ever."""
        while True:
            self.look_at_disk()
            await self._session.clock.sleep(self._settings.disk.look_every_s)

    async def anchor(self) -> None:
        """Anchor for ever, or until the ledger turns out not to be what was anchored before."""
        if self._sink is None:
            return None
        pause = min(self._settings.anchors.every_s, _LOOK_S)
        while True:
            try:
                await anyio.to_thread.run_sync(self._anchor, self._sink)
                self._session.engine.is_over("anchor_failed")
                await self._session.clock.sleep(pause)
            except CorruptLedger as error:
                return self._damaged(str(error))
            except StoreUnavailable as error:
                self._session.engine.alert("anchor_failed", str(error))
                await self._session.clock.sleep(_AGAIN_S)

    async def finish(self) -> None:
        """Anchor what was recorded since the last time, and let go of everything."""
        try:
            if self._sink is not None:
                await anyio.to_thread.run_sync(self._anchor, self._sink, True)
        except (CorruptLedger, StoreUnavailable) as error:
            _log.error("the end of the ledger is not anchored", error=str(error))
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection for anchors; harmless when repeated."""
        if self._own is not None:
            self._own.close()
            self._own = None

    async def check_daily(self) -> None:
        """Check once per UTC day, for ever."""
        chosen, clock = self._settings.daily_check, self._session.clock
        if not chosen.enabled:
            return
        last = last_check(self._session.journal)
        since = None if last.finding is not None else last.at  # damage is looked at again at every start
        while True:
            if is_due(clock.now(), since, chosen.at):
                if await self._check():
                    since = clock.now()
                else:
                    await clock.sleep(_AGAIN_S)
            await clock.sleep(_LOOK_S)

    async def _check(self) -> bool:
        session = self._session
        try:
            event = await anyio.to_thread.run_sync(
                check_ledger, self._settings, session.journal, abandon_on_cancel=True
            )
        except StoreUnavailable as error:
            session.engine.alert("check_failed", f"the daily check could not be done: {error}")
            return False
        session.engine.is_over("check_failed")
        session.engine.note(streams.CHECKS, event)
        if event.finding is None:
            session.engine.gate.open(DAMAGED)
        else:
            self._damaged(event.finding)
        return True

    def _anchor(self, sink: AnchorSink, at_once: bool = False) -> None:
        """In a thread. Raises `CorruptLedger`, `StoreUnavailable`."""
        if self._anchorer is None:
            journal = self._session.journal
            if self._settings.ledger != "memory:":
                journal = self._own = open_journal(
                    self._settings.ledger, create=False, keys=find_key_ring(self._settings.encryption.keys_file)
                )
            self._anchorer = make_anchorer(self._settings, journal, sink, self._session.clock)
        if at_once:
            self._anchorer.anchor()
        else:
            self._anchorer.step()

    def _damaged(self, finding: str) -> None:
        """A ledger that is not what it was is traded on only to get out of positions, until a person has looked."""
        self._session.engine.gate.close(DAMAGED, "the ledger is damaged or not what was anchored", withdraws=True)
        self._session.engine.tell(DAMAGED, finding)
