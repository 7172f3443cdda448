"""Verb `trace`: everything that belongs to one decision or order, from whichever id is at hand."""

from __future__ import annotations

from collections import defaultdict

from tradecore.cli.event_data import event_object
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import console, printable, show_json
from tradecore.domain import streams
from tradecore.domain.events import Event, FillRecorded
from tradecore.domain.messages import Recorded


def trace(id_: str, /, *, options: Options = DEFAULTS) -> int:
    """Show decision, intent, attempts, answer, fills and outcome that belong together.

    Parameters
    ----------
    id_
        trace, order, client order, trade, fill or decision id
    """
    from tradecore.views.tracing import find_trace, trace_events

    with open_existing(options) as journal:
        trace_id = find_trace(journal, id_)
        events = trace_events(journal, trace_id)
    if options.json:
        show_json([event_object(recorded) for recorded in events])
    else:
        _show_tree(trace_id, events)
    return 0


def _show_tree(trace_id: str, events: list[Recorded[Event]]) -> None:
    """One branch per decision, order (with its fills), trade and account, in the order in which they appear."""
    from rich.tree import Tree

    from tradecore.cli.narration import phrase_of, stage_of
    from tradecore.views.plain import instant_of_ns

    branches: dict[str, list[Recorded[Event]]] = defaultdict(list)
    for recorded in events:
        event, stream = recorded.event, recorded.envelope.stream
        branches[streams.order(event.order_id) if isinstance(event, FillRecorded) else stream].append(recorded)
    tree = Tree(f"trace {trace_id}")
    for stream in sorted(branches, key=_rank):
        branch = tree.add(printable(stream.replace("-", " ", 1)))
        for recorded in branches[stream]:
            at = instant_of_ns(recorded.envelope.recorded_at_ns)
            branch.add(f"{at}  {stage_of(recorded.event):<11} {printable(phrase_of(recorded.event))}")
    console().print(tree)


def _rank(stream: str) -> int:
    kinds = ("decision", "order", "trade", "account")
    kind = stream.partition("-")[0]
    return kinds.index(kind) if kind in kinds else len(kinds)
