"""Names of streams: one per aggregate, plus a few for the system's own events."""

from __future__ import annotations

from collections.abc import Iterable

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded

LEDGER = "system-ledger"
RUNNER = "system-runner"
BROKER = "system-broker"
ASSETS = "system-assets"
ASSETS_CONFIRMED = "system-assets-confirmed"
CHECKS = "system-checks"
MODELS = "system-models"


def subject(subject_hash: str) -> str:
    """The stream of somebody whose texts the side store keeps, under the hash of the name."""
    return f"subject-{subject_hash}"


def order(order_id: str) -> str:
    """The stream of an order."""
    return f"order-{order_id}"


def orders_in(events: Iterable[Recorded[Event]]) -> tuple[str, ...]:
    """The orders whose streams the events are in, each once, in the order of the events."""
    found = (event.envelope.stream for event in events if event.envelope.stream.startswith("order-"))
    return tuple(dict.fromkeys(stream.removeprefix("order-") for stream in found))


def fill(fill_id: str) -> str:
    """The stream of a fill."""
    return f"fill-{fill_id}"


def trade(trade_id: str) -> str:
    """The stream of a trade."""
    return f"trade-{trade_id}"


def account(name: str) -> str:
    """The stream of an account."""
    return f"account-{name}"


def activity(activity_key: str) -> str:
    """The stream of a change of an account that no order made."""
    return f"activity-{activity_key}"


def reconciliation(account_name: str) -> str:
    """The stream of what comparing an account with its broker found."""
    return f"reconciliation-{account_name}"


def saga(saga_id: str) -> str:
    """The stream of a saga."""
    return f"saga-{saga_id}"


def exits(trade_id: str) -> str:
    """The stream of how a trade is left."""
    return f"exit-{trade_id}"


def decision(decision_id: str) -> str:
    """The stream of a decision."""
    return f"decision-{decision_id}"


def kill(account: str) -> str:
    """The stream of the kills of an account."""
    return f"kill-{account}"


def lane(name: str) -> str:
    """The stream of a lane of delivery."""
    return f"lane-{name}"


def question(question_id: str) -> str:
    """The stream of a question to models: every call that it led to."""
    return f"question-{question_id}"


def budget(name: str) -> str:
    """The stream of a budget for model calls."""
    return f"budget-{name}"


def deliberation(decision_id: str) -> str:
    """The stream of how an agent came to a decision; the decision itself is what became of it."""
    return f"deliberation-{decision_id}"


def cycle(cycle_id: str) -> str:
    """The stream of a cycle."""
    return f"cycle-{cycle_id}"


def cycles(account_name: str) -> str:
    """The stream of what holds for all cycles of an account: pauses, and those that were skipped."""
    return f"cycles-{account_name}"


def cycle_lane(account_name: str) -> str:
    """The name of the lane of an account's cycles: who runs them, where several processes share the ledger."""
    return f"cycles:{account_name}"


def outcome(decision_id: str) -> str:
    """The stream of what became of a decision."""
    return f"outcome-{decision_id}"


def calibration(agent: str) -> str:
    """The stream of the calibrations of an agent."""
    return f"calibration-{agent}"
