"""The chain as a tree: a cycle, its decisions, questions to models, orders with their fills, the trade, the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import attrs

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.messages import Recorded
from tradecore.lineage.gathering import Lineage


@attrs.frozen
class Branch:
    """What belongs to one stream, with what hangs on it."""

    title: str
    events: tuple[Recorded[ev.Event], ...]
    branches: tuple[Branch, ...] = ()


def branches_of(lineage: Lineage) -> tuple[Branch, ...]:
    """The branches in the order in which the story runs; what hangs on nothing stands beside."""
    by_stream: dict[str, list[Recorded[ev.Event]]] = defaultdict(list)
    for one in lineage.events:
        event = one.event
        stream = streams.order(event.order_id) if isinstance(event, ev.FillRecorded) else one.envelope.stream
        by_stream[stream].append(one)
    parents = {stream: _parent(stream, by_stream[stream], by_stream) for stream in by_stream}
    roots = [stream for stream in by_stream if parents[stream] is None]

    def grow(stream: str) -> Branch:
        under = [other for other in by_stream if parents[other] == stream]
        events = by_stream[stream]
        grown = tuple(grow(other) for other in sorted(under, key=lambda name: _place(name, by_stream)))
        return Branch(title(stream), tuple(events), grown)

    return tuple(grow(stream) for stream in sorted(roots, key=lambda name: _place(name, by_stream)))


def title(stream: str) -> str:
    """A stream as a heading."""
    return stream.replace("-", " ", 1)


_ORDER = ("cycle", "deliberation", "question", "decision", "order", "trade", "account", "outcome", "calibration")


def _place(stream: str, by_stream: dict[str, list[Recorded[ev.Event]]]) -> tuple[int, int]:
    kind = stream.partition("-")[0]
    rank = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
    return rank, by_stream[stream][0].envelope.position


def _parent(
    stream: str, events: Sequence[Recorded[ev.Event]], known: dict[str, list[Recorded[ev.Event]]]
) -> str | None:
    """The stream that a stream hangs on, where that is part of the chain."""
    for one in events:
        for candidate in _candidates(one.event):
            if candidate != stream and candidate in known:
                return candidate
    return None


def _candidates(event: ev.Event) -> Iterator[str]:
    match event:
        case ev.DecisionRequested(cycle_id=str() as cycle_id):
            yield streams.cycle(cycle_id)
        case ev.DecisionGenerated():
            yield streams.deliberation(event.decision_id)
        case ev.ModelCallRequested(decision_id=str() as decision) | ev.ModelAnswerReused(decision_id=str() as decision):
            yield streams.deliberation(decision)
        case ev.ModelChainExhausted(decision_id=str() as decision):
            yield streams.deliberation(decision)
        case ev.BudgetReserved(decision_id=str() as decision):
            yield streams.deliberation(decision)
        case ev.OrderPlanned(decision_id=str() as decision):
            yield streams.decision(decision)
        case ev.OutcomeResolved() | ev.OutcomeVoided():
            yield streams.trade(event.trade_id)
        case _:
            return
