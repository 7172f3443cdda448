"""Random trading for the books: longs, shorts, flips, partial fills, fees, opening positions, fills reported late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs
from hypothesis import strategies as st

from tests.ledger.desk import Desk
from tradecore.books import Book, read_books
from tradecore.domain import account
from tradecore.domain.account import AccountState
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded

SYMBOLS = ("SPY", "BRK.B", "BTC/USD", "T")
OPENINGS = (("IBM", "3", "100.25"), ("SPY", "-7", "49.999999999"), ("T", "0.5", "18"))


@attrs.frozen
class Step:
    """An order with its fills. `hours` is how far the clock moves before it; below zero the fills come late."""

    side: str
    symbol: str
    strategy: str
    fills: tuple[tuple[str, str, str], ...]
    hours: int


_FILL = st.tuples(
    st.sampled_from(["1", "2", "3", "10", "0.5", "1.25", "0.000000001", "7.123456789"]),
    st.sampled_from(["10", "10.01", "9.999999999", "65000.123456789", "50"]),
    st.sampled_from(["0", "0.01", "1", "0.123456789"]),
)
STORIES = st.lists(
    st.builds(
        Step,
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(SYMBOLS),
        st.sampled_from(["a", "b"]),
        st.lists(_FILL, max_size=4).map(tuple),
        st.sampled_from([0, 0, 1, 30, -30]),
    ),
    max_size=12,
)
PINNED = st.lists(st.sampled_from(OPENINGS), unique=True)


def play(story: Sequence[Step], openings: Sequence[tuple[str, str, str]] = ()) -> Desk:
    """The desk after the story."""
    desk = Desk.in_memory()
    desk.pin(cash="100000.01", positions=openings)
    for step in story:
        desk.clock.at += dt.timedelta(hours=step.hours)
        total = sum((Decimal(quantity) for quantity, _, _ in step.fills), Decimal(1))
        order = desk.live(step.side, str(total), step.symbol, strategy=step.strategy)
        for quantity, price, fees in step.fills:
            desk.fill(order, quantity, price, fees=fees)
    return desk


def events_of(desk: Desk) -> tuple[Recorded[Event], ...]:
    """Every event."""
    return desk.ledger.journal.read(0, 1_000_000)


def book_of(desk: Desk) -> Book:
    """The books of the desk's account."""
    return read_books(desk.ledger.journal)["main"]


def accounts_by_position(desk: Desk) -> Iterator[tuple[int, AccountState]]:
    """The account as the domain has it after every event of the ledger, its own or not."""
    state = AccountState("main")
    for recorded in events_of(desk):
        if recorded.envelope.stream == "account-main":
            state = account.evolve(state, recorded.event, "main")
        yield recorded.envelope.position, state
