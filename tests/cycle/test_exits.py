"""Stop, target and horizon of a decision, by the bars since the entry."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs
import pytest
from msgspec.structs import replace

from tests.cycle.test_validation import BUY
from tradecore.cycle.exits import due_exit
from tradecore.domain.judgement import Stance
from tradecore.domain.values import Bar
from tradecore.ports.agent import Standing

D = Decimal
NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)
HELD = Standing(D(7), D(0), D(100), D(100_000), "", NOON)
ENTRY = replace(BUY, stop_price=D(95), target_price=D(110), horizon_s=600)


def bars(*ranges: tuple[int, int], first: int = 0) -> list[Bar]:
    """One bar a minute from noon (or so many minutes after it), by their lows and highs."""
    return [
        Bar("SPY", NOON + dt.timedelta(minutes=first + number), D(low), D(high), D(low), D(high), D(1))
        for number, (low, high) in enumerate(ranges)
    ]


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (bars((99, 101)), None),
        (bars((95, 101)), "stop"),
        (bars((99, 110)), "target"),
        (bars((94, 111)), "stop"),
        (bars((90, 101), (99, 101)), "stop"),
        (bars((90, 120), first=-5), None),
        (bars((99, 101), first=8), None),
        (bars((99, 101), first=9), "horizon"),
        ([], None),
    ],
)
def test_what_is_due_follows_from_the_bars_since_the_entry(seen: list[Bar], rule: str | None) -> None:
    due = due_exit(ENTRY, HELD, seen)
    assert (None if due is None else due.rule) == rule
    assert due is None or due.stance is Stance.SELL


def test_without_a_position_or_a_word_of_it_nothing_is_due() -> None:
    hit = bars((90, 120))
    assert due_exit(None, HELD, hit) is None
    assert due_exit(ENTRY, attrs.evolve(HELD, held=D(0)), hit) is None
    assert due_exit(replace(ENTRY, stop_price=None, target_price=None, horizon_s=None), HELD, hit) is None
