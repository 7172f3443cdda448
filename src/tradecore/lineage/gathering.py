"""Gathering: from any id to every event of the chain that it belongs to, over all traces that the chain has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.messages import Recorded
from tradecore.views import read_rows
from tradecore.views.tracing import find_trace, trace_events

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal

Events = list[Recorded[ev.Event]]


@attrs.frozen
class Lineage:
    """The events of a chain in the order of the ledger. `trace_id` is that of what was asked for."""

    trace_id: str
    events: tuple[Recorded[ev.Event], ...]


def gather(journal: Journal, given: str) -> Lineage:
    """The chain behind any id of the ledger. Raises `InputError` for an id that nothing has.

    A decision, its model calls and the trade that it opens are one trace. The decision that closes the trade, the
    cycles that asked, outcomes and calibrations have traces of their own, and are found by what events name.
    """
    asked_for = find_trace(journal, given)
    found: dict[int, Recorded[ev.Event]] = {}
    looked_at: set[str] = set()
    waiting = [asked_for]
    while waiting:
        trace_id = waiting.pop()
        looked_at.add(trace_id)
        events = trace_events(journal, trace_id)
        is_cycle = any(isinstance(one.event, ev.CycleStarted) for one in events)
        found.update({one.envelope.position: one for one in events})
        for one in _beside(journal, events) if not is_cycle else _asked_by(journal, events):
            found[one.envelope.position] = one
            other = one.envelope.trace_id
            is_own = isinstance(one.event, ev.CycleStarted | ev.CalibrationCompleted)
            if other not in looked_at and other not in waiting and not is_own and not _is_of_cycle(one):
                waiting.append(other)
    return Lineage(asked_for, tuple(found[position] for position in sorted(found)))


def _beside(journal: Journal, events: Events) -> Iterator[Recorded[ev.Event]]:
    """What the events name and other traces have."""
    for decision in dict.fromkeys(_decisions(events)):
        for stream in (streams.deliberation(decision), streams.decision(decision), streams.outcome(decision)):
            yield from journal.load(stream)
    for one in events:
        match one.event:
            case ev.DecisionRequested(cycle_id=str() as cycle_id):
                yield from journal.load(streams.cycle(cycle_id))
            case ev.DecisionValidated(calibration_id=str() as calibration_id):
                yield from _calibration(journal, _agent_of(calibration_id), calibration_id)
            case ev.OutcomeResolved():
                yield from _learned(journal, one)
            case _:
                pass


def _asked_by(journal: Journal, events: Events) -> Iterator[Recorded[ev.Event]]:
    """The decisions that a cycle asked for."""
    cycles = {one.event.cycle_id for one in events if isinstance(one.event, ev.CycleStarted)}
    for row in read_rows(journal, "decisions", journal.head()):
        if row["cycle_id"] in cycles:
            yield from journal.load(streams.deliberation(row["decision_id"]))


def _decisions(events: Iterable[Recorded[ev.Event]]) -> Iterator[str]:
    for one in events:
        decision = getattr(one.event, "decision_id", None)
        if isinstance(decision, str):
            yield decision
        if isinstance(one.event, ev.OutcomeResolved) and one.event.exit_decision_id is not None:
            yield one.event.exit_decision_id


def _calibration(journal: Journal, agent: str, calibration_id: str) -> Iterator[Recorded[ev.Event]]:
    for one in journal.load(streams.calibration(agent)):
        if isinstance(one.event, ev.CalibrationCompleted) and one.event.calibration_id == calibration_id:
            yield one


def _learned(journal: Journal, outcome: Recorded[ev.Event]) -> Iterator[Recorded[ev.Event]]:
    """The first calibration that learned from an outcome."""
    assert isinstance(outcome.event, ev.OutcomeResolved), "only what was resolved teaches anything"
    for one in journal.load(streams.calibration(outcome.event.agent)):
        known = one.event
        if isinstance(known, ev.CalibrationCompleted) and known.fitted_through >= outcome.envelope.position:
            yield one
            return


def _agent_of(calibration_id: str) -> str:
    return calibration_id.rpartition("@")[0]


def _is_of_cycle(one: Recorded[ev.Event]) -> bool:
    return one.envelope.stream.startswith(("cycle-", "calibration-"))
