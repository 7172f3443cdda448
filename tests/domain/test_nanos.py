"""Numbers in whole billionths and back are the same numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tradecore.domain.nanos import from_nanos, instant, nanoseconds, rounded_nanos, to_nanos
from tradecore.errors import InputError


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0"),
        (1_000_000_010, "1.00000001"),
        (-3, "-0.000000003"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (1_000_000_000, "1"),
        (-2_000_000_000, "-2"),
        (1_500_000_000, "1.5"),
        (-1_500_000_000, "-1.5"),
        (10_000_000_000_000, "10000"),
        (123_456_789_012, "123.456789012"),
        (999_999_999, "0.999999999"),
    ],
)
def test_there_and_back(nanos: int, text: str) -> None:
    assert format(from_nanos(nanos), "f") == text
    assert to_nanos("price", Decimal(text)) == nanos


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "0.0000000001", "1.0000000005"])
def test_what_has_no_billionths_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(InputError) as raised:
        to_nanos("limit_price", Decimal(text))
    assert (raised.value.field, raised.value.value) == ("limit_price", str(Decimal(text)))


def test_halves_are_rounded_to_the_even_one() -> None:
    numbers = ("0.0000000005", "0.0000000015", "0.0000000025", "-0.0000000015", "2.00000000051")
    assert [rounded_nanos(Decimal(number)) for number in numbers] == [0, 2, 2, -2, 2_000_000_001]


def test_times_there_and_back() -> None:
    at = dt.datetime(2024, 1, 2, 14, 30, 0, 123_456, tzinfo=dt.UTC)
    assert nanoseconds(at) == 1_704_205_800_123_456_000
    assert instant(nanoseconds(at) + 999) == at
