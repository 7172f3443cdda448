"""Random trading: commands in any order, sensible or not. What the domain refuses is simply not done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.errors import InputError, InvariantViolated, RefusedError

Step = Callable[[Desk, list[str]], object]

_QUANTITY = st.sampled_from(["1", "2", "3", "0.5", "1.25"])
_PRICE = st.sampled_from(["10", "10.01", "9.999999999", "11"])
_NUMBER = st.integers(0, 5)


def _place(side: str, qty: str, symbol: str, strategy: str, upto: int) -> Step:
    """Place, then perhaps send, answer, ask for a cancel and send that."""
    then: tuple[Callable[[Desk, str], object], ...] = (
        lambda desk, order: desk.send(order),
        lambda desk, order: desk.answer(order),
        lambda desk, order: desk.give(cmd.CancelOrder(order, "by hand")),
        lambda desk, order: desk.give(cmd.StartCancel(order, "lease-1")),
    )

    def step(desk: Desk, orders: list[str]) -> None:
        order = desk.place(side, qty, symbol, strategy=strategy)
        if desk.ledger.order(order) is not None:
            orders.append(order)
            for act in then[:upto]:
                act(desk, order)

    return step


def _to_order(number: int, act: Callable[[Desk, str], object]) -> Step:
    return lambda desk, orders: act(desk, orders[number % len(orders)]) if orders else None


def _fill(number: int, qty: str, price: str) -> Step:
    return _to_order(number, lambda desk, order: desk.fill(order, qty, price, fees="0.01"))


def _report(number: int, status: str, filled: str, at: int) -> Step:
    return _to_order(number, lambda desk, order: desk.report(order, status, filled, at))


_SIMPLE: list[Callable[[Desk, str], object]] = [
    lambda desk, order: desk.send(order),
    lambda desk, order: desk.answer(order),
    lambda desk, order: desk.give(cmd.RecordNotSent(order, "no route")),
    lambda desk, order: desk.give(cmd.RecordUnknown(order, "timed out")),
    lambda desk, order: desk.give(cmd.RecordRejection(order, "403", "no", "{}")),
    lambda desk, order: desk.give(cmd.WithdrawOrder(order, "stale")),
    lambda desk, order: desk.give(cmd.CancelOrder(order, "by hand")),
    lambda desk, order: desk.give(cmd.StartCancel(order, "lease-1")),
    lambda desk, order: desk.give(cmd.RecordCancelAnswer(order, True, "")),
    lambda desk, order: desk.give(cmd.RecordCancelAnswer(order, False, "too late")),
]

STEPS = st.lists(
    st.one_of(
        st.builds(
            _place,
            st.sampled_from(["buy", "sell"]),
            _QUANTITY,
            st.sampled_from(["SPY", "IBM"]),
            st.sampled_from("ab"),
            st.integers(0, 4),
        ),
        st.builds(_to_order, _NUMBER, st.sampled_from(_SIMPLE)),
        st.builds(_fill, _NUMBER, _QUANTITY, _PRICE),
        st.builds(
            _report,
            _NUMBER,
            st.sampled_from(["new", "pending_cancel", "canceled", "expired", "replaced", "rejected"]),
            st.sampled_from(["0", "1"]),
            st.integers(0, 3),
        ),
    ),
    min_size=5,
    max_size=40,
)


def play(desk: Desk, steps: list[Step]) -> list[str]:
    """Take the steps; returns the orders that passed the gate."""
    desk.pin(cash="1000", positions=[("IBM", "2", "9")])
    desk.limit(qty="2.5")
    orders: list[str] = []
    for step in steps:
        filled = dict(desk.filled)
        try:
            with suppress(RefusedError):
                step(desk, orders)
        except (InputError, InvariantViolated):
            desk.filled = filled  # an execution beyond the order's quantity did not happen
    return orders
