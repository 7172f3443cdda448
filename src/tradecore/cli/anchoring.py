"""Verb `anchor`: write down outside of the ledger what its history is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradecore.cli.anchor_files import default_anchor_file
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line
from tradecore.errors import ConfigurationError, CorruptLedger


def anchor(*, to: Annotated[str | None, Parameter(show_default=False)] = None, options: Options = DEFAULTS) -> int:
    """Follow the hash chain to its end and append that to a file of anchors, for `verify` to hold the ledger against.

    Parameters
    ----------
    to
        file to append to, best on another machine (default: the ledger's name and .anchors)
    """
    from tradecore.audit.anchor_file import AnchorFile, as_object
    from tradecore.audit.anchorer import Anchorer
    from tradecore.runner.system import SystemClock

    path = default_anchor_file(options) if to is None else Path(to)
    if path is None:
        raise ConfigurationError("to: this ledger is no file to put anchors beside: name a file with --to")
    file = AnchorFile(path)
    with open_existing(options) as journal:
        known, unreadable = file.read() if path.exists() else ((), ())
        if unreadable:
            raise CorruptLedger(f"not anchored: {unreadable[0].subject} is {unreadable[0].message}")
        made = Anchorer(journal, file, SystemClock(), known).anchor()
    if options.json:
        show_json([as_object(made)])
    else:
        show_line(f"anchored position {made.position}, link {made.chain.hex()}, in {path}")
    return 0
