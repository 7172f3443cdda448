"""Recorded objects become values without a digit lost or a word guessed."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alpaca.recorded import ACCOUNT, FILL, ORDER, POSITION
from tradecore.domain.values import OrderStatus, Side
from tradecore.errors import ProtocolError
from tradecore.ports.broker import BrokerFill, BrokerOrder, BrokerPosition
from tradecore_alpaca.bar import decode_bar
from tradecore_alpaca.decode import (
    decode_account,
    decode_asset,
    decode_fill_activity,
    decode_position,
    in_ledger_spelling,
)
from tradecore_alpaca.json_text import instant, number, read
from tradecore_alpaca.order_json import decode_order
from tradecore_alpaca.trade_update import read_report


def text(value: object) -> bytes:
    return json.dumps(value).encode()


def test_order() -> None:
    raw = text(ORDER)
    assert decode_order(raw) == BrokerOrder(
        broker_order_id="f1a08ee3-8b15-4d31-b04b-944f30a06604",
        client_order_id="tc-1",
        symbol="KO",
        side=Side.BUY,
        quantity=None,
        order_type="market",
        status=OrderStatus.FILLED,
        filled_qty=Decimal("0.057436865"),
        filled_avg_price=Decimal("86.878"),
        updated_at=dt.datetime(2026, 10, 8, 15, 10, 18, 98304, tzinfo=dt.UTC),
        raw=raw.decode(),
        notional=Decimal(5),
        time_in_force="day",
        order_class="simple",
    )


@pytest.mark.parametrize(
    "word",
    [
        "pending_new", "accepted", "new", "partially_filled", "held", "pending_cancel", "pending_replace", "stopped",
        "suspended", "done_for_day", "calculated", "filled", "canceled", "expired", "rejected", "replaced",
    ],
)  # fmt: skip
def test_status_words(word: str) -> None:
    assert decode_order(text({**ORDER, "status": word})).status == word


@pytest.mark.parametrize(
    "word", ["pending_review", "accepted_for_bidding", "", "FILLED", "planned", "unknown", "queued"]
)
def test_words_that_the_ledger_does_not_know_stay_raw(word: str) -> None:
    """Also our own words: a broker cannot say `planned`."""
    order = decode_order(text({**ORDER, "status": word}))
    assert order.status is None
    assert f'"status": "{word}"' in order.raw


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"qty": "1"}, "quantity", Decimal(1)),
        ({"qty": "1.000000000"}, "quantity", Decimal(1)),
        ({"qty": 10}, "quantity", Decimal(10)),
        ({"filled_qty": None}, "filled_qty", Decimal(0)),
        ({"filled_avg_price": None}, "filled_avg_price", None),
        ({"filled_avg_price": "86.87812345678901234"}, "filled_avg_price", Decimal("86.87812345678901234")),
        ({"side": "sell_short"}, "side", Side.SELL),
        ({"type": None}, "order_type", "market"),
        ({"type": "trailing_stop"}, "order_type", "trailing_stop"),
        ({"updated_at": None}, "updated_at", dt.datetime(2026, 10, 8, 15, 10, 18, 94153, tzinfo=dt.UTC)),
        ({"asset_class": "ipo", "order_class": "new_class", "novel": [1]}, "symbol", "KO"),
    ],
)
def test_order_fields(changes: dict[str, Any], field: str, value: object) -> None:
    assert getattr(decode_order(text({**ORDER, **changes})), field) == value


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None}, {"id": ""}, {"id": 1}, {"symbol": ""}, {"side": ""}, {"side": "both"}, {"qty": "NaN"},
        {"qty": "Infinity"}, {"qty": "1e999"}, {"qty": "1_000"}, {"qty": " 1"}, {"qty": "١"}, {"qty": True},
        {"qty": ""}, {"qty": []}, {"filled_qty": "-"}, {"filled_qty": "0x1"}, {"status": None},
        {"client_order_id": None}, {"updated_at": "yesterday"}, {"updated_at": "2026-10-08T15:10:18"},
        {"updated_at": "2026-13-08T15:10:18Z"}, {"type": None, "order_type": None},
        {"updated_at": None, "submitted_at": None, "created_at": None}, {"qty": None, "notional": None},
    ],
)  # fmt: skip
def test_orders_that_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        decode_order(text({**ORDER, **changes}))


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_literals_that_are_not_json(literal: str) -> None:
    with pytest.raises(ProtocolError):
        decode_order(text(ORDER).replace(b'"0.057436865"', literal.encode()))


def test_fill_activity() -> None:
    raw = text(FILL)
    assert decode_fill_activity(raw) == BrokerFill(
        broker_order_id="f1a08ee3-8b15-4d31-b04b-944f30a06604",
        client_order_id=None,
        execution_id="20261008111018097::fc1f73e1-a5c2-4d43-81ec-fb503c42ca5c",
        symbol="KO",
        side=Side.BUY,
        quantity=Decimal("0.057436865"),
        price=Decimal("86.878"),
        cumulative_qty=Decimal("0.057436865"),
        fees=Decimal(0),
        occurred_at=dt.datetime(2026, 10, 8, 15, 10, 18, 97465, tzinfo=dt.UTC),
        source="activities",
        raw=raw.decode(),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"activity_type": "DIV"}, {"id": ""}, {"order_id": None}, {"qty": "0"}, {"qty": "-1"}, {"price": "-1"},
        {"price": None}, {"cum_qty": "0.01"}, {"cum_qty": None}, {"side": "?"}, {"symbol": ""},
        {"transaction_time": None},
    ],
)  # fmt: skip
def test_fills_that_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        decode_fill_activity(text({**FILL, **changes}))


def test_position() -> None:
    assert decode_position(text(POSITION)) == BrokerPosition(
        "KO", Decimal("0.557436865"), Decimal("86.879891"), Decimal("86.88")
    )


@pytest.mark.parametrize(("qty", "side", "signed"), [("-3", "short", -3), ("3", "short", -3), ("3", None, 3)])
def test_short_positions_are_negative(qty: str, side: str | None, signed: int) -> None:
    assert decode_position(text({**POSITION, "qty": qty, "side": side})).quantity == signed


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("BTCUSD", "BTC/USD"),
        ("USDTUSD", "USDT/USD"),
        ("ETHUSDT", "ETH/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("X/USD", "X/USD"),
    ],
)
def test_crypto_positions_are_spelt_as_orders(told: str, ours: str) -> None:
    assert in_ledger_spelling(told, "crypto") == ours
    assert in_ledger_spelling(told, "us_equity") == told
    assert decode_position(text({**POSITION, "symbol": told, "asset_class": "crypto"})).symbol == ours


def test_account() -> None:
    account = decode_account(text(ACCOUNT), paper=True)
    assert (account.account_id, account.currency, account.paper) == (ACCOUNT["id"], "USD", True)
    assert (account.cash, account.equity) == (Decimal("100005.83"), Decimal("100005.83"))
    assert not account.trading_blocked


@pytest.mark.parametrize("flag", ["trading_blocked", "account_blocked", "trade_suspended_by_user"])
def test_any_block_blocks(flag: str) -> None:
    assert decode_account(text({**ACCOUNT, flag: True}), paper=True).trading_blocked


@pytest.mark.parametrize(
    "changes", [{"id": ""}, {"cash": None}, {"equity": "Infinity"}, {"currency": None}, {"trading_blocked": "no"}]
)
def test_accounts_that_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        decode_account(text({**ACCOUNT, **changes}), paper=True)


def test_bar_keeps_every_digit() -> None:
    raw = b'{"t":"2026-10-08T13:30:00Z","o":0.1,"h":86.87800000000001,"l":1e-07,"c":3,"v":1234.0,"n":3,"vw":1.5}'
    bar = decode_bar("KO", raw)
    assert (bar.open, bar.high, bar.low) == (Decimal("0.1"), Decimal("86.87800000000001"), Decimal("0.0000001"))
    assert (bar.close, str(bar.volume)) == (Decimal(3), "1234")


@pytest.mark.parametrize(
    "swap", [(b'"h":3', b'"h":1'), (b'"l":1', b'"l":3'), (b'"l":1', b'"l":0'), (b'"v":1', b'"v":-1')]
)
def test_bars_that_are_none(swap: tuple[bytes, bytes]) -> None:
    good = b'{"t":"2026-10-08T13:30:00Z","o":2,"h":3,"l":1,"c":2,"v":1}'
    decode_bar("KO", good)
    with pytest.raises(ProtocolError):
        decode_bar("KO", good.replace(*swap))


@pytest.mark.parametrize(
    ("told", "micros"),
    [
        ("2026-10-08T15:10:18Z", 0),
        ("2026-10-08T15:10:18.1Z", 100_000),
        ("2026-10-08T15:10:18.999999999Z", 999_999),
        ("2026-10-08T11:10:18.000001-04:00", 1),
        ("2026-10-08t15:10:18.5+00:00", 500_000),
    ],
)
def test_times_are_cut_never_rounded(told: str, micros: int) -> None:
    assert instant("t", told) == dt.datetime(2026, 10, 8, 15, 10, 18, micros, tzinfo=dt.UTC)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=9))
def test_numbers_are_exact_quoted_or_not(value: Decimal) -> None:
    for told in (f"{value:f}", f'"{value:f}"'):
        assert number("n", msgspec.Raw(told.encode())) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_more_than_raise_a_protocol_error(data: bytes) -> None:
    for decode in (decode_order, decode_fill_activity, decode_position, decode_asset):
        with pytest.raises(ProtocolError):
            decode(data)
    read_report(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(ORDER)), JSON)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: object) -> None:
    """What is read is finite, and the raw text is the text that came."""
    raw = text({**ORDER, field: value})
    try:
        order = decode_order(raw)
    except ProtocolError:
        return
    assert order.raw.encode() == raw
    for found in attrs.asdict(order).values():
        assert not isinstance(found, Decimal) or found.is_finite()


def test_deep_nesting_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        read(b'{"id":' + b"[" * 100_000, dict)
