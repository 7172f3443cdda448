"""Outbox: recorded intent → broker call → recorded answer. The only caller of a broker's instructions.

The protocol, per piece of work: T1 (elsewhere) records the intent. T2 records the attempt, after checking that the
intent is fresh, unchanged and still wanted. Then one call. T3 records its outcome. What has an attempt and no outcome,
in this process or after a crash, is looked up at the broker by its client order id; only after the broker has denied
knowing it several times, over a window in which the request could still have been on its way, is the same order sent
again. What many pieces of work have to record at one moment is recorded in one transaction.
"""

from __future__ import annotations

from tradecore.outbox.needs import Kind
from tradecore.outbox.outbox import Outbox
from tradecore.outbox.pace import Pace

__all__ = ["Kind", "Outbox", "Pace"]
