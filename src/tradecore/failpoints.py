"""Named places where a test may make the process fail.

Armed by the environment: `TRADECORE_FAILPOINTS="name:hit:action,…"`, where `hit` counts from 1 and `action` is `kill`
(SIGKILL to this process), `term`, `int`, `stop` (SIGSTOP), or `raise`. Unarmed, a failpoint costs one dict look-up.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tradecore.errors import ConfigurationError

_ACTIONS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT, "stop": signal.SIGSTOP, "raise": None}

FAILPOINTS: tuple[str, ...] = (
    "ledger.t1.before",
    "ledger.t1.after",
    "outbox.t2.before",
    "outbox.post.before",
    "outbox.post.after",
    "outbox.t3.after",
    "inbox.report.before",
    "inbox.report.after",
    "inbox.fill.before",
    "inbox.fill.after",
    "engine.advance.before",
    "engine.advance.after",
    "journal.append.before_commit",
    "journal.append.after_commit",
    "journal.view.before_commit",
    "journal.view.after_commit",
)
"""Every failpoint on the way of an order, so that a campaign can visit them all."""

SAGA_FAILPOINTS: tuple[str, ...] = ("saga.step.before", "saga.step.after")
"""Around each step of a saga, such as one that leaves a trade."""

PUBLISHER_FAILPOINTS: tuple[str, ...] = ("publisher.cursor.before",)
"""Between what was handed on and the record of it."""

SWITCH_FAILPOINTS: tuple[str, ...] = ("outbox.lift.before", "outbox.lift.after")
"""Around the call that has the broker take new orders again."""

MODEL_FAILPOINTS: tuple[str, ...] = (
    "models.reserve.before",
    "models.call.before",
    "models.call.after",
    "models.settle.after",
)
"""Every failpoint on the way of a model call."""

DECISION_FAILPOINTS: tuple[str, ...] = (
    "cycle.started",
    "decision.requested",
    "decision.judged",
    "decision.concluded",
    "decision.validated",
    "decision.placed",
    "cycle.completed",
)
"""Every failpoint on the way from a cycle to its intents."""


ALL_FAILPOINTS: tuple[str, ...] = (
    *FAILPOINTS,
    *SAGA_FAILPOINTS,
    *PUBLISHER_FAILPOINTS,
    *SWITCH_FAILPOINTS,
    *MODEL_FAILPOINTS,
    *DECISION_FAILPOINTS,
)
"""Every failpoint that there is."""


class FailpointRaised(Exception):
    """What an armed failpoint with the action `raise` raises."""


def _parse(text: str) -> dict[str, list[tuple[int, str]]]:
    armed: dict[str, list[tuple[int, str]]] = {}
    for item in filter(None, text.split(",")):
        parts = item.split(":")
        if len(parts) != 3 or parts[0] not in ALL_FAILPOINTS or not parts[1].isdigit() or parts[2] not in _ACTIONS:
            raise ConfigurationError(
                f"TRADECORE_FAILPOINTS: {item!r} is not name:hit:action with a known name and an action of "
                + ", ".join(_ACTIONS)
            )
        armed.setdefault(parts[0], []).append((int(parts[1]), parts[2]))
    return armed


_watcher: Callable[[str], None] | None = None


def watch(watcher: Callable[[str], None] | None) -> None:
    """Have a function of the test's called at every failpoint of this process; None for nobody."""
    global _watcher  # noqa: PLW0603 - failpoints are places in the process, whoever runs through them
    _watcher = watcher


_armed = _parse(os.environ.get("TRADECORE_FAILPOINTS", ""))
_hits: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Fail here if the environment says so."""
    if _watcher is not None:
        _watcher(name)
    if name not in _armed:
        return
    _hits[name] = hit = _hits.get(name, 0) + 1
    for wanted, action in _armed[name]:
        if wanted == hit:
            number = _ACTIONS[action]
            if number is None:
                raise FailpointRaised(f"{name}, hit {hit}")
            os.kill(os.getpid(), number)
