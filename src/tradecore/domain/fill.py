"""Fill: one execution that the broker confirmed. It is recorded once; a bust or a correction is a further event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.domain import events as ev
from tradecore.domain.commands import FilledSoFar, RecordFill
from tradecore.domain.evolving import changed
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import ZERO, minus, plus, times
from tradecore.errors import InputError, InvariantViolated

_LINE = "::"
_SAME_MOMENT = dt.timedelta(seconds=2)
"""How far two sources may differ in the time of one execution."""
_ROUNDING = Decimal("0.0001")
"""Dollars by which a broker may round an average price."""


@attrs.frozen(slots=False)
class FillState:
    """A fill as its events tell it. `quantity`, `price` and `fees` are what counts now; a busted fill counts nothing.

    `names` are the execution ids of the fill itself and of its corrections; `revisions` are the busts and corrections
    that counted, the last one at the end.
    """

    recorded: ev.FillRecorded
    quantity: Decimal
    price: Decimal
    fees: Decimal
    parts: tuple[ev.FillPart, ...]
    names: tuple[str, ...]
    revisions: tuple[ev.FillRevision, ...] = ()

    @property
    def revision(self) -> ev.FillRevision | None:
        """The last bust or correction."""
        return self.revisions[-1] if self.revisions else None

    @property
    def busted(self) -> bool:
        """True when nothing of the fill counts."""
        return self.revision is not None and self.revision.busts


def record(state: FillState | None, command: RecordFill, order: OrderState) -> list[ev.FillRecorded]:
    """Record an execution; a repeat, from whichever source, says nothing new. Raises `InputError`."""
    if state is not None:
        return []
    _check(command.quantity, command.price)
    if not command.cumulative_qty >= command.quantity:
        raise InputError("cumulative_qty", command.cumulative_qty, f"at least the fill's own {command.quantity}")
    return [
        ev.FillRecorded(
            fill_id=command.fill_id,
            order_id=order.order_id,
            trade_id=order.trade_id,
            account=order.account,
            broker_order_id=command.broker_order_id,
            execution_id=command.execution_id,
            symbol=order.symbol,
            side=order.side,
            quantity=command.quantity,
            price=command.price,
            cumulative_qty=command.cumulative_qty,
            fees=command.fees,
            occurred_at=command.occurred_at,
            source=command.source,
            raw=command.raw,
        )
    ]


def check_revision(revision: ev.FillRevision) -> None:
    """Raises `InputError` for a revision that cannot be meant."""
    if not revision.busts:
        _check(revision.quantity, revision.price)


def _check(quantity: Decimal, price: Decimal) -> None:
    for field, number in (("quantity", quantity), ("price", price)):
        if not (number.is_finite() and number > 0):
            raise InputError(field, number, "a number above zero")


def is_same_execution(state: FillState, command: RecordFill) -> bool:
    """Whether a message tells the execution that is recorded here, though order and quantity alone cannot say."""
    known = state.recorded
    if known.source == command.source:
        return known.execution_id == command.execution_id
    close = abs(known.occurred_at - command.occurred_at) <= _SAME_MOMENT
    return close and (known.quantity, known.price) == (command.quantity, command.price)


def choose(
    fills: tuple[FillState, ...], revision: ev.FillRevision, filled: Decimal, shown: FilledSoFar | None = None
) -> FillState | None:
    """The fill that a revision means, None when it is not recorded yet or cannot be told.

    The execution's name decides. Sources name executions differently: where the names cannot be compared, a bust means
    the first fill of the same quantity and price, a correction the one fill that brings the order to the broker's
    count. `filled` is what counts as filled of the order now; where none fits, what had been filled at its moment does.
    Where several fit, what the broker has `shown` of the order may tell them apart.
    """
    wanted = revision.previous_execution_id
    for state in fills:
        if _has_taken(state, revision):
            return state
    for state in fills:
        if wanted is not None and any(_names_agree(name, wanted) for name in state.names):
            return state
    for state in fills:
        if any(_is_told_twice(known, revision) for known in state.revisions):
            return state
    others = [
        state
        for state in fills
        if not state.busted
        and (wanted is None or state.recorded.source != revision.source or not _can_compare(state.names, wanted))
    ]
    if revision.busts:
        equal = (abs(revision.quantity), revision.price)
        return next((state for state in others if (state.quantity, state.price) == equal), None)
    fitting = _fitting(others, revision, filled)
    if not fitting:  # told before fills or busts that are recorded already: what counted then decides
        then = [state for state in fills if state.recorded.occurred_at <= revision.occurred_at]
        if any(_may_have_been_corrected(state, revision) for state in then):
            return None
        counted = ZERO
        for state in then:
            counted = plus(counted, _counted_before(state, revision))
        fitting = _fitting([state for state in others if state in then], revision, counted)
    if len(fitting) > 1 and shown is not None:
        fitting = _explaining(fitting, fills, revision, shown)
    return fitting[0] if len(fitting) == 1 else None


def _counted_before(state: FillState, revision: ev.FillRevision) -> Decimal:
    """What counted of a fill at the moment of a revision: what was taken back later did count then."""
    later = state.revision
    if later is not None and later.busts and later.occurred_at > revision.occurred_at:
        return abs(later.quantity)
    return state.quantity


def _may_have_been_corrected(state: FillState, revision: ev.FillRevision) -> bool:
    """Whether a fill that was taken back after the revision had other numbers by then than are recorded of it."""
    later = state.revision
    return later is not None and later.busts and later.occurred_at > revision.occurred_at and later.price != state.price


def _fitting(states: list[FillState], revision: ev.FillRevision, filled: Decimal) -> list[FillState]:
    """Those whose correction brings what is filled to the broker's count."""
    return [
        state for state in states if plus(minus(filled, state.quantity), revision.quantity) == revision.cumulative_qty
    ]


