"""Verb `stats`: how much there is, how far the views are, and who works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_pairs, show_table

if TYPE_CHECKING:
    from tradecore.journal import Journal


def stats(*, options: Options = DEFAULTS) -> int:
    """Count events, streams and bytes; show views with their lag, and who holds the lease."""
    from tradecore.journal import lease_holder

    with open_existing(options) as journal:
        figures = _figures(journal) | {"lease_holder": lease_holder(options.url)}
    if options.json:
        show_json([figures])
        return 0
    show_pairs((key.replace("_", " "), value) for key, value in figures.items() if not isinstance(value, list))
    for key, columns in (("views", ("view", "position", "lag")), ("by_name", ("name", "events"))):
        show_line("")
        show_table(figures[key], columns, f"no {columns[0]}s")
    return 0


def _figures(journal: Journal) -> dict[str, Any]:
    from tradecore.journal.url import shown

    counted = journal.stats()
    return {
        "ledger": shown(journal.url),
        "events": counted.events,
        "streams": counted.streams,
        "head": counted.head,
        "size_bytes": counted.size_bytes,
        "log_size_bytes": counted.log_size_bytes,
        "oldest": _recorded_at(journal, 1),
        "newest": _recorded_at(journal, counted.head),
        "views": [
            {"view": view.name, "position": view.position, "lag": max(0, counted.head - view.position)}
            for view in counted.views
        ],
        "by_name": [{"name": name, "events": count} for name, count in counted.by_name.items()],
    }


def _recorded_at(journal: Journal, position: int) -> str | None:
    from tradecore.views.plain import instant_of_ns

    found = journal.read(position - 1, 1) if position else ()
    return instant_of_ns(found[0].envelope.recorded_at_ns) if found else None
