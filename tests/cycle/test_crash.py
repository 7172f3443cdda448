"""kill -9 at every failpoint of a decision: it is executed at most once, and nothing else is lost or doubled."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tests.cycle.crash import BUY, SELL, config, kill_then_finish
from tests.runner.market import write_csv
from tradecore.domain import events as ev
from tradecore.domain.identity import order_id_of_decision
from tradecore.failpoints import DECISION_FAILPOINTS
from tradecore.journal import open_journal
from tradecore.testing.model_server import ModelServer

MINUTES = 24  # a cycle every five of them


def think(request: Mapping[str, Any]) -> str:
    shown = json.loads(request["messages"][-1]["content"].removeprefix("<data>").removesuffix("</data>"))
    return BUY if shown["position"]["held"] == "0" else SELL


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", [*DECISION_FAILPOINTS, "models.call.before", "models.call.after"])
def test_a_decision_is_executed_at_most_once(failpoint: str, tmp_path: Path) -> None:
    bars = tmp_path / write_csv(tmp_path, MINUTES, symbols=("AAA",))
    with Judge.start(tmp_path, "--bars", str(bars)) as judge, ModelServer(think) as models:
        kill_then_finish(tmp_path, config(tmp_path, judge, models), failpoint, (2,))
        assert_nothing_lost_or_doubled(judge, tmp_path)
    with closing(open_journal(f"sqlite:///{tmp_path / 'ledger.db'}")) as journal:
        events = [one.event for one in journal.read(0, 1_000_000)]
    executed = [event for event in events if isinstance(event, ev.DecisionExecuted)]
    assert len(executed) >= 3
    assert {event.order_id for event in executed} == {order_id_of_decision(event.decision_id) for event in executed}
    for kind in (ev.DecisionRequested, ev.DecisionConcluded, ev.DecisionValidated, ev.DecisionExecuted):
        counted = Counter(event.decision_id for event in events if isinstance(event, kind))
        assert set(counted.values()) == {1}, kind.NAME
    started = Counter(event.cycle_id for event in events if isinstance(event, ev.CycleStarted))
    ended = Counter(event.cycle_id for event in events if isinstance(event, ev.CycleCompleted | ev.CycleFailed))
    assert set(started.values()) == {1}
    assert ended == started
    asked = {event.decision_id for event in events if isinstance(event, ev.DecisionConcluded) and event.stance.acts}
    lapsed = {event.decision_id for event in events if isinstance(event, ev.DecisionLapsed)}
    assert not lapsed & {event.decision_id for event in executed}
    assert asked == lapsed | {event.decision_id for event in executed} | _held(events)


def _held(events: list[ev.Event]) -> set[str]:
    """Decisions that validation left nothing of."""
    return {one.decision_id for one in events if isinstance(one, ev.DecisionValidated) and not one.stance.acts}
