"""The exchange keeps the hours of New York, holidays and half days too."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.exchange.play import Play
from tradecore.domain.values import Bar
from tradecore_bars import seeded_bars
from tradecore_exchange import ExchangeServer, Floor

INDEPENDENCE = dt.date(2024, 7, 3)


def bar(text: str) -> Bar:
    price = Decimal(100)
    return Bar("AAPL", dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC), price, price, price, price, Decimal(9))


def test_the_calendar_has_half_days_and_no_holidays(shared: Play) -> None:
    days = shared.get("/v2/calendar", start="2024-07-03", end="2024-07-08")
    assert days[0] == {
        "date": "2024-07-03",
        "open": "09:30",
        "close": "13:00",
        "session_open": "0400",
        "session_close": "1700",
        "settlement_date": "2024-07-05",
    }
    assert [(day["date"], day["close"], day["session_close"]) for day in days[1:]] == [
        ("2024-07-05", "16:00", "2000"),
        ("2024-07-08", "16:00", "2000"),
    ]


def test_a_day_order_ends_with_the_half_day_and_the_clock_says_when_it_goes_on() -> None:
    bars = [bar("2024-07-03T16:58"), bar("2024-07-03T16:59"), bar("2024-07-05T13:30")]
    with ExchangeServer(Floor(["AAPL"], bars, source="half day")) as server, Play(server) as play:
        play.advance()
        assert play.post(type="limit", limit_price="1").json()["expires_at"] == "2024-07-03T17:00:00Z"
        clock = play.get("/v2/clock")
        assert clock["is_open"]
        assert clock["next_close"] == "2024-07-03T13:00:00-04:00"
        assert clock["next_open"] == "2024-07-05T09:30:00-04:00"
        play.advance()
        assert not play.get("/v2/clock")["is_open"]
        assert [order["status"] for order in play.judge()["orders"]] == ["expired"]
        waiting = play.post(client_order_id="waiting").json()
        assert (waiting["status"], waiting["expires_at"]) == ("accepted", "2024-07-05T20:00:00Z")
        play.advance()
        assert play.judge()["orders"][1]["status"] == "filled"


def test_a_seeded_market_trades_on_sessions_only() -> None:
    bars = list(seeded_bars(["AAPL"], 3, 7, start=INDEPENDENCE))
    assert sorted({one.start.date() for one in bars}) == [dt.date(2024, 7, day) for day in (3, 5, 8)]
    assert len(bars) == 210 + 390 + 390
