"""Scheduled work: reading the broker again, and its list of assets. Runs are kept here, failures in the ledger.

A run that succeeds says nothing new, so nothing of it is recorded; the first failure of a row is, and so is its end.
What is decided on a schedule needs no queue either: a decision has its own identity, and deciding twice is once.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tradecore.domain import streams
from tradecore.domain.events import ScheduledWorkFailed, ScheduledWorkRecovered
from tradecore.domain.messages import Cause
from tradecore.ledger import Ledger
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids


@attrs.define
class Run:
    """The last run of a kind of work, and how many failed in a row. Durations in seconds."""

    started_at: dt.datetime
    duration_s: float = 0.0
    error: str | None = None
    failures: int = 0
    failing_since: dt.datetime | None = None


@attrs.frozen
class Started:
    """A run under way."""

    work: str
    at: dt.datetime
    monotonic: float


class Schedule:
    """What was run, and how it went."""

    def __init__(self, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self.runs: dict[str, Run] = {}

    def start(self, work: str) -> Started:
        """A run begins; `succeeded` or `failed` must follow."""
        return Started(work, self._clock.now(), self._clock.monotonic())

    def succeeded(self, started: Started) -> None:
        """The run did what it should; what failed before has recovered."""
        run = self._ended(started)
        if run.failing_since is not None:
            self._note(ScheduledWorkRecovered(started.work, run.failures, run.failing_since))
        run.error, run.failures, run.failing_since = None, 0, None

    def failed(self, started: Started, error: Exception) -> None:
        """The run failed and will be made again."""
        run = self._ended(started)
        run.error, run.failures = str(error), run.failures + 1
        if run.failing_since is None:
            run.failing_since = started.at
            duration_s = Decimal(f"{run.duration_s:.3f}")
            self._note(ScheduledWorkFailed(started.work, started.at, duration_s, run.error))

    def _ended(self, started: Started) -> Run:
        run = self.runs.setdefault(started.work, Run(started.at))
        run.started_at = started.at
        run.duration_s = self._clock.monotonic() - started.monotonic
        return run

    def _note(self, event: ScheduledWorkFailed | ScheduledWorkRecovered) -> None:
        self._ledger.note(streams.BROKER, event, Cause(self._ids.trace_id(), actor="schedule"))
