"""Values: what is let in, and what is not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, Inexact

import pytest

from tradecore.domain.identity import client_order_id, derived_id, order_id_of_client, parse_trace_id
from tradecore.domain.values import (
    Side,
    canonical,
    minus,
    parse_instant,
    parse_number,
    parse_positive,
    parse_symbol,
    parse_word,
    plus,
    rounded_down_to_nine,
    rounded_quotient,
    rounded_up_quotient,
    times,
)
from tradecore.errors import InputError

BAD_NUMBERS = [
    "NaN", "nan", "sNaN", "Infinity", "-inf", "1e5", "1E-9", "0x10", "", " 1", "1 ", "1,000", "１０", "١٠", "1_000",
    "--1", "+-1", ".5", "1" * 40, True, False, None, 1.5, float("nan"), b"1", [], {}, Decimal("NaN"),
    Decimal("Infinity"), Decimal("1e20"), "0.0000000001", Decimal("1e-10"), "1\n", "1\u200b", "−1",
]  # fmt: skip


@pytest.mark.parametrize("raw", BAD_NUMBERS, ids=repr)
def test_a_number_that_is_not_plain_and_finite_is_refused(raw: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_number("quantity", raw)
    assert caught.value.field == "quantity"


@pytest.mark.parametrize("raw", ["1000000000000000", 10**15, "-1000000000000000", Decimal(10**15)])
def test_a_number_is_below_ten_to_the_fifteenth(raw: object) -> None:
    with pytest.raises(InputError, match="below 1e15"):
        parse_number("quantity", raw)
    assert parse_number("quantity", "999999999999999.999999999") == Decimal("999999999999999.999999999")


@pytest.mark.parametrize("raw", ["0", "-1", "-0", 0, -5, Decimal(0), "0.000"])
def test_zero_and_below_are_not_positive(raw: object) -> None:
    with pytest.raises(InputError, match="above zero"):
        parse_positive("quantity", raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [("1.500", "1.5"), ("10", "10"), ("0.000000001", "0.000000001"), (Decimal("1E+2"), "100"), (7, "7")],
)
def test_equal_numbers_are_written_alike(raw: object, text: str) -> None:
    assert format(parse_number("quantity", raw), "f") == text


def test_negative_zero_is_zero() -> None:
    assert str(canonical(Decimal("-0.00"))) == "0"


@pytest.mark.parametrize(
    "raw", ["aapl", "AAPL ", "", "A" * 30, "AAPL\u200b", "ААPL", "A;DROP", "BRK..B", "1A", "A/B/C", None, 5, "AAPL\n"]
)
def test_a_symbol_that_brokers_do_not_write_is_refused(raw: object) -> None:
    with pytest.raises(InputError, match="symbol"):
        parse_symbol("symbol", raw)


@pytest.mark.parametrize("raw", ["AAPL", "BRK.B", "BTC/USD", "A", "X1"])
def test_symbols_as_brokers_write_them_pass(raw: str) -> None:
    assert parse_symbol("symbol", raw) == raw


def test_a_word_outside_a_closed_list_names_the_list() -> None:
    with pytest.raises(InputError, match="one of buy, sell"):
        parse_word("side", "hold", Side)


@pytest.mark.parametrize("raw", [dt.datetime(2024, 1, 1), "2024-01-01T00:00:00Z", None, dt.date(2024, 1, 1)])
def test_what_is_no_time_in_a_zone_is_refused(raw: object) -> None:
    with pytest.raises(InputError, match="time zone"):
        parse_instant("at", raw)


def test_a_time_is_told_in_utc() -> None:
    there = dt.datetime(2024, 1, 1, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    assert parse_instant("at", there) == dt.datetime(2024, 1, 1, 14, 30, tzinfo=dt.UTC)
    assert parse_instant("at", there).tzinfo is dt.UTC


def test_quotients_have_nine_places_in_the_direction_that_is_meant() -> None:
    third, two = Decimal(1), Decimal(3)
    assert rounded_up_quotient(third, two) == Decimal("0.333333334")
    assert rounded_down_to_nine(Decimal(2), two) == Decimal("0.666666666")
    assert rounded_quotient(Decimal(2), two) == Decimal("0.666666667")
    large = Decimal(123456789012345678)
    for quotient in (rounded_quotient, rounded_up_quotient, rounded_down_to_nine):
        assert quotient(large, Decimal(1)) == large, "as many places as there are, whatever this process is set to"


def test_arithmetic_that_would_round_raises_instead() -> None:
    huge = Decimal("123456789012345678901234567890.123456789")
    with pytest.raises(Inexact):
        times(huge, huge)
    assert plus(Decimal("0.1"), Decimal("0.2")) == Decimal("0.3")
    assert minus(Decimal("0.3"), Decimal("0.1")) == Decimal("0.2")
    assert rounded_quotient(Decimal(1), Decimal(3)) == Decimal("0.333333333")


def test_a_client_order_id_leads_back_to_its_order_and_to_no_other_ledger() -> None:
    order = derived_id("order", "x")
    client = client_order_id(order, "0a1b2c3d")
    assert len(client) <= 48
    assert order_id_of_client(client, "0a1b2c3d") == order
    assert order_id_of_client(client, "ffffffff") is None
    assert order_id_of_client("somebody-else", "0a1b2c3d") is None


@pytest.mark.parametrize("raw", ["", "0" * 32, "G" * 32, "a" * 31, None])
def test_a_trace_id_that_is_not_w3c_is_refused(raw: object) -> None:
    with pytest.raises(InputError):
        parse_trace_id("trace_id", raw)
