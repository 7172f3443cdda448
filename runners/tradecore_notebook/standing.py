"""Where a session stands, told from outside of the engine's thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from tradecore.errors import LeaseHeld, TradecoreError
from tradecore.journal import lease_holder
from tradecore.journal.url import shown
from tradecore.ports.strategy import Strategy
from tradecore.runner.remedies import with_remedy
from tradecore.settings import Settings
from tradecore_notebook import logs
from tradecore_notebook.run import Figures, Run
from tradecore_notebook.status import Status
from tradecore_notebook.thread import ENGINE

_ANSWER_S = 1.0
_LINES = 5
_OWN = f"(process {os.getpid()})"
_EARLIER = "That is an earlier session of this kernel: tradecore_notebook.stop_all() ends it."


def status_of(settings: Settings, make_strategy: Callable[[], Strategy] | None, run: Run | None) -> Status:
    """The status, from the run's own words and the lease."""
    done, total, at = (0, None, "") if run is None else run.progress
    summary = None if run is None else run.summary
    own = getattr(make_strategy, "name", None) or getattr(make_strategy, "__name__", "its own")
    return Status(
        state=_state(run),
        ledger=shown(settings.ledger),
        lease=_lease(settings, run),
        holds_lease=_holds_lease(run),
        strategy=settings.strategy.name if make_strategy is None else str(own),
        done=done,
        total=total,
        at=at,
        ended=None if run is None else run.reason,
        error=None if run is None or run.error is None else described(run.error),
        figures=_figures(run),
        differences=None if summary is None else tuple(str(item) for item in summary.differences),
        log=tuple(logs.LINES)[-_LINES:],
    )


def after_interrupt(run: Run | None) -> str:
    """What an interrupted cell left behind, in words."""
    _figures(run)  # asked on the loop, so behind whatever the interrupt canceled there
    state = _state(run)
    if state == "stopping":
        return "the session is stopping, and lets go of the lease when it has drained"
    if _holds_lease(run):
        return f"the session is {state} and holds the lease; stop() lets go of it"
    return f"the session is {state} and does not hold the lease"


def described(error: BaseException) -> str:
    """An error in one line: those of tradecore with what can be done, others with their type."""
    return with_remedy(error) if isinstance(error, TradecoreError) else f"{type(error).__name__}: {error}"


def raise_here(error: BaseException) -> NoReturn:
    """Raise it without the engine's frames where it says everything itself; `Session.traceback` keeps them.

    Frames hold URLs with passwords, which some ways to show a traceback print.
    """
    if isinstance(error, LeaseHeld) and _OWN in str(error):
        error.add_note(_EARLIER)
    if isinstance(error, TradecoreError):
        raise error.with_traceback(None) from None
    raise error


def _state(run: Run | None) -> str:
    if run is None:
        return "read-only"
    if run.has_ended:
        return "read-only" if run.error is None else "failed"
    if run.is_stopping:
        return "stopping"
    if not run.has_begun:
        return "starting"
    return "paused" if run.turnstile.is_resting else "running"


def _holds_lease(run: Run | None) -> bool:
    return run is not None and run.runner_id is not None and not run.has_ended


def _lease(settings: Settings, run: Run | None) -> str:
    if run is not None and _holds_lease(run):
        return f"held by this notebook as runner {run.runner_id}"
    try:
        holder = lease_holder(settings.ledger)
    except TradecoreError as error:  # a status says what it can
        return f"nobody can say: {error}"
    if holder is None:
        return "nobody holds it; start() or step() takes it"
    return f"held by {holder}; read-only here. {_EARLIER if _OWN in holder else ''}".rstrip()


def _figures(run: Run | None) -> Figures | None:
    """The account, asked in the engine's thread; None when there is no engine, or it is busy for a second."""
    if run is None or run.has_ended:
        return None
    with suppress(TimeoutError):
        return ENGINE.call(run.figures, timeout_s=_ANSWER_S)
    return None
