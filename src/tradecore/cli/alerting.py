"""`tradecore alerts`: critical alerts that nobody has read hold new risk; read them, and say so."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_table
from tradecore.cli.words import account_of
from tradecore.domain.commands import AcknowledgeAlert
from tradecore.domain.messages import Cause
from tradecore.errors import InputError

app = App(name="alerts", help="Critical alerts that nobody has read: they hold new risk until they are acknowledged.")


@app.default
@app.command(name="list")
def unread(*, account: str | None = None, options: Options = DEFAULTS) -> int:
    """Show the critical alerts that nobody has acknowledged. `tradecore events` has all alerts.

    Parameters
    ----------
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        state = Ledger(journal, SystemClock(), SystemIds()).account(account_of(journal, account))
        rows = [
            {"alert": position, "kind": kind, "message": message} for position, (kind, message) in state.unread.items()
        ]
        if options.json:
            show_json(rows)
        else:
            show_table(rows, ("alert", "kind", "message"), "every critical alert was read")
        return 0


@app.command
def acknowledge(
    alert: int | None = None,
    /,
    *,
    reason: str,
    every: Annotated[bool, Parameter(name="--all", negative=())] = False,
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Say that an alert was read, on record; when none is left, trading goes on as the kill switch allows.

    Parameters
    ----------
    alert
        its number, as in the list
    reason
        what was found, for the record
    every
        all of them
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    if (alert is None) is not every:
        raise InputError("alert", alert, "the number of an alert, or --all")
    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ids = SystemIds()
        ledger, key = Ledger(journal, SystemClock(), ids), account_of(journal, account)
        cause = Cause(ids.trace_id(), actor=actor(), source="cli")
        ledger.handle(AcknowledgeAlert(key, actor(), reason, alert), cause)
        state = ledger.account(key)
        rows = [{"account": key, "trading_state": state.may.value, "unread": len(state.unread)}]
        if options.json:
            show_json(rows)
        else:
            show_table(rows, list(rows[0]), "")
        return 0
