"""Verb `migrate`: bring the tables of a ledger up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradecore.cli.opening import refuse_missing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line


def migrate(*, backup: Annotated[str | None, Parameter(show_default=False)] = None, options: Options = DEFAULTS) -> int:
    """Bring the ledger's tables to what this tradecore needs. Stop everything that works on it first.

    Events are never rewritten. There is no way back except a copy, so make one: tradecore migrate --backup FILE

    Parameters
    ----------
    backup
        where a copy of the ledger as it is now goes first; nothing may be there
    """
    from tradecore.journal import migrate_ledger
    from tradecore.journal.url import shown

    refuse_missing(options)
    before, after = migrate_ledger(options.url, None if backup is None else Path(backup).absolute())
    if options.json:
        show_json([{"ledger": shown(options.url), "before": before, "after": after, "backup": backup}])
    elif before == after:
        show_line(f"nothing to do: schema {after} is the newest that this tradecore knows")
    else:
        show_line(f"schema {before} became {after}")
    return 0