def is_moot(filled: Decimal, value: Decimal, awaited: Iterable[ev.FillRevision], shown: FilledSoFar) -> bool:
    """Whether no money hangs on what is awaited: busts of executions that no book has, and both books agree.

    `filled` and `value` are what counts of the order. A bust may come before its execution, or without it for good.
    """
    agrees = filled == shown.quantity and abs(minus(value, times(filled, shown.price))) <= times(filled, _ROUNDING)
    return agrees and all(told.busts for told in awaited)


def _explaining(
    fitting: list[FillState], fills: tuple[FillState, ...], revision: ev.FillRevision, shown: FilledSoFar
) -> list[FillState]:
    """The one whose correction makes the order's average what the broker shows; none when that can be otherwise."""
    agreeing: list[FillState | None] = []
    for chosen in (*fitting, None):  # the broker may not have counted the correction
        count = value = ZERO
        for state in fills:
            is_chosen = state is chosen
            quantity = revision.quantity if is_chosen else state.quantity
            count = plus(count, quantity)
            value = plus(value, times(quantity, revision.price if is_chosen else state.price))
        if count == shown.quantity and abs(minus(value, times(count, shown.price))) < times(count, _ROUNDING):
            agreeing.append(chosen)
    return [state for state in agreeing if state is not None] if len(agreeing) == 1 else []


def _has_taken(state: FillState, revision: ev.FillRevision) -> bool:
    """Whether the fill has this very revision already: the record is read with an overlap, so it comes again."""
    known = (*state.names, *((state.revision.execution_id,) if state.revision else ()))
    return any(_names_agree(name, revision.execution_id) for name in known)


def _is_told_twice(known: ev.FillRevision, told: ev.FillRevision) -> bool:
    """Whether another source told this revision already."""
    if known.source == told.source or abs(known.occurred_at - told.occurred_at) > _SAME_MOMENT:
        return False
    return (known.busts, abs(known.quantity), known.price) == (told.busts, abs(told.quantity), told.price)


def _names_agree(name: str, wanted: str) -> bool:
    """An activity's id ends in the execution's where the broker made it so (`20240102093000000::<execution>`)."""
    return name == wanted or name.endswith(f"{_LINE}{wanted}") or wanted.endswith(f"{_LINE}{name}")


def _can_compare(names: tuple[str, ...], wanted: str) -> bool:
    """Whether a name is of the form of the others: the record has ids of its own and may refer to executions by theirs.

    `20240102093000000::<id>` is a line of the record, `<id>` alone an execution.
    """
    return any((_LINE in name) == (_LINE in wanted) for name in names)


def is_news(state: FillState, revision: ev.FillRevision) -> bool:
    """Whether a revision still counts: not when the fill is busted, or was revised later by the broker's clock.

    A correction that changes no number counts too: the next one may go by its name. Sources round their times, so the
    same one told by another may seem later.
    """
    known = state.revision
    if state.busted or known is None:
        return not state.busted
    return revision.occurred_at > known.occurred_at and not _is_told_twice(known, revision)


def bust(state: FillState, revision: ev.FillRevision) -> ev.FillBusted:
    """The event of a fill that did not happen."""
    known = state.recorded
    return ev.FillBusted(
        known.fill_id, known.order_id, known.account, known.symbol, known.side,
        state.quantity, state.price, state.fees, revision,
    )  # fmt: skip


def correct(state: FillState, revision: ev.FillRevision, parts: tuple[ev.FillPart, ...]) -> ev.FillCorrected:
    """The event of a fill that happened otherwise."""
    known = state.recorded
    return ev.FillCorrected(
        known.fill_id, known.order_id, known.account, known.symbol, known.side,
        state.quantity, state.price, state.fees,
        revision.quantity, revision.price, revision.fees, parts, revision,
    )  # fmt: skip


def evolve(state: FillState | None, event: ev.Event) -> FillState:
    """The fill after an event."""
    if isinstance(event, ev.FillRecorded):
        assert state is None, "a fill is recorded once"
        return FillState(event, event.quantity, event.price, event.fees, event.parts, (event.execution_id,))
    assert state is not None, "a fill is recorded before it is revised"
    match event:
        case ev.FillBusted():
            return changed(state, quantity=ZERO, fees=ZERO, parts=(), revisions=(*state.revisions, event.revision))
        case ev.FillCorrected():
            return changed(
                state,
                quantity=event.quantity,
                price=event.price,
                fees=event.fees,
                parts=event.parts,
                names=(*state.names, event.revision.execution_id),
                revisions=(*state.revisions, event.revision),
            )
        case _:
            raise InvariantViolated(f"a fill cannot hold {event.NAME}")
