"""Verb `rebuild`: build views anew from the log."""

from __future__ import annotations

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_table
from tradecore.errors import InputError


def rebuild(*views: str, options: Options = DEFAULTS) -> int:
    """Build views anew from the log and swap each in whole. Exit code 1 when one of them stops at an event.

    Parameters
    ----------
    views
        names of views; all of them when none is given
    """
    from tradecore.views.keeping import kept_views
    from tradecore.views.parking import parked_views
    from tradecore.views.projector import Projector

    with open_existing(options) as journal:
        known = {view.name: view for view in kept_views(journal)}
        for name in views:
            if name not in known:
                raise InputError("view", name, "one of " + ", ".join(known))
        wanted = list(dict.fromkeys(views)) or list(known)
        Projector(journal, [known[name] for name in wanted], alarm=lambda _: None).rebuild()
        parked = parked_views(journal)
        rows = [
            {
                "view": name,
                "position": journal.views.cursor(name, known[name].shape),
                "rows": sum(1 for _ in journal.views.rows(name)),
                "stopped": str(parked[name]) if name in parked else None,
            }
            for name in wanted
        ]
    if options.json:
        show_json(rows)
    else:
        show_table(rows, ("view", "position", "rows", "stopped"), "no views")
        show_line(f"{len(rows)} views built anew")
    return 1 if any(row["stopped"] for row in rows) else 0
