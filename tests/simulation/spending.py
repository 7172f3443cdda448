"""The judge's own count of the money for models: what is settled, and what is still reserved."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulation.books import Fail
from tests.simulation.minds import limits_of
from tradecore.domain import events as ev

if TYPE_CHECKING:
    from tests.simulation.minds import Mind


class Spending:
    """Follows the log."""

    def __init__(self, fail: Fail, mind: Mind | None) -> None:
        self.fail = fail
        self._limits = {} if mind is None else limits_of(mind)
        self._open: dict[str, ev.BudgetReserved] = {}
        self._spent: dict[str, Decimal] = defaultdict(Decimal)
        self._closed: set[str] = set()

    def reserved(self, event: ev.BudgetReserved) -> None:
        """Room is taken: with everything that was settled and that is open it must be within every limit."""
        if event.reservation_id in self._open or event.reservation_id in self._closed:
            self.fail("I15", f"{event.reservation_id} is reserved twice")
        self._open[event.reservation_id] = event
        taken: dict[str, Decimal] = defaultdict(Decimal)
        for one in self._open.values():
            for key in _keys(one):
                taken[key] += one.amount
        for key in _keys(event):
            limit = self._limits.get(key.partition(" ")[0])
            total = self._spent[key] + taken[key]
            if limit is not None and total > limit:
                self.fail("I15", f"{total} dollars of {key} are spent or reserved; the limit is {limit}")
        if event.amount > self._limits.get("per_request", event.amount):
            self.fail("I15", f"{event.amount} dollars are reserved for one request")

    def settled(self, event: ev.BudgetSettled) -> None:
        """What it cost takes the place of what was reserved."""
        held = self._open.pop(event.reservation_id, None)
        if held is None:
            self.fail("I15", f"{event.reservation_id} is settled, and is not open")
            return
        self._closed.add(event.reservation_id)
        for key in _keys(held):
            self._spent[key] += event.amount

    def check(self, question_id: str, attempt: int, *, is_open: bool) -> None:
        """A call that is under way has its reservation, and one that ended has none."""
        if (f"{question_id}:{attempt}" in self._open) != is_open:
            what = "is made without a reservation" if is_open else "has ended, and its reservation is still open"
            self.fail("I15", f"call {attempt} of {question_id} {what}")


def _keys(event: ev.BudgetReserved) -> tuple[str, ...]:
    day = f"{event.at:%Y-%m-%d}"
    return (
        f"per_day {day}",
        f"per_month {event.budget}",
        f"per_decision {event.decision_id}",
        f"per_agent_per_day {event.agent} {day}",
    )
