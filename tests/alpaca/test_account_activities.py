"""Dividends, fees, interest, money in and out, splits: read to the end, in order, nothing guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.alpaca.scripted_http import Play, Request, reply
from tests.alpaca.standing import Standing
from tradecore.errors import ProtocolError
from tradecore.ports.broker import ActivityKind

pytestmark = pytest.mark.anyio

K = ActivityKind
SINCE = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
DIVIDEND: dict[str, Any] = {
    "activity_type": "DIV",
    "id": "20261008000000000::3b2f",
    "date": "2026-10-08",
    "net_amount": "1.02",
    "symbol": "KO",
    "qty": "2",
    "per_share_amount": "0.51",
    "status": "executed",
}


async def read_one(standing: Standing, **changes: Any) -> Any:
    standing.server.replies = [reply(200, [{**DIVIDEND, **changes}])]
    page = await standing.broker.activities_since(SINCE)
    assert page.unreadable == ()
    return page.activities[0]


async def test_a_dividend(standing: Standing) -> None:
    activity = await read_one(standing)
    (request,) = standing.server.requests
    assert request.path == "/v2/account/activities"
    assert request.query == {
        "category": "non_trade_activity",
        "direction": "asc",
        "page_size": "100",
        "after": "2026-09-30T23:59:59Z",
    }
    assert (activity.kind, activity.symbol, activity.amount) == (K.DIVIDEND, "KO", Decimal("1.02"))
    assert activity.occurred_on == dt.date(2026, 10, 8)
    assert '"per_share_amount": "0.51"' in activity.raw


@pytest.mark.parametrize(
    ("word", "amount", "kind"),
    [
        ("DIV", "1", K.DIVIDEND),
        ("DIVCGL", "1", K.DIVIDEND),
        ("DIVNRA", "-0.3", K.DIVIDEND),
        ("DIVTXEX", "1", K.DIVIDEND),
        ("FEE", "-0.02", K.FEE),
        ("CFEE", "-0.02", K.FEE),
        ("INT", "3", K.INTEREST),
        ("JNLC", "1000", K.DEPOSIT),
        ("JNLC", "-1000", K.WITHDRAWAL),
        ("CSD", "1000", K.DEPOSIT),
        ("CSW", "-1000", K.WITHDRAWAL),
        ("SPLIT", "0", K.SPLIT),
        ("MA", "12", K.OTHER),
        ("A_WORD_OF_TOMORROW", "12", K.OTHER),
    ],
)
async def test_kinds(standing: Standing, word: str, amount: str, kind: ActivityKind) -> None:
    activity = await read_one(standing, activity_type=word, net_amount=amount)
    assert (activity.kind, activity.amount) == (kind, Decimal(amount))


async def test_a_fee_in_units(standing: Standing) -> None:
    activity = await read_one(standing, activity_type="CFEE", net_amount="0", qty="-0.000025", symbol="BTCUSD")
    assert (activity.amount, activity.quantity) == (Decimal(0), Decimal("-0.000025"))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "canceled"},
        {"status": "correct"},
        {"net_amount": "NaN"},
        {"net_amount": None, "qty": None},
        {"date": "yesterday"},
        {"date": None},
        {"id": ""},
    ],
)
async def test_what_cannot_be_booked_is_handed_on_whole(standing: Standing, changes: dict[str, Any]) -> None:
    standing.server.replies = [reply(200, [{**DIVIDEND, **changes}, {**DIVIDEND, "id": "other"}])]
    page = await standing.broker.activities_since(SINCE)
    assert [activity.activity_id for activity in page.activities] == ["other"]
    (parked,) = page.unreadable
    assert parked.reason.startswith("activity:")
    assert '"DIV"' in parked.raw


def numbered(count: int) -> list[dict[str, Any]]:
    return [
        {**DIVIDEND, "id": f"row-{number:04d}", "date": f"2026-10-{1 + number // 30:02d}"} for number in range(count)
    ]


async def test_every_page_is_read_and_none_twice(standing: Standing) -> None:
    rows = numbered(250)

    def serve(request: Request) -> Play:
        token = request.query.get("page_token")
        begin = 0 if token is None else next(i for i, row in enumerate(rows) if row["id"] == token) + 1
        # an overlapping page and rows of one day in any order, as Alpaca may list them
        return reply(200, list(rows[max(0, begin - 1) : begin + 99] if begin else rows[:100]))

    standing.server.script = serve
    page = await standing.broker.activities_since(SINCE)
    assert [activity.activity_id for activity in page.activities] == [row["id"] for row in rows]
    assert len(standing.server.requests) == 3


async def test_oldest_first_by_day(standing: Standing) -> None:
    late, early = {**DIVIDEND, "id": "b", "date": "2026-10-02"}, {**DIVIDEND, "id": "c", "date": "2026-10-01"}
    standing.server.replies = [reply(200, [late, early])]
    page = await standing.broker.activities_since(SINCE)
    assert [activity.activity_id for activity in page.activities] == ["c", "b"]


async def test_pages_that_do_not_end(standing: Standing) -> None:
    standing.server.replies = [reply(200, numbered(100))]
    with pytest.raises(ProtocolError):
        await standing.broker.activities_since(SINCE)
