"""All orders since a time, over pages: none lost, none told twice, also when many share one instant."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import Play, Request, reply
from tests.alpaca.standing import Standing
from tradecore.errors import BrokerUnreachable, InputError, ProtocolError
from tradecore.ports.broker import OrderPage

pytestmark = pytest.mark.anyio

SINCE = dt.datetime(2026, 10, 8, 15, 0, tzinfo=dt.UTC)


def made(number: int, submitted_at: str) -> dict[str, Any]:
    return {**ORDER, "id": f"id-{number}", "client_order_id": f"tc-{number}", "submitted_at": submitted_at}


def alpaca(orders: list[dict[str, Any]], *, by_id: bool = True) -> Any:
    """Answers as Alpaca does: `after` excludes by submission time, `after_order_id` by place; oldest first."""

    def script(request: Request) -> Play:
        query = request.query
        assert (request.path, query["status"], query["direction"], query["nested"]) == (
            "/v2/orders",
            "all",
            "asc",
            "false",
        )
        assert ("after" in query) != ("after_order_id" in query)
        found = orders
        if "after" in query:
            # Text of one form and one zone sorts as time does, to the nanosecond.
            found = [order for order in found if _nanos(order["submitted_at"]) > _nanos(query["after"])]
        elif by_id:
            place = [order["id"] for order in orders].index(query["after_order_id"])
            found = orders[place + 1 :]
        return reply(200, found[: int(query["limit"])])

    return script


def _nanos(text: str) -> str:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}"


async def ids(standing: Standing) -> list[str]:
    return [order.broker_order_id for order in (await standing.broker.orders_since(SINCE)).orders]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1234])
async def test_every_page_is_read(standing: Standing, count: int) -> None:
    orders = [made(n, f"2026-10-08T15:{n // 60:02d}:{n % 60:02d}.094153596Z") for n in range(count)]
    standing.server.script = alpaca(orders)
    assert await ids(standing) == [order["id"] for order in orders]


async def test_equal_times_on_the_border_of_a_page(standing: Standing) -> None:
    orders = [made(n, f"2026-10-08T15:10:{n // 300:02d}.123456789Z") for n in range(1500)]
    standing.server.script = alpaca(orders)
    assert await ids(standing) == [order["id"] for order in orders]


async def test_more_than_a_page_in_one_instant(standing: Standing) -> None:
    orders = [made(n, "2026-10-08T15:10:00.000000001Z") for n in range(1700)]
    standing.server.script = alpaca(orders)
    assert await ids(standing) == [order["id"] for order in orders]


async def test_pages_without_end_are_an_error(standing: Standing) -> None:
    standing.server.script = alpaca([made(n, "2026-10-08T15:10:00Z") for n in range(600)], by_id=False)
    with pytest.raises(ProtocolError, match="end"):
        await standing.broker.orders_since(SINCE)


async def test_since_is_inclusive_to_the_microsecond(standing: Standing) -> None:
    times = ["2026-10-08T14:59:59.999999999Z", "2026-10-08T15:00:00Z", "2026-10-08T15:00:00.000000001Z"]
    standing.server.script = alpaca([made(n, at) for n, at in enumerate(times)])
    assert await ids(standing) == ["id-1", "id-2"]


async def test_an_unreachable_page_is_not_an_end(standing: Standing) -> None:
    first = reply(200, [made(n, f"2026-10-08T15:10:00.{n:09d}Z") for n in range(500)])
    standing.server.replies = [first, reply(503)]
    with pytest.raises(BrokerUnreachable):
        await standing.broker.orders_since(SINCE)


async def test_an_order_that_cannot_be_read_is_told_apart_and_hides_no_other(standing: Standing) -> None:
    strange, plain = made(1, "2026-10-08T15:10:00Z") | {"side": ""}, made(2, "2026-10-08T15:10:01Z")
    standing.server.replies = [reply(200, [strange, plain])]
    page = await standing.broker.orders_since(SINCE)
    assert [order.broker_order_id for order in page.orders] == ["id-2"]
    assert ["id-1" in report.raw for report in page.unreadable] == [True]


async def test_since_for_ever_and_without_a_zone(standing: Standing) -> None:
    standing.server.replies = [reply(200, [])]
    assert await standing.broker.orders_since(dt.datetime.min.replace(tzinfo=dt.UTC)) == OrderPage((), ())
    with pytest.raises(InputError):
        await standing.broker.orders_since(dt.datetime(2026, 10, 8))
    assert standing.server.requests[0].query["after"].startswith("1970-01-01T")
