"""Verb `check`: is the file whole?"""

from __future__ import annotations

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line


def check(*, options: Options = DEFAULTS) -> int:
    """Go through the file, the order of events, and every event; for every day. Exit code 1 for the first damage.

    `verify` also compares views and books, which takes longer.
    """
    from tradecore.journal.url import shown

    with open_existing(options) as journal:
        journal.check()
        head = journal.head()
    if options.json:
        show_json([{"ledger": shown(options.url), "head": head}])
    else:
        show_line(f"ok: sound up to position {head}")
    return 0
