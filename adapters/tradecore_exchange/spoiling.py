"""What a fault makes of one message of the trade stream."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from tradecore_exchange.fault_plan import Strike

JSON = Any

_UNKNOWN_WORD = "teleported"
_LATE_MS = 200


@attrs.frozen
class Sent:
    """Frames to send now; `later` is sent after `delay_s`, `held` after the next message."""

    now: tuple[bytes, ...] = ()
    later: bytes | None = None
    delay_s: float = 0.0
    held: bytes | None = None


def spoil(strike: Strike, body: dict[str, JSON]) -> Sent:
    """The message, struck. Its field is one of the order, or of the message itself."""
    data, order = body["data"], body["data"]["order"]
    holder = order if strike.field in order else data
    match strike.kind:
        case "drop_update" | "drop_sibling_cancel":
            return Sent()
        case "delay_update":
            return Sent(later=msgspec.json.encode(body), delay_s=(strike.ms or _LATE_MS) / 1_000)
        case "reorder_updates":
            return Sent(held=msgspec.json.encode(body))
        case "duplicate_update":
            return Sent((msgspec.json.encode(body),) * 2)
        case "non_json":
            return Sent((b"\x00not json{", msgspec.json.encode(body)))
        case "unknown_event":
            data["event"] = _UNKNOWN_WORD
        case "unknown_status":
            order["status"] = _UNKNOWN_WORD
        case "unknown_word":
            order["asset_class"] = _UNKNOWN_WORD
        case "bad_id":
            data["execution_id"] = "not-a-uuid"
        case "missing_field":
            holder.pop(strike.field, None)
        case "null_field":
            holder[strike.field] = None
    return Sent((msgspec.json.encode(body),))
