"""Every fault in every phase: what a campaign must have met before it may say that nothing is lost or doubled."""

from __future__ import annotations

import enum

import attrs

from tradecore_exchange import endpoints
from tradecore_exchange import fault_kinds as kinds


class Phase(enum.StrEnum):
    """Where a fault strikes."""

    BEFORE_ACCEPT = "before accept"
    AFTER_ACCEPT = "after accept"
    LOOK_UP = "on look-up"
    CANCEL = "on cancel"
    CANCELED = "after cancel"
    REPLACE = "on replace"
    REPLACED = "after replace"
    STREAM = "on stream"
    CONNECT = "on reconnect"
    ORDERS = "on reading orders"
    FILLS = "on reading fills"
    ACCOUNT = "on reading the account"
    LAG = "on reading late"
    WIRE_SUBMIT = "wire of a submit"
    WIRE_LOOK_UP = "wire of a look-up"
    WIRE_CANCEL = "wire of a cancel"
    WIRE_REPLACE = "wire of a replace"
    WIRE_STREAM = "wire of the stream"
    WIRE_CONNECT = "wire of a reconnect"
    MARKET = "of the market"


ENDPOINTS = {
    Phase.BEFORE_ACCEPT: endpoints.SUBMIT,
    Phase.AFTER_ACCEPT: endpoints.SUBMIT,
    Phase.LOOK_UP: endpoints.BY_CLIENT_ORDER_ID,
    Phase.CANCEL: endpoints.CANCEL,
    Phase.CANCELED: endpoints.CANCEL,
    Phase.REPLACE: endpoints.REPLACE,
    Phase.REPLACED: endpoints.REPLACE,
    Phase.ORDERS: endpoints.ORDERS,
    Phase.FILLS: "GET /v2/account/activities/{kind}",
    Phase.ACCOUNT: "GET /v2/account",
}
"""The requests that are struck in a phase."""

AFTER = frozenset({Phase.AFTER_ACCEPT, Phase.CANCELED, Phase.REPLACED})
WIRES = frozenset({phase for phase in Phase if phase.value.startswith("wire")})
OF_STREAM = frozenset({Phase.WIRE_STREAM, Phase.WIRE_CONNECT})
_WIRE_KINDS = (
    "black_down",
    "black_up",
    "close_down",
    "cut_frame",
    "freeze",
    "latency",
    "narrow",
    "refuse",
    "reset_down",
    "reset_up",
    "sliced",
)
MARKET_KINDS = ("bust", "correct", "done_for_day", "halt", "rejected", "slow_cancels", "slow_replaces")
UNLOGGED = frozenset({"late_entries", "shuffle_partials"})
"""Faults that change a list without a line in the exchange's log."""


@attrs.frozen
class Case:
    """One fault in one phase."""

    phase: Phase
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} {self.phase.value}"


def _kinds() -> dict[Phase, frozenset[str]]:
    breaking, spoiling = kinds.BREAKING, kinds.SPOILING
    first = frozenset({kinds.FIRST_THE_EVENTS})
    found: dict[Phase, frozenset[str]] = {
        Phase.BEFORE_ACCEPT: breaking,
        Phase.AFTER_ACCEPT: breaking | spoiling | first,
        Phase.LOOK_UP: breaking | spoiling | {kinds.HIDING, kinds.ORDER_LAG},
        Phase.CANCEL: breaking | {kinds.FIRST_THE_FILL},
        Phase.CANCELED: breaking | first,
        Phase.REPLACE: breaking | {kinds.FIRST_THE_FILL},
        Phase.REPLACED: breaking | spoiling | first,
        Phase.STREAM: kinds.STREAM,
        Phase.CONNECT: kinds.CONNECTION,
        Phase.ORDERS: breaking | spoiling,
        Phase.FILLS: breaking | spoiling,
        Phase.ACCOUNT: breaking | spoiling,
        Phase.LAG: frozenset({kinds.ORDER_LAG, kinds.POSITION_LAG}) | UNLOGGED,
        Phase.MARKET: frozenset(MARKET_KINDS),
    }
    of_a_socket = frozenset(_WIRE_KINDS)
    wires = (phase for phase in Phase if phase in WIRES)  # in an order that is the same in every process
    return found | {phase: of_a_socket - (set() if phase in OF_STREAM else {"cut_frame"}) for phase in wires}


CASES = tuple(Case(phase, kind) for phase, possible in _kinds().items() for kind in sorted(possible))
"""All of them, but for what only strikes readers that we are not (`events_dropped`: who reads events as they come)."""


def case_of(seed: int) -> tuple[Case, int]:
    """The case of a seed, and its how-manieth turn this is."""
    return CASES[seed % len(CASES)], seed // len(CASES)


def seed_of(name: str, turn: int) -> int:
    """The seed of a turn of the case of this name. The same turn is the same run, also when cases are added."""
    return [str(case) for case in CASES].index(name) + turn * len(CASES)
