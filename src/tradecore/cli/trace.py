"""Verb `trace`: everything that belongs to one decision or order, from whichever id is at hand."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import TYPE_CHECKING

from tradecore.cli.event_data import event_object
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import console, printable, show_json
from tradecore.domain import streams
from tradecore.domain.epochs import epochs_of
from tradecore.domain.events import Event, FillRecorded
from tradecore.domain.messages import Recorded
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


def trace(id_: str, /, *, options: Options = DEFAULTS) -> int:
    """Show decision, intent, attempts, answer, fills and outcome that belong together.

    Parameters
    ----------
    id_
        trace, order, client order, trade, fill or decision id
    """
    with open_existing(options) as journal:
        trace_id = find_trace(journal, id_)
        events = events_of(journal, trace_id)
    if options.json:
        show_json([event_object(recorded) for recorded in events])
    else:
        _show_tree(trace_id, events)
    return 0


def find_trace(journal: Journal, given: str) -> str:
    """The trace behind any id of the ledger. Raises `InputError` for an id that nothing has."""
    from tradecore.views import ALL_VIEWS
    from tradecore.views.projector import Projector
    from tradecore.views.traces import prefix

    Projector(journal, [view for view in ALL_VIEWS if view.name == "traces"]).catch_up()
    if next(journal.views.rows("traces", prefix(given.lower())), None) is not None:
        return given.lower()
    for key in _spellings(journal, given):
        for stream in (streams.order(key), streams.trade(key), streams.fill(key), streams.decision(key)):
            found = journal.load(stream)
            if found:
                return found[0].envelope.trace_id
    raise InputError("id", given, "a trace, order, client order, trade, fill or decision id of this ledger")


def events_of(journal: Journal, trace_id: str) -> list[Recorded[Event]]:
    """Every event of a trace, in order."""
    from tradecore.views import read_rows
    from tradecore.views.traces import prefix

    return [journal.read(row["position"] - 1, 1)[0] for row in read_rows(journal, "traces", prefix=prefix(trace_id))]


def _spellings(journal: Journal, given: str) -> list[str]:
    order_id = epochs_of(recorded.event for recorded in journal.load(streams.LEDGER)).order_id_of(given)
    try:
        canonical = str(uuid.UUID(given))
    except ValueError:
        canonical = given
    return [order_id] if order_id is not None else list(dict.fromkeys((canonical, given)))


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
