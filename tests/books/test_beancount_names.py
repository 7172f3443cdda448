"""Names in beancount are valid, apart from each other, and lead back."""

from __future__ import annotations

import re

import pytest
from beancount.core import account as beancount_account
from beancount.core import amount as beancount_amount
from hypothesis import given
from hypothesis import strategies as st

from tradecore.books import beancount_names as names
from tradecore.errors import InputError

SYMBOLS = st.from_regex(r"\A[A-Z][A-Z0-9]{0,11}([./-][A-Z0-9]{1,8})?\Z") | st.text(min_size=1, max_size=8)
TRICKY = st.lists(st.sampled_from(["S", "-", ".", "'", "dot", "u", "2", "_", "/", "é"]), min_size=1).map("".join)


@given(SYMBOLS | TRICKY)
def test_a_symbol_comes_back_from_its_commodity(symbol: str) -> None:
    written = names.commodity(symbol, {"USD"})
    assert names.symbol_of_commodity(written) == symbol
    assert re.fullmatch(beancount_amount.CURRENCY_RE, written)
    assert written not in {"USD", "TRUE", "FALSE", "NULL"}


@given(SYMBOLS | TRICKY)
def test_a_symbol_comes_back_from_its_account(symbol: str) -> None:
    written = names.component(symbol)
    assert names.name_of_component(written) == symbol
    assert beancount_account.is_valid(f"Assets:{names.trading_account(symbol)}:Securities:{written}")


@pytest.mark.parametrize(
    ("symbol", "commodity", "component"),
    [
        ("SPY", "SPY", "SPY"),
        ("BRK.B", "BRK.B", "BRK-dot-B"),
        ("BTC/USD", "BTC_USD", "BTC-slash-USD"),
        ("BF-B", "BF-B", "BF-hyphen-B"),
        ("USD", "S'USD", "USD"),
        ("TRUE", "S'TRUE", "TRUE"),
        ("aapl", "S''000061'000061'000070'00006C", "S--u61-apl"),
    ],
)
def test_names_are_as_documented(symbol: str, commodity: str, component: str) -> None:
    assert names.commodity(symbol, {"USD"}) == commodity
    assert names.component(symbol) == component


@pytest.mark.parametrize("currency", ["", "usd", "U", "US D", "€"])
def test_a_currency_that_beancount_cannot_read_is_refused(currency: str) -> None:
    with pytest.raises(InputError, match="capital letters"):
        names.currency(currency)
