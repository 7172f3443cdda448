"""Budget for model calls: room is taken for the worst a call can cost before it is made, and given back afterwards.

One budget and one stream per month, so that nothing needs to be forgotten within a stream. Days and months are UTC. An
open reservation counts in full, for ever where its process died: what is spent never exceeds a limit, whatever crashes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import ReserveBudget, SettleBudget
from tradecore.domain.evolving import changed
from tradecore.domain.values import ZERO
from tradecore.errors import BudgetRefused, InputError, InvariantViolated


@attrs.frozen
class Reserved:
    """An open reservation."""

    amount: Decimal
    day: str
    expires_at: dt.datetime
    agent: str | None
    decision_id: str | None


@attrs.frozen(slots=False)
class BudgetState:
    """A month of a budget, in dollars. `spent` is what is settled; what is open comes on top.

    `days` is settled by day, `agents` by day and agent, `decisions` by decision: those of the newest day, and before it
    those of the last one, for a decision may take until after midnight.
    """

    budget: str
    spent: Decimal = ZERO
    days: Mapping[str, Decimal] = attrs.field(factory=dict)
    agents: Mapping[str, Decimal] = attrs.field(factory=dict)
    decisions: Mapping[str, Decimal] = attrs.field(factory=dict)
    decisions_before: Mapping[str, Decimal] = attrs.field(factory=dict)
    decisions_day: str = ""
    open: Mapping[str, Reserved] = attrs.field(factory=dict)

    def of_month(self) -> Decimal:
        """Settled and open, of the month."""
        return self.spent + sum((one.amount for one in self.open.values()), ZERO)

    def of_day(self, day: str) -> Decimal:
        """Settled and open, of a day."""
        held = (one.amount for one in self.open.values() if one.day == day)
        return self.days.get(day, ZERO) + sum(held, ZERO)

    def of_agent(self, agent: str, day: str) -> Decimal:
        """Settled and open, of an agent on a day."""
        held = (one.amount for one in self.open.values() if one.agent == agent and one.day == day)
        return self.agents.get(f"{day} {agent}", ZERO) + sum(held, ZERO)

    def of_decision(self, decision_id: str) -> Decimal:
        """Settled and open, of a decision."""
        held = (one.amount for one in self.open.values() if one.decision_id == decision_id)
        settled = self.decisions.get(decision_id, ZERO) + self.decisions_before.get(decision_id, ZERO)
        return settled + sum(held, ZERO)

    def expired(self, now: dt.datetime) -> tuple[str, ...]:
        """Reservations whose processes did not settle them in time."""
        return tuple(name for name, one in self.open.items() if one.expires_at <= now)


def month_of(name: str, at: dt.datetime) -> str:
    """The key of a budget's stream at a moment (UTC), such as `main-2026-11`."""
    return f"{name}-{at:%Y-%m}"


def reserve(state: BudgetState, command: ReserveBudget) -> list[ev.Event]:
    """Take room for a call. Raises `BudgetRefused` naming the limit that has none left, `InputError`."""
    if not (command.amount.is_finite() and command.amount >= 0):
        raise InputError("amount", command.amount, "dollars of zero or more")
    if command.reservation_id in state.open:
        raise InputError("reservation_id", command.reservation_id, "a reservation that is not open already")
    day, limits = _day(command.at), command.limits
    rows = [
        ("per_request", limits.per_request, ZERO),
        ("per_day", limits.per_day, state.of_day(day)),
        ("per_month", limits.per_month, state.of_month()),
    ]
    if command.decision_id is not None:
        rows.append(("per_decision", limits.per_decision, state.of_decision(command.decision_id)))
    if command.agent is not None:
        rows.append(("per_agent_per_day", limits.per_agent_per_day, state.of_agent(command.agent, day)))
    for scope, limit, taken in rows:
        if limit is not None and taken + command.amount > limit:
            raise BudgetRefused(scope, limit, taken, command.amount)
    return [
        ev.BudgetReserved(
            budget=command.budget,
            reservation_id=command.reservation_id,
            amount=command.amount,
            at=command.at,
            expires_at=command.expires_at,
            agent=command.agent,
            decision_id=command.decision_id,
        )
    ]


def settle(state: BudgetState, command: SettleBudget) -> list[ev.Event]:
    """Put what a call cost in the place of its reservation; settling again says nothing new."""
    held = state.open.get(command.reservation_id)
    if held is None:
        return []
    amount = held.amount if command.amount is None else command.amount
    return [ev.BudgetSettled(command.budget, command.reservation_id, held.amount, amount, command.settled_by)]


def evolve(state: BudgetState | None, event: ev.Event, key: str) -> BudgetState:
    """The budget after an event."""
    state = state or BudgetState(key)
    match event:
        case ev.BudgetReserved():
            day = _day(event.at)
            held = Reserved(event.amount, day, event.expires_at, event.agent, event.decision_id)
            fresh = day > state.decisions_day
            return changed(
                state,
                open={**state.open, event.reservation_id: held},
                decisions={} if fresh else state.decisions,
                decisions_before=state.decisions if fresh else state.decisions_before,
                decisions_day=day if fresh else state.decisions_day,
            )
        case ev.BudgetSettled():
            return _settled(state, event)
        case _:
            raise InvariantViolated(f"a budget cannot hold {event.NAME}")


def _settled(state: BudgetState, event: ev.BudgetSettled) -> BudgetState:
    left = dict(state.open)
    held = left.pop(event.reservation_id)
    agents, decisions = state.agents, state.decisions
    if held.agent is not None:
        agents = _added(agents, f"{held.day} {held.agent}", event.amount)
    if held.decision_id is not None:
        decisions = _added(decisions, held.decision_id, event.amount)
    return changed(
        state,
        spent=state.spent + event.amount,
        days=_added(state.days, held.day, event.amount),
        agents=agents,
        decisions=decisions,
        open=left,
    )


def _added(sums: Mapping[str, Decimal], key: str, amount: Decimal) -> Mapping[str, Decimal]:
    return {**sums, key: sums.get(key, ZERO) + amount}


def _day(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d}"
