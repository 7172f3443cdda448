"""Limits on the command line: show them with the trading state, change one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import attrs
from cyclopts import App, Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_pairs
from tradecore.cli.words import account_of
from tradecore.domain.commands import SetLimits
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore.domain.account import AccountState

app = App(name="limits", help="Show the limits of the account, or change one.")


@app.default
def limits(*, account: str | None = None, options: Options = DEFAULTS) -> int:
    """Show every limit that is set, the version of them all, and the trading state.

    Parameters
    ----------
    account
        the ledger's name for the account; not needed where there is one
    """
    with open_existing(options) as journal:
        return _show(_account(journal, account_of(journal, account)), options)


@app.command(name="set")
def set_one(
    name: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    reason: str,
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Change one limit. It holds until the settings say something else than they said last.

    Parameters
    ----------
    name
        such as max_position_share
    value
        as in the settings; "none" for not set; names are separated by commas
    reason
        why, for the record
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ids = SystemIds()
        ledger = Ledger(journal, SystemClock(), ids)
        key = account_of(journal, account)
        wanted = attrs.evolve(ledger.account(key).limits, **{name: _parsed(name, value)})
        ledger.handle(SetLimits(key, wanted, actor(), reason), Cause(ids.trace_id(), actor=actor(), source="cli"))
        return _show(ledger.account(key), options)


def _parsed(name: str, value: str) -> Any:
    from pydantic import ValidationError

    from tradecore.settings_risk import RiskSettings

    single = [field.name for field in attrs.fields(Limits) if field.name not in _TABLES]
    if name not in single:
        raise InputError("name", name, "one of " + ", ".join(single) + "; tables are changed in the settings")
    try:
        return getattr(RiskSettings.model_validate({name: value}), name)
    except ValidationError as error:
        raise InputError(name, value, error.errors()[0]["msg"]) from None


_TABLES = ("version", "sectors", "per_symbol", "per_strategy", "per_agent", "actions", "volatility_steps", "loss_steps")


def _account(journal: Any, name: str) -> AccountState:
    from tradecore.ledger import Ledger
    from tradecore.runner.system import SystemClock, SystemIds

    return Ledger(journal, SystemClock(), SystemIds()).account(name)


def _show(state: AccountState, options: Options) -> int:
    shown: dict[str, object] = {"account": state.account, "trading_state": state.may.value}
    if state.stopped_by:
        shown["stopped_by"] = ", ".join(state.stopped_by)
    if state.unread:
        shown["unread_alerts"] = len(state.unread)
    said = attrs.asdict(state.limits, value_serializer=lambda _, __, value: _plain(value))
    shown |= said if options.json else {name: value for name, value in said.items() if value not in (None, {}, (), [])}
    if options.json:
        show_json([shown])
    else:
        show_pairs(shown.items())
    return 0


def _plain(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value
