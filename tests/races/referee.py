"""Looks at a race afterwards and says what was skipped, given twice, or exceeded."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import attrs

from tests.races.roles import PRICE
from tradecore.domain.account import AccountState, evolve
from tradecore.domain.events import ReservationMade
from tradecore.journal import Journal


@attrs.frozen
class Following:
    """What went wrong between writers and a follower."""

    skipped: int
    twice: int
    out_of_order: int
    gaps: int


def compare(after: int, written: Sequence[list[Any]], seen: Sequence[list[Any]]) -> Following:
    """Positions and ids as they were given to the writers, behind `after`, and as the follower saw them."""
    given = sorted(position for position, _ in written)
    ids = {event_id for _, event_id in seen}
    positions = [position for position, _ in seen]
    known = dict(reversed(pair) for pair in written)
    return Following(
        skipped=sum(event_id not in ids for _, event_id in written),
        twice=len(given) - len(set(given)) + len(positions) - len(set(positions)),
        out_of_order=sum(later <= earlier for earlier, later in itertools.pairwise(positions))
        + sum(known.get(event_id) != position for position, event_id in seen),
        gaps=sum(left != right for left, right in zip(given, range(after + 1, after + 1 + len(given)), strict=True)),
    )


def breaches(journal: Journal, account: str) -> list[str]:
    """Every order of an account that was taken above a limit then in force."""
    found: list[str] = []
    state = AccountState(account)
    for recorded in journal.load(f"account-{account}"):
        limits = state.limits
        state_after = evolve(state, recorded.event, account)
        if isinstance(recorded.event, ReservationMade):
            most, cap = limits.max_open_orders, limits.max_order_notional
            if most is not None and len(state_after.reservations) > most:
                found.append(f"{len(state_after.reservations)} orders are open, {most} may be")
            if cap is not None and recorded.event.quantity * PRICE > cap:
                found.append(f"{recorded.event.quantity * PRICE} were ordered, {cap} may be")
        state = state_after
    return found
