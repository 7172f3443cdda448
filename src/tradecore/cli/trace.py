"""Verb `trace`: everything that belongs together, from whichever id is at hand, as a tree, as JSON or as a trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tradecore.cli.event_data import event_object
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import console, printable, show_json, show_note
from tradecore.errors import InputError

if TYPE_CHECKING:
    from rich.tree import Tree

    from tradecore.lineage.gathering import Lineage
    from tradecore.lineage.tree import Branch


def trace(id_: str, /, *, otlp: str | None = None, options: Options = DEFAULTS) -> int:
    """Show cycle, decision, model calls, risk checks, intent, attempts, fills, trade and outcome that belong together.

    Parameters
    ----------
    id_
        trace, cycle, decision, order, client order, trade or fill id
    otlp
        write the chain into this file as an OpenTelemetry trace (OTLP, JSON)
    """
    from tradecore.lineage.gathering import gather

    with open_existing(options) as journal:
        lineage = gather(journal, id_)
    if otlp is not None:
        _write_otlp(lineage, otlp)
    if options.json:
        show_json([event_object(recorded) for recorded in lineage.events])
    elif otlp is None:
        _show_tree(lineage)
    return 0


def _write_otlp(lineage: Lineage, name: str) -> None:
    import msgspec

    from tradecore.lineage.otlp import otlp

    try:
        Path(name).write_bytes(msgspec.json.format(msgspec.json.encode(otlp(lineage)), indent=1) + b"\n")
    except OSError as error:
        raise InputError("otlp", name, f"a file that can be written ({error.strerror})") from None
    show_note(f"{len(lineage.events)} events written to {name}")


def _show_tree(lineage: Lineage) -> None:
    """One branch per cycle, decision, question, order (with its fills), trade and outcome."""
    from rich.tree import Tree

    from tradecore.lineage.totals import totals_of
    from tradecore.lineage.tree import branches_of
    from tradecore.views.plain import text

    tree = Tree(f"trace {lineage.trace_id}")
    for branch in branches_of(lineage):
        _grow(tree, branch)
    took = totals_of(lineage)
    if took.calls or took.reused:
        tree.add(
            f"models: {took.calls} calls ({took.failed_calls} failed, {took.fallbacks} fall-backs), "
            f"{took.reused} reused, {took.input_tokens} tokens in, {took.output_tokens} out, "
            f"${text(took.cost)}, {text(took.latency_s)} s"
        )
    if took.realised_pnl is not None:
        tree.add(f"profit: {text(took.realised_pnl)}")
    console().print(tree)


def _grow(tree: Tree, branch: Branch) -> None:
    from tradecore.cli.narration import phrase_of, stage_of
    from tradecore.views.plain import instant_of_ns

    grown = tree.add(printable(branch.title))
    for recorded in branch.events:
        at = instant_of_ns(recorded.envelope.recorded_at_ns)
        grown.add(f"{at}  {stage_of(recorded.event):<11} {printable(phrase_of(recorded.event))}")
    for below in branch.branches:
        _grow(grown, below)
