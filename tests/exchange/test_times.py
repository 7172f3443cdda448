"""How long orders live, the two auctions, and the hours outside the regular ones; on the core alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.exchange.core_play import (
    DAY_MINUTES,
    MINUTE,
    OPEN,
    bar,
    entered,
    exchange_with,
    fills,
    flat,
    no,
    quote,
    wish,
)
from tradecore_exchange import AssetTerms, Exchange, Submitted
from tradecore_exchange.instants import nanoseconds
from tradecore_exchange.sessions import NEW_YORK

Ten = Decimal(10)


def new_york(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def at(text: str, **options: object) -> Exchange:
    """An exchange at a time of New York."""
    return exchange_with(new_york(text), **options)


def minute_of(text: str) -> int:
    return (new_york(text) - OPEN) // MINUTE


OPG = "opg orders must be submitted after 7:00pm and before 9:28am"
CLS = "cls orders must be submitted after 7:00pm and before 3:50pm"


@pytest.mark.parametrize(
    ("time", "tif", "message"),
    [
        ("2024-01-03 09:27:59", "opg", None),
        ("2024-01-03 09:28:00", "opg", OPG),
        ("2024-01-03 12:00:00", "opg", OPG),
        ("2024-01-03 18:59:59", "opg", OPG),
        ("2024-01-03 19:00:00", "opg", None),
        ("2024-01-06 12:00:00", "opg", None),
        ("2024-01-03 15:49:59", "cls", None),
        ("2024-01-03 15:50:00", "cls", CLS),
        ("2024-01-03 18:59:59", "cls", CLS),
        ("2024-01-03 19:00:00", "cls", None),
        ("2024-01-06 15:55:00", "cls", None),
    ],
)
@pytest.mark.parametrize("limit", [None, "10"])
def test_orders_for_the_auctions_are_taken_in_their_windows(
    time: str, tif: str, message: str | None, limit: str | None
) -> None:
    exchange = at(time)
    outcome = exchange.submit(wish(tif=tif, limit=limit))
    if message is None:
        assert isinstance(outcome, Submitted)
    else:
        assert no(outcome) == (422, 42210000, message)


def test_an_exchange_that_is_always_open_takes_them_at_any_time() -> None:
    exchange = at("2024-01-03 12:00:00", always_open=True)
    entered(exchange, wish(tif="opg"))


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, ["new", "fill"]), ("10", ["new", "fill"]), ("9.50", ["new", "canceled"])]
)
def test_the_opening_auction_trades_at_the_open_or_never(limit: str | None, expected: list[str]) -> None:
    exchange = at("2024-01-03 08:00:00")
    order = entered(exchange, wish(tif="opg", limit=limit))
    assert (order.status, order.expires_ns) == ("accepted", nanoseconds(new_york("2024-01-03 16:00")))
    assert exchange.on_bar(flat(minute_of("2024-01-03 08:00"))) == []
    updates = exchange.on_bar(bar(minute_of("2024-01-03 09:30")))
    assert [update.event for update in updates] == expected
    assert fills(updates) == ([("fill", Ten, Ten)] if "fill" in expected else [])


def test_an_order_for_an_opening_that_never_comes_expires_at_the_close() -> None:
    exchange = at("2024-01-03 08:00:00")
    entered(exchange, wish(tif="opg"))
    updates = exchange.on_bar(flat(minute_of("2024-01-03 16:30"), symbol="MSFT"))
    assert [update.event for update in updates] == ["expired"]


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, ["fill"]), ("10.40", ["fill"]), ("10.39", ["canceled"]), ("9", ["canceled"])]
)
def test_the_closing_auction_trades_at_the_last_price_or_never(limit: str | None, expected: list[str]) -> None:
    exchange = exchange_with()
    entered(exchange, wish(tif="cls", limit=limit))
    assert exchange.on_bar(bar(1, low="5")) == []
    assert exchange.on_bar(bar(388)) == []
    updates = exchange.on_bar(bar(389, close="10.40"))
    assert [update.event for update in updates] == expected
    assert fills(updates) == ([("fill", Ten, Decimal("10.40"))] if expected == ["fill"] else [])


def test_the_closing_auction_takes_the_last_price_even_when_the_last_minutes_were_silent() -> None:
    exchange = exchange_with()
    entered(exchange, wish(tif="cls"))
    exchange.on_bar(flat(100, "11"))
    (fill,) = exchange.on_bar(flat(500))
    assert (fill.event, fill.price) == ("fill", Decimal(11))
    assert fill.at_ns // 1_000_000_000 == nanoseconds(new_york("2024-01-02 16:00")) // 1_000_000_000


def test_without_a_price_of_the_day_there_is_no_closing_auction() -> None:
    exchange = exchange_with()
    exchange.on_bar(flat())
    exchange.on_bar(flat(700))
    entered(exchange, wish(tif="cls"))
    updates = exchange.on_bar(flat(minute_of("2024-01-03 16:00"), symbol="MSFT"))
    assert [update.event for update in updates][-1] == "canceled"


def test_a_quote_does_not_trade_with_an_order_for_the_close() -> None:
    exchange = exchange_with()
    entered(exchange, wish(tif="cls"))
    assert exchange.on_quote(quote()) == []


@pytest.mark.parametrize(
    ("time", "tif", "extended", "end"),
    [
        ("2024-01-02 12:00", "day", False, "2024-01-02 16:00"),
        ("2024-01-02 16:00", "day", False, "2024-01-03 16:00"),
        ("2024-01-05 17:00", "day", False, "2024-01-08 16:00"),
        ("2024-01-02 12:00", "day", True, "2024-01-02 20:00"),
        ("2024-01-02 20:30", "day", True, "2024-01-03 20:00"),
        ("2024-01-02 12:00", "gtc", False, "2024-04-01 16:15"),
        ("2024-01-02 12:00", "cls", False, "2024-01-02 16:00"),
    ],
)
def test_each_time_in_force_has_its_end(time: str, tif: str, extended: bool, end: str) -> None:
    order = entered(at(time), wish(tif=tif, limit="5", extended=extended))
    assert order.expires_ns == nanoseconds(new_york(end))


def test_orders_of_the_moment_have_no_end() -> None:
    assert entered(exchange_with(), wish(tif="ioc", limit="5")).expires_ns is None
    assert entered(exchange_with(), wish(tif="fok", limit="5")).expires_ns is None


def test_a_gtc_order_is_canceled_after_ninety_days() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(tif="gtc", limit="5"))
    exchange.on_bar(flat(minute_of("2024-04-01 15:59")))
    assert order.is_open
    assert [update.event for update in exchange.on_bar(flat(minute_of("2024-04-02 09:30")))] == ["canceled"]


@pytest.mark.parametrize(
    ("time", "extended", "trades"),
    [
        ("2024-01-03 04:00", True, True),
        ("2024-01-03 03:59", True, True),
        ("2024-01-02 20:00", True, True),
        ("2024-01-02 19:59", True, True),
        ("2024-01-02 16:00", True, True),
        ("2024-01-02 16:00", False, False),
        ("2024-01-03 09:29", False, False),
        ("2024-01-03 09:30", False, True),
        ("2024-01-05 19:59", True, True),
        # From Friday evening to Sunday evening nothing trades.
        ("2024-01-05 20:00", True, False),
        ("2024-01-06 12:00", True, False),
        ("2024-01-07 19:59", True, False),
        ("2024-01-07 20:00", True, True),
        ("2024-01-08 02:00", True, True),
    ],
)
@pytest.mark.parametrize("tif", ["day", "gtc"])
def test_the_sessions_of_a_day_and_who_trades_in_them(time: str, extended: bool, trades: bool, tif: str) -> None:
    exchange = at(time)
    order = entered(exchange, wish(limit="10", extended=extended, tif=tif))
    assert order.status == ("new" if trades else "accepted")
    assert bool(fills(exchange.on_bar(flat(minute_of(time))))) is trades


def test_an_asset_without_nights_waits_for_the_morning() -> None:
    exchange = at("2024-01-02 20:00", assets={"AAPL": AssetTerms(overnight_tradable=False)})
    order = entered(exchange, wish(limit="10", extended=True))
    exchange.on_bar(flat(minute_of("2024-01-03 03:00")))
    assert order.status == "accepted"
    assert fills(exchange.on_bar(flat(minute_of("2024-01-03 04:00")))) == [("fill", Ten, Ten)]


def test_an_extended_hours_order_trades_in_the_regular_hours_too() -> None:
    exchange = exchange_with()
    entered(exchange, wish(limit="10", extended=True))
    assert fills(exchange.on_bar(flat())) == [("fill", Ten, Ten)]


@pytest.mark.parametrize(
    "request_",
    [
        wish(extended=True),
        wish(stop="12", extended=True),
        wish(stop="12", limit="12", extended=True),
        wish(trail="1", extended=True),
        wish(limit="10", tif="ioc", extended=True),
        wish(limit="10", tif="fok", extended=True),
        wish(limit="10", tif="opg", extended=True),
        wish(limit="10", tif="cls", extended=True),
    ],
)
def test_extended_hours_are_for_day_and_gtc_limits(request_: object) -> None:
    assert no(exchange_with().submit(request_)) == (  # type: ignore[arg-type]
        422,
        42210000,
        "extended hours order must be DAY or GTC limit orders",
    )


def test_fractions_trade_in_extended_hours() -> None:
    exchange = at("2024-01-03 08:00")
    entered(exchange, wish(qty="0.5", limit="10", extended=True))
    assert fills(exchange.on_bar(flat(minute_of("2024-01-03 08:00")))) == [("fill", Decimal("0.5"), Ten)]


def test_a_day_order_at_the_weekend_waits_for_monday() -> None:
    exchange = at("2024-01-06 12:00")
    order = entered(exchange, wish())
    assert order.status == "accepted"
    assert exchange.on_bar(flat(5 * DAY_MINUTES)) == []
    assert fills(exchange.on_bar(flat(6 * DAY_MINUTES))) == [("fill", Ten, Ten)]
