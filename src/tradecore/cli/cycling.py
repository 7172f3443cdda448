"""`tradecore cycles`: how they went, and whether further ones begin."""

from __future__ import annotations

from cyclopts import App

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing, rows_now
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_table
from tradecore.cli.words import account_of
from tradecore.domain import streams
from tradecore.domain.events import CyclesPaused, CyclesResumed
from tradecore.domain.messages import Cause

app = App(name="cycles", help="Rounds in which an agent decides: list them, pause them, let them go on.")


@app.default
@app.command(name="list")
def cycles(*, options: Options = DEFAULTS) -> int:
    """List cycles with how they went."""
    columns = ("cycle_id", "agent", "mode", "due_at", "status", "decisions", "orders", "duration_s", "reason")
    with open_existing(options) as journal:
        rows = rows_now(journal, "cycles")
    if options.json:
        show_json(rows)
    else:
        show_table(rows, columns, "no cycles")
    return 0


@app.command
def pause(*, reason: str, account: str | None = None, options: Options = DEFAULTS) -> int:
    """Let no further cycle begin. What is open goes on; to stop trading there is `tradecore kill`.

    Parameters
    ----------
    reason
        why, for the record
    account
        the ledger's name for the account; not needed where there is one
    """
    return _note(CyclesPaused, "paused", reason, account, options)


@app.command
def resume(*, reason: str, account: str | None = None, options: Options = DEFAULTS) -> int:
    """Let cycles begin again.

    Parameters
    ----------
    reason
        why, for the record
    account
        the ledger's name for the account; not needed where there is one
    """
    return _note(CyclesResumed, "resumed", reason, account, options)


def _note(
    kind: type[CyclesPaused | CyclesResumed], word: str, reason: str, account: str | None, options: Options
) -> int:
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ids = SystemIds()
        name = account_of(journal, account)
        event = kind(name, actor(), reason)
        ledger = Ledger(journal, SystemClock(), ids)
        ledger.note(streams.cycles(name), event, Cause(ids.trace_id(), actor=actor(), source="cli"))
    if options.json:
        show_json([{"account": name, "cycles": word}])
    else:
        show_line(f"cycles of {name} are {word}")
    return 0
