"""Verbs `backup` and `restore`: copies of a ledger, and a ledger out of a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line


def backup(file: str, /, *, options: Options = DEFAULTS) -> int:
    """Copy the ledger as it is now, also while a runner works; checked and durable before the copy gets its name.

    Parameters
    ----------
    file
        where the copy goes; nothing may be there
    """
    with open_existing(options) as journal:
        head = journal.backup(Path(file).absolute())
    _show(options, file, head, f"{file} holds the ledger up to position {head}")
    return 0


def restore(file: str, /, *, to: str, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Make a ledger out of a copy; nothing may be there.

    A runner refuses it while the broker knows orders that were placed behind the copy; see `new-epoch`.

    Parameters
    ----------
    file
        a copy made by `backup`
    to
        the new ledger: a file such as sqlite:///tradecore.db, or an empty schema of a database
    json
        one JSON list on stdout
    """
    from tradecore.journal import restore_ledger
    from tradecore.journal.url import shown

    head = restore_ledger(Path(file).absolute(), to)
    _show(Options(to, json), file, head, f"{shown(to)} holds what {file} held, up to position {head}")
    return 0


def _show(options: Options, file: str, head: int, text: str) -> None:
    from tradecore.journal.url import shown

    if options.json:
        show_json([{"ledger": shown(options.url), "file": file, "head": head}])
    else:
        show_line(text)
