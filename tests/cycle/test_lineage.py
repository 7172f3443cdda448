"""From any id of a cycle's decision the whole chain is found, as a tree, as JSON and as an OpenTelemetry trace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.crash.judge import environment
from tests.cycle.scene import staged
from tests.cycle.test_path import in_and_out
from tests.runner.process import journal, python_module
from tradecore.domain import events as ev
from tradecore.lineage.gathering import gather
from tradecore.lineage.otlp import otlp
from tradecore.lineage.tree import Branch, branches_of

CHAIN = (
    ev.FeaturesRecorded, ev.DecisionConcluded, ev.DecisionValidated, ev.ReservationMade, ev.OrderPlanned,
    ev.OrderSubmitted, ev.OrderAccepted, ev.FillRecorded, ev.TradeClosed, ev.OutcomeResolved,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of a short run."""
    made = tmp_path_factory.mktemp("lineage")

    async def play() -> None:
        async with staged(made, in_and_out, minutes=6) as stage:
            await stage.play()

    anyio.run(play)
    return made


def first_outcome(folder: Path) -> Any:
    with journal(folder) as opened:
        return next(one.event for one in opened.read(0, 100_000) if isinstance(one.event, ev.OutcomeResolved))


def ids(folder: Path) -> dict[str, str]:
    outcome = first_outcome(folder)
    with journal(folder) as opened:
        events = [one.event for one in opened.read(0, 100_000)]
    (order,) = [
        e.order_id for e in events if isinstance(e, ev.DecisionExecuted) and e.decision_id == outcome.decision_id
    ]
    fill = next(e.fill_id for e in events if isinstance(e, ev.FillRecorded) and e.order_id == order)
    return {
        "decision": outcome.decision_id,
        "exit decision": outcome.exit_decision_id,
        "trade": outcome.trade_id,
        "order": order,
        "fill": fill,
    }


@pytest.mark.parametrize("kind", ["decision", "exit decision", "trade", "order", "fill"])
def test_every_id_leads_to_both_decisions_and_their_cycles(folder: Path, kind: str) -> None:
    known = ids(folder)
    with journal(folder) as opened:
        lineage = gather(opened, known[kind])
        events = [one.event for one in lineage.events]
    asked = {event.decision_id for event in events if isinstance(event, ev.DecisionRequested)}
    assert asked == {known["decision"], known["exit decision"]}
    assert len({event.cycle_id for event in events if isinstance(event, ev.CycleStarted)}) == 2
    for needed in CHAIN:
        assert any(isinstance(event, needed) for event in events), needed.NAME
    assert {event.symbol for event in events if isinstance(event, ev.DecisionRequested)} == {
        first_outcome(folder).symbol
    }


def walk(branches: tuple[Branch, ...], depth: int = 0) -> Iterator[tuple[int, str]]:
    for branch in branches:
        yield depth, branch.title.partition(" ")[0]
        yield from walk(branch.branches, depth + 1)


def test_the_tree_hangs_the_order_on_its_decision_and_that_on_its_cycle(folder: Path) -> None:
    with journal(folder) as opened:
        shape = list(walk(branches_of(gather(opened, ids(folder)["decision"]))))
    assert shape[:4] == [(0, "cycle"), (1, "deliberation"), (2, "decision"), (3, "order")]
    assert (1, "outcome") in shape[shape.index((0, "trade")) :]


def test_the_export_is_a_trace_whose_parents_exist_and_the_same_each_time(folder: Path) -> None:
    with journal(folder) as opened:
        lineage = gather(opened, ids(folder)["decision"])
    document = otlp(lineage)
    assert document == otlp(lineage)
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    known = {(span["traceId"], span["spanId"]) for span in spans}
    assert len(known) == len(spans)
    for span in spans:
        assert len(span["traceId"]) == 32
        assert len(span["spanId"]) == 16
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        if "parentSpanId" in span:
            assert (span["traceId"], span["parentSpanId"]) in known
        for link in span.get("links", ()):
            assert (link["traceId"], link["spanId"]) in known
    assert "invoke_agent single" in {span["name"] for span in spans}


def test_the_verb_shows_a_tree_and_writes_the_export(folder: Path, tmp_path: Path) -> None:
    def tradecore(*arguments: str) -> str:
        command = [*python_module("tradecore.cli"), *arguments, "--ledger", f"sqlite:///{folder / 'tradecore.db'}"]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    decision = ids(folder)["decision"]
    shown = tradecore("trace", decision)
    for word in ("cycle", "features", "buy, stated confidence 0.8", "risk", "intent", "attempt", "fill", "profit:"):
        assert word in shown
    target = tmp_path / "trace.json"
    tradecore("trace", decision, "--otlp", str(target))
    assert json.loads(target.read_text())["resourceSpans"]
    listed = json.loads(tradecore("trace", decision, "--json"))
    assert [event["position"] for event in listed] == sorted(event["position"] for event in listed)
