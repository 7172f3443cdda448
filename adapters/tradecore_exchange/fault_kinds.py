"""Everything that can be made to go wrong, by where it strikes."""

from __future__ import annotations

from tradecore_exchange import endpoints

# A request, before or after it was carried out.
BREAKING = frozenset(
    {
        "delay",
        "empty_200",
        "garbage_200",
        "hang",
        "http_429",
        "http_500",
        "http_502",
        "http_503",
        "http_504",
        "redirect_302",
        "reset",
    }
)
# A request that was carried out: only its answer is not what it should be, or not when.
SPOILING = frozenset({"answer_missing_field", "answer_null_field", "answer_unknown_word", "cut_200"})
FIRST_THE_EVENTS = "fill_before_answer"
# A request that is held while the market trades the order it is about.
FIRST_THE_FILL = "fill_first"
# Reading: the past is told as the present.
HIDING = "lookup_404"
ORDER_LAG = "order_lag"
POSITION_LAG = "position_lag"
STANDING = frozenset({HIDING, ORDER_LAG, POSITION_LAG, "late_entries", "shuffle_partials"})
# One message of the trade stream.
UPDATE = frozenset(
    {
        "bad_id",
        "delay_update",
        "drop_update",
        "duplicate_update",
        "missing_field",
        "non_json",
        "null_field",
        "reorder_updates",
        "stream_mute",
        "unknown_event",
        "unknown_status",
        "unknown_word",
    }
)
SIBLING = "drop_sibling_cancel"
CUT = frozenset({"stream_abort", "stream_drop"})
FREEZE = "stream_freeze"
# The trade stream's beginning, in the order in which they strike.
AT_UPGRADE = frozenset({"upgrade_404", "upgrade_429"})
AT_START = frozenset({"greeting"})
AT_AUTHENTICATION = frozenset({"auth_mute", "refuse_auth"})
AT_LISTENING = frozenset({"resend_new"})
# The two event streams.
EVENTS_DROPPED = "events_dropped"

ANSWER = BREAKING | SPOILING | {FIRST_THE_EVENTS, FIRST_THE_FILL}
STREAM = UPDATE | CUT | {SIBLING, FREEZE}
CONNECTION = AT_UPGRADE | AT_START | AT_AUTHENTICATION | AT_LISTENING
KINDS = ANSWER | STANDING | STREAM | CONNECTION | {EVENTS_DROPPED}

_ORDERING = frozenset({endpoints.SUBMIT, endpoints.CANCEL, endpoints.REPLACE, "DELETE /v2/orders"})
_LAGGING = {
    endpoints.BY_CLIENT_ORDER_ID: {HIDING, ORDER_LAG},
    endpoints.ORDER: {ORDER_LAG},
    endpoints.ORDERS: {ORDER_LAG},
    endpoints.POSITION: {POSITION_LAG},
    endpoints.POSITIONS: {POSITION_LAG},
}


def kinds_for(endpoint: str) -> frozenset[str]:
    """What a plan may do to a request of this kind."""
    if endpoint in {endpoints.CANCEL, endpoints.REPLACE}:
        return BREAKING | SPOILING | {FIRST_THE_EVENTS, FIRST_THE_FILL}
    if endpoint in _ORDERING or endpoint.startswith("DELETE /v2/positions"):
        return BREAKING | SPOILING | {FIRST_THE_EVENTS}
    return BREAKING | SPOILING | frozenset(_LAGGING.get(endpoint, set()))
