"""What a runner does about the disk of its ledger: notice that it fills up, and say the last word when it is full."""

from __future__ import annotations

from contextlib import closing

from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, DiskLow, DiskRecovered, RunnerStopped
from tradecore.domain.messages import Cause
from tradecore.engine import Engine
from tradecore.errors import TradecoreError
from tradecore.journal import find_key_ring, open_journal
from tradecore.journal.reserve import Reserve, free_bytes
from tradecore.journal.url import ledger_path
from tradecore.ledger import Ledger
from tradecore.ports.clock import Clock
from tradecore.runner.system import SystemIds
from tradecore.settings import Settings

HOLD = "disk_low"
FULL = "the disk of the ledger is full"
_MEGABYTE = 1_000_000
_CALM = 1.25  # room must come back with a margin, so that a disk at the edge does not switch at every look


class DiskWatch:
    """Holds new intents while there is less room than the settings want. For a ledger in a file."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        path = ledger_path(settings.ledger)
        self._url = settings.ledger
        self._wanted = int(settings.disk.min_free_mb * _MEGABYTE)
        self._engine = engine
        self._reserve = None if path is None else Reserve(path, int(settings.disk.reserve_mb * _MEGABYTE))
        self._is_low = False

    def look(self) -> None:
        """Compare, and hold or let go. Raises `StoreUnavailable` when the disk does not answer."""
        free = free_bytes(self._url)
        if free is None:
            return
        if not self._is_low and free < self._wanted:
            self._is_low = True
            reason = f"less than {self._wanted / _MEGABYTE:g} MB are free on the disk of the ledger"
            self._engine.gate.close(HOLD, reason, withdraws=True)
            self._engine.note(streams.RUNNER, DiskLow(free, self._wanted))
            self._engine.tell(HOLD, f"{reason}: only orders that reduce a position are placed and sent")
        elif self._is_low and free >= self._wanted * _CALM:
            self._is_low = False
            self._engine.note(streams.RUNNER, DiskRecovered(free, self._wanted))
            self._engine.gate.open(HOLD)
        if self._reserve is not None and not self._is_low:
            self._reserve.take()


def record_full(settings: Settings, runner_id: str, clock: Clock) -> bool:
    """Give the reserve back and record that the runner stopped because of a full disk; False when even that failed.

    The ledger's journal was closed before: after a failed write only a fresh one knows what the disk holds.
    """
    path = ledger_path(settings.ledger)
    if path is None:
        return False
    ids = SystemIds()
    cause = Cause(ids.trace_id(), actor="runner")
    try:
        Reserve(path, 0).release()
        keys = find_key_ring(settings.encryption.keys_file)
        with closing(open_journal(settings.ledger, create=False, keys=keys)) as journal:
            ledger = Ledger(journal, clock, ids)
            ledger.note(streams.BROKER, AlertTriggered("disk_full", FULL), cause)
            ledger.note(streams.RUNNER, RunnerStopped(runner_id, FULL), cause)
    except TradecoreError:
        return False
    return True
