"""What is published, as schemas: JSON Schema, AsyncAPI, and a page to read. All made from the classes themselves."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from tradecore import __version__
from tradecore.domain.derived import DERIVED, Derived
from tradecore.domain.events import EVENTS, Event
from tradecore.domain.signals import SIGNALS, Signal

Kind = type[Event] | type[Derived] | type[Signal]

_ENVELOPE = {
    "event_id": {"type": "string", "format": "uuid", "description": "the event's own; a repeat carries the same"},
    "time": {"type": "string", "format": "date-time", "description": "when it was recorded, UTC"},
    "source": {"type": "string", "description": "which part of the world it came from"},
    "correlation_id": {"type": "string", "description": "the first event of what belongs together"},
    "causation_id": {"type": ["string", "null"], "description": "the event that led here; null when none did"},
    "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "from a decision to its last fill"},
    "actor": {"type": "string", "description": "the person, strategy or part of the runner that acted"},
}
_PLACE = {
    "ledger": {"type": "string"},
    "stream": {"type": "string"},
    "version": {"type": "integer", "minimum": 1},
    "position": {"type": "integer", "minimum": 1},
}


def published_types() -> dict[str, Kind]:
    """Every type that is published, by name, in alphabetical order."""
    kinds: dict[str, Kind] = {**EVENTS, **DERIVED, **SIGNALS}
    return {name: kinds[name] for name in sorted(kinds)}


def meaning(kind: Kind) -> str:
    """What the event says, in one line."""
    return (inspect.getdoc(kind) or "").split("\n")[0]


def json_schema() -> dict[str, Any]:
    """One JSON Schema (2020-12) for everything that is published."""
    kinds = published_types()
    references, definitions = msgspec.json.schema_components(tuple(kinds.values()), ref_template="#/$defs/{name}")
    messages = {
        name: _message(name, kind, reference) for (name, kind), reference in zip(kinds.items(), references, strict=True)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events published by tradecore",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in messages],
        "$defs": {**messages, **dict(sorted(definitions.items()))},
    }


def _message(name: str, kind: Kind, reference: dict[str, Any]) -> dict[str, Any]:
    has_place = not issubclass(kind, Signal)
    properties = {
        "event_id": _ENVELOPE["event_id"],
        "type": {"const": name},
        "schema_version": {"const": kind.SCHEMA},
        **{field: schema for field, schema in _ENVELOPE.items() if field != "event_id"},
        "metadata": {
            "type": "object",
            "properties": _PLACE if has_place else {},
            "required": list(_PLACE) if has_place else [],
        },
        "data": reference,
    }
    return {
        "type": "object",
        "description": meaning(kind),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def asyncapi() -> dict[str, Any]:
    """The same as an AsyncAPI 3.0 document: one channel per type."""
    schema = json_schema()
    kinds = published_types()
    channels = {
        name: {"address": name, "messages": {name: {"$ref": f"#/components/messages/{name}"}}} for name in kinds
    }
    operations = {
        f"publish.{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}, "summary": meaning(kind)}
        for name, kind in kinds.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "tradecore",
            "version": __version__.split("+")[0],
            "description": "Events of the ledger, at least once and in its order; signals, at most once.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "summary": meaning(kind),
                    "contentType": "application/json",
                    "payload": {"$ref": f"#/components/schemas/{name}"},
                }
                for name, kind in kinds.items()
            },
            "schemas": _moved(schema["$defs"]),
        },
    }


def _moved(value: Any) -> Any:
    """References into the definitions of a JSON Schema, as references into the components of AsyncAPI."""
    match value:
        case dict():
            return {key: _moved(item) for key, item in value.items()}
        case list():
            return [_moved(item) for item in value]
        case str() if value.startswith("#/$defs/"):
            return value.replace("#/$defs/", "#/components/schemas/", 1)
        case _:
            return value


def page() -> str:
    """The catalogue as a page: every type, its version, its fields and what it says."""
    lines = [
        "# Published events",
        "",
        "Made from the event classes by `python -m tradecore.publishing docs/reference`; the same as",
        "[JSON Schema](events.schema.json) and [AsyncAPI](asyncapi.json). Events of the ledger are published at least",
        "once, in its order, and what follows from them behind them. Signals are in no ledger and published at most",
        "once.",
        "",
    ]
    bases = (("Events of the ledger", Event), ("What follows from them", Derived), ("Signals", Signal))
    for title, base in bases:
        lines += [f"## {title}", "", "| type | version | says | data |", "|---|---|---|---|"]
        for name, kind in published_types().items():
            if not issubclass(kind, base):
                continue
            fields = ", ".join(f"`{field}`" for field in inspect.signature(kind).parameters)
            lines.append(f"| `{name}` | {kind.SCHEMA} | {meaning(kind).replace('|', chr(92) + '|')} | {fields} |")
        lines.append("")
    return "\n".join(lines)
