"""A chain as an OpenTelemetry trace: OTLP in its JSON form, with the names of the GenAI conventions.

Spans are aggregates, and attempts within them; their ids follow from what they stand for, so an export made twice is
the same. What has a trace of its own keeps it, and is linked. The conventions are not final: their version is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tradecore import __version__
from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.lineage.gathering import Lineage
from tradecore.lineage.tree import Branch, branches_of

SEMANTIC_CONVENTIONS = "1.37.0"
_INTERNAL, _CLIENT = 1, 3
_OK, _ERROR = 1, 2
_KINDS = {"cycle": "cycle", "deliberation": "invoke_agent", "question": "ask", "order": "order", "trade": "trade"}
_BAD = (ev.CycleFailed, ev.DecisionRefused, ev.OrderRejected, ev.ModelChainExhausted)


def otlp(lineage: Lineage) -> dict[str, Any]:
    """The document that an OTLP/HTTP collector takes at `/v1/traces`."""
    spans: list[dict[str, Any]] = []
    for branch in branches_of(lineage):
        spans += _spans(branch, None)
    resource = {"attributes": _attributes({"service.name": "tradecore", "service.version": __version__})}
    scope = {"name": "tradecore", "version": __version__}
    url = f"https://opentelemetry.io/schemas/{SEMANTIC_CONVENTIONS}"
    return {
        "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans, "schemaUrl": url}]}]
    }


def _spans(branch: Branch, parent: tuple[str, str] | None) -> Iterator[dict[str, Any]]:
    """The span of a branch, its calls, and the spans below it."""
    first, last = branch.events[0].envelope, branch.events[-1].envelope
    stream = branch.title
    me = (first.trace_id, _span_id(stream))
    span: dict[str, Any] = {
        "traceId": first.trace_id,
        "spanId": me[1],
        "name": _name(branch),
        "kind": _INTERNAL,
        "startTimeUnixNano": str(first.recorded_at_ns),
        "endTimeUnixNano": str(last.recorded_at_ns),
        "attributes": _attributes(_described(branch)),
        "events": [_event(one) for one in branch.events],
        "status": {"code": _ERROR if any(isinstance(one.event, _BAD) for one in branch.events) else _OK},
    }
    if parent is not None and parent[0] == first.trace_id:
        span["parentSpanId"] = parent[1]
    elif parent is not None:
        span["links"] = [{"traceId": parent[0], "spanId": parent[1]}]
    yield span
    yield from _calls(branch, me)
    for below in branch.branches:
        yield from _spans(below, me)


def _calls(branch: Branch, parent: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """One client span for each request to a model."""
    requests = {one.event.attempt: one for one in branch.events if isinstance(one.event, ev.ModelCallRequested)}
    for one in branch.events:
        event = one.event
        if not isinstance(event, ev.ModelCallAnswered | ev.ModelCallFailed) or event.attempt not in requests:
            continue
        begun = requests[event.attempt]
        asked = begun.event
        assert isinstance(asked, ev.ModelCallRequested), "it was picked for that"
        yield {
            "traceId": one.envelope.trace_id,
            "spanId": _span_id(f"{branch.title} {event.attempt}"),
            "parentSpanId": parent[1],
            "name": f"chat {event.model}",
            "kind": _CLIENT,
            "startTimeUnixNano": str(begun.envelope.recorded_at_ns),
            "endTimeUnixNano": str(one.envelope.recorded_at_ns),
            "attributes": _attributes(_called(asked, event)),
            "status": {"code": _ERROR, "message": event.message}
            if isinstance(event, ev.ModelCallFailed)
            else {"code": _OK},
        }


def _called(asked: ev.ModelCallRequested, event: ev.ModelCallAnswered | ev.ModelCallFailed) -> Mapping[str, object]:
    told: dict[str, object] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": event.provider,
        "gen_ai.request.model": event.model,
        "gen_ai.agent.name": asked.agent,
        "gen_ai.usage.input_tokens": event.input_tokens,
        "gen_ai.usage.output_tokens": event.output_tokens,
        "gen_ai.output.type": "json",
        "tradecore.model.role": asked.role,
        "tradecore.model.criticality": asked.criticality.value,
        "tradecore.model.cost_usd": event.cost,
        "tradecore.model.latency_s": event.latency_s,
        "tradecore.model.fallback_from": asked.fallback_from,
        "tradecore.model.prompt_hash": asked.prompt_hash,
    }
    if isinstance(event, ev.ModelCallAnswered):
        told["gen_ai.usage.cache_read.input_tokens"] = event.cached_input_tokens
        told["gen_ai.usage.reasoning.output_tokens"] = event.reasoning_tokens
        told["gen_ai.response.model"] = event.response_model
        told["gen_ai.response.id"] = event.response_id
        told["gen_ai.response.finish_reasons"] = [event.finish_reason]
    else:
        told["error.type"] = event.failure.value
    return told


def _name(branch: Branch) -> str:
    kind = branch.title.partition(" ")[0]
    for one in branch.events:
        if isinstance(one.event, ev.DecisionRequested):
            return f"invoke_agent {one.event.agent}"
    return _KINDS.get(kind, kind)


def _described(branch: Branch) -> Mapping[str, object]:
    kind, _, key = branch.title.partition(" ")
    told: dict[str, object] = {f"tradecore.{kind}.id": key}
    for one in branch.events:
        match one.event:
            case ev.DecisionRequested():
                told |= {
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.agent.name": one.event.agent,
                    "tradecore.symbol": one.event.symbol,
                }
            case ev.OutcomeResolved():
                told |= {
                    "gen_ai.evaluation.name": "realised_pnl",
                    "gen_ai.evaluation.score.value": float(one.event.realised_pnl),
                    "gen_ai.evaluation.score.label": "earned" if one.event.came_true else "lost",
                }
            case _:
                pass
    return told


def _event(one: Recorded[ev.Event]) -> dict[str, Any]:
    told = {"tradecore.event.id": one.envelope.event_id, "tradecore.event.position": one.envelope.position}
    return {
        "name": one.envelope.name,
        "timeUnixNano": str(one.envelope.recorded_at_ns),
        "attributes": _attributes(told),
    }


def _attributes(values: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float() | Decimal():
            return {"doubleValue": float(value)}
        case list():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
        case _:
            return {"stringValue": str(value)}


def _span_id(name: str) -> str:
    """16 hexadecimal digits that follow from what the span stands for."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]
