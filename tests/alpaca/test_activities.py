"""All executions since a time: none lost, none guessed, each order's own in the order they happened."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.alpaca.recorded import FILL
from tests.alpaca.scripted_http import Play, Request, reply
from tests.alpaca.standing import Standing
from tradecore.errors import BrokerUnreachable, ProtocolError

pytestmark = pytest.mark.anyio

SINCE = dt.datetime(2026, 10, 8, 15, 0, tzinfo=dt.UTC)


def made(number: int, **changes: Any) -> dict[str, Any]:
    return {**FILL, "id": f"20261008111018097::{number}", "qty": "1", "cum_qty": str(number + 1), **changes}


def alpaca(rows: list[dict[str, Any]]) -> Any:
    def script(request: Request) -> Play:
        query = request.query
        assert request.path == "/v2/account/activities/FILL"
        assert (query["direction"], query["page_size"]) == ("asc", "100")
        assert query["after"] == "2026-10-08T14:59:59Z"
        token = query.get("page_token")
        begin = 0 if token is None else [row["id"] for row in rows].index(token) + 1
        return reply(200, rows[begin : begin + 100])

    return script


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_every_page_is_read(standing: Standing, count: int) -> None:
    rows = [made(n) for n in range(count)]
    standing.server.script = alpaca(rows)
    page = await standing.broker.fills_since(SINCE)
    assert [fill.execution_id for fill in page.fills] == [row["id"] for row in rows]
    assert page.unreadable == ()


async def test_rows_that_cannot_be_read_are_told_whole(standing: Standing) -> None:
    """Also at the border of a page, where their id is the way on."""
    rows = [made(n, **({"side": "?"} if n in (3, 99) else {})) for n in range(120)]
    standing.server.script = alpaca(rows)
    page = await standing.broker.fills_since(SINCE)
    assert len(page.fills) == 118
    assert ["::3" in row.raw or "::99" in row.raw for row in page.unreadable] == [True, True]
    assert all("neither a buy nor a sell" in row.reason for row in page.unreadable)


async def test_each_orders_fills_are_in_the_order_of_their_cumulative_quantity(standing: Standing) -> None:
    rows = [
        made(1, order_id="a", cum_qty="3"),
        made(2, order_id="b", cum_qty="2"),
        made(3, order_id="a", cum_qty="1"),
        made(4, order_id="a", cum_qty="2"),
        made(5, order_id="b", cum_qty="10"),
    ]
    standing.server.replies = [reply(200, rows)]
    page = await standing.broker.fills_since(SINCE)
    assert [(fill.broker_order_id, fill.cumulative_qty) for fill in page.fills] == [
        ("a", Decimal(1)),
        ("b", Decimal(2)),
        ("a", Decimal(2)),
        ("a", Decimal(3)),
        ("b", Decimal(10)),
    ]


async def test_a_row_that_is_told_twice_counts_once(standing: Standing) -> None:
    standing.server.replies = [reply(200, [made(1), made(1)])]
    assert len((await standing.broker.fills_since(SINCE)).fills) == 1


async def test_pages_without_end_are_an_error(standing: Standing) -> None:
    standing.server.replies = [reply(200, [made(n) for n in range(100)])]
    with pytest.raises(ProtocolError, match="end"):
        await standing.broker.fills_since(SINCE)


@pytest.mark.parametrize("body", [b"{}", b"[1", b"null"])
async def test_an_answer_that_is_no_list_is_not_an_empty_one(standing: Standing, body: bytes) -> None:
    standing.server.replies = [reply(200, body)]
    with pytest.raises((ProtocolError, BrokerUnreachable)):
        await standing.broker.fills_since(SINCE)


async def test_a_full_page_that_does_not_say_how_to_go_on_is_an_error(standing: Standing) -> None:
    rows: list[Any] = [made(n) for n in range(99)]
    standing.server.replies = [reply(200, [*rows, {"activity_type": "FILL"}])]
    with pytest.raises(ProtocolError):
        await standing.broker.fills_since(SINCE)
