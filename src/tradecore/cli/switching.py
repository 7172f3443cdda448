"""The trading state on the command line: what it is, and how a halt ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_pairs
from tradecore.cli.words import account_of
from tradecore.domain.commands import RequestClear
from tradecore.domain.messages import Cause

if TYPE_CHECKING:
    from tradecore.domain.kill import KillState
    from tradecore.ledger import Ledger


def status(*, account: str | None = None, options: Options = DEFAULTS) -> int:
    """Show whether the account trades, what stopped it, and whether the broker refuses its orders.

    Parameters
    ----------
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        shown = standing_of(Ledger(journal, SystemClock(), SystemIds()), account_of(journal, account))
    if options.json:
        show_json([shown])
    else:
        show_pairs(shown.items())
    return 0


def resume(
    *,
    reason: str,
    confirm: Annotated[bool, Parameter(negative=())] = False,
    lift_suspension: Annotated[bool, Parameter(negative=())] = False,
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Let halted trading go on, in two steps: once to ask for it, then again with --confirm.

    Refused (code 3) while the ledger and the broker differ, or out of turn. A halt file must be removed first. Where a
    kill had the broker refuse new orders, a runner tells it to take them again, and trading goes on once the broker
    shows that.

    Parameters
    ----------
    reason
        why, for the record
    confirm
        the second step
    lift_suspension
        with --confirm: also lift a suspension at the broker that somebody else turned on
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger
        from tradecore.switching import clear

        ids = SystemIds()
        ledger = Ledger(journal, SystemClock(), ids)
        key, cause = account_of(journal, account), Cause(ids.trace_id(), actor=actor(), source="cli")
        if confirm:
            clear(ledger, key, actor(), reason, cause, lift_suspension=lift_suspension)
        else:
            ledger.handle(RequestClear(key, actor(), reason), cause)
        shown = standing_of(ledger, key)
    if options.json:
        show_json([shown])
    else:
        show_pairs(shown.items())
    return 0


def standing_of(ledger: Ledger, account: str) -> dict[str, Any]:
    """What the ledger says about whether an account trades, and about the broker's own switch."""
    from tradecore.reconcile import Differences

    state, killed, compared = ledger.account(account), ledger.kill(account), Differences.of(ledger, account)
    completed = compared.completed
    return {
        "account": account,
        "trading_state": state.may.value,
        "stopped_by": ", ".join(state.stopped_by),
        "asked_by": state.clear_requested_by,
        "unread_alerts": len(state.unread),
        "kill": "none" if killed is None else "under way" if killed.is_open else "verified",
        "broker_suspension": _suspension(killed),
        "differences": len(compared.open),
        "reconciled_as_of": None if completed is None else completed.as_of.isoformat(),
    }


def _suspension(killed: KillState | None) -> str:
    if killed is None or not killed.suspension.may_hold:
        return "none"
    if killed.suspension.lifting:
        return f"being lifted, {killed.suspension.attempts} attempts"
    return "by a kill of this ledger" if killed.suspension.ours else "by somebody else"
