"""What a campaign must have come to: a fault, a place or a state that no seed reached was not tested."""

from __future__ import annotations

from tests.simulation.minds import KINDS, THOUGHTS
from tests.simulation.script import DEEDS, FAULTS
from tradecore.failpoints import DECISION_FAILPOINTS, MODEL_FAILPOINTS

_FAILPOINTS = (
    "inbox.fill.after", "inbox.fill.before", "inbox.report.after", "inbox.report.before",
    "journal.append.after_commit", "journal.append.before_commit", "journal.view.after_commit",
    "journal.view.before_commit", "ledger.t1.after", "ledger.t1.before", "outbox.post.after", "outbox.post.before",
    "outbox.t2.before", "outbox.t3.after", "saga.step.after", "saga.step.before",
)  # fmt: skip
"""Places of the library; a process dies at each of them too."""
_STATES = (
    "accepted", "calculated", "canceled", "done_for_day", "expired", "filled", "held", "new", "partially_filled",
    "pending_new", "queued", "rejected", "replaced", "stopped", "submitted", "suspended", "unknown",
)  # fmt: skip
"""States of an order."""
_TRANSITIONS = (
    "accepted>canceled", "accepted>filled", "accepted>new", "accepted>partially_filled", "done_for_day>new",
    "held>canceled", "held>expired", "held>filled", "held>new", "new>canceled", "new>done_for_day", "new>expired",
    "new>filled", "new>partially_filled", "new>rejected", "new>replaced", "new>stopped", "new>suspended",
    "partially_filled>canceled", "partially_filled>expired", "partially_filled>filled", "partially_filled>rejected",
    "partially_filled>replaced", "partially_filled>suspended", "pending_new>new", "planned>canceled",
    "planned>held", "planned>queued", "queued>canceled", "queued>submitted", "stopped>new", "submitted>accepted",
    "submitted>pending_new", "submitted>queued", "submitted>rejected", "submitted>unknown", "suspended>canceled",
    "suspended>filled", "suspended>new", "unknown>accepted", "unknown>canceled", "unknown>pending_new",
    "unknown>submitted",
)  # fmt: skip
"""Changes of state, of those that a few hundred seeds bring about."""
_DENIALS = (
    "duplicate_window_s", "max_daily_loss", "max_gross_exposure", "max_notional_per_day", "max_open_orders",
    "max_order_qty", "max_orders_per_day", "max_orders_per_minute", "max_position_qty", "max_position_share",
    "max_repeats", "min_confidence", "no_self_cross", "state",
)  # fmt: skip
"""Rules of the gate that refuse an order."""
_EVENTS = (
    "adopted", "bust", "correct", "found by lookup", "replacement sent", "takeover", "saga.completed", "saga.failed",
    "end:BrokerUnreachable", "end:StoreFull", "end:StoreUnavailable", "event:account.kill.verified",
    "event:risk.order.reduced", "event:system.report.parked", "event:system.stream.lost",
)  # fmt: skip

_RACES = (
    "fill before answer", "fill during comparison", "filled while canceling", "takeover during send",
)  # fmt: skip
"""What happens between two halves of something."""
_STRUCK = (
    "answer_missing_field", "answer_null_field", "answer_unknown_word", "cut_200", "delay", "delay_update",
    "drop_update", "duplicate_update", "empty_200", "fill_before_answer", "garbage_200", "hang", "http_429", "http_500",
    "http_502", "http_503", "http_504", "lookup_404", "missing_field", "non_json", "order_lag", "position_lag",
    "reorder_updates", "reset", "stream_abort", "stream_drop", "stream_mute",
)  # fmt: skip
"""Faults of the exchange that struck, not only were armed."""

_THOUGHTS = (*MODEL_FAILPOINTS, *DECISION_FAILPOINTS)
"""Places on the way from a cycle to its orders; a process dies at each of them too."""
_CALLS = (
    "broken", "canceled", "declined", "incomplete", "invalid", "lost", "rate_limited", "refused", "server_error",
    "timeout", "unauthorized", "unreachable",
)  # fmt: skip
"""Why a model gave no answer."""
_DECIDED = (
    "concluded:buy", "concluded:sell", "concluded:hold", "concluded:abstain", "settled:usage", "settled:reservation",
    "settled:nothing", "settled:expiry", "decision became an order", "decision lapsed", "event:ai.chain.exhausted",
    "event:ai.decision.refused", "event:ai.model.switched", "event:orchestrator.cycle.skipped", "exit was due",
    "orchestrator.cycle.completed", "orchestrator.cycle.failed", "struck in a call", "takeover of cycles",
    "file commit:done", "file commit:lost",
)  # fmt: skip
"""What becomes of cycles, decisions and money, and of commits to a file."""

DECLARED: tuple[str, ...] = (
    *(f"thought:{name}" for name in _THOUGHTS),
    *(f"killed in thought:{name}" for name in _THOUGHTS),
    *(f"act:{kind}" for kind in THOUGHTS),
    *(f"model:{kind}" for kind in ("well", *KINDS)),
    *(f"call:{name}" for name in _CALLS),
    *_DECIDED,
    *(f"failpoint:{name}" for name in _FAILPOINTS),
    *(f"killed at:{name}" for name in _FAILPOINTS),
    *(f"act:{kind}" for kind in (*FAULTS, *DEEDS)),
    *(f"state:{name}" for name in _STATES),
    *(f"transition:{name}" for name in _TRANSITIONS),
    *(f"denied:{name}" for name in _DENIALS),
    *(f"struck:{name}" for name in _STRUCK),
    *_RACES,
    *_EVENTS,
)
"""What a campaign of a thousand seeds and more is held to."""

_LEAST = {
    "failpoint": 10_000, "thought": 2_000, "struck": 100, "act": 200, "killed at": 50, "killed in thought": 5,
    "state": 50, "transition": 20, "denied": 20, "model": 100, "call": 80, "concluded": 1_000, "settled": 500,
    "file commit": 50,
}  # fmt: skip
"""How often a place of a kind is reached in 10,000 seeds, at the least; any other place 20 times."""


def least(place: str, seeds: int) -> int:
    """How often a campaign of so many seeds must come to a place."""
    return max(1, _LEAST.get(place.partition(":")[0], 20) * seeds // 10_000)


USUAL: tuple[str, ...] = (
    *(f"failpoint:{name}" for name in _FAILPOINTS),
    *(f"state:{name}" for name in _STATES if name not in ("calculated", "done_for_day", "stopped", "suspended")),
    "act:kill", "act:kill at a step", "act:kill at a failpoint", "act:pause", "act:network", "act:commit", "act:fault",
    "concluded:buy", "model:well", "settled:usage", "thought:models.call.after", "thought:decision.validated",
    "act:place", "act:cancel", "act:replace", "takeover", "found by lookup", "denied:max_position_qty", "adopted",
)  # fmt: skip
"""What a few dozen seeds are held to."""
