"""Bars of the past: all pages, the end excluded, by time and then symbol, exact."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from tests.alpaca.scripted_http import reply
from tests.alpaca.standing import Standing
from tradecore.errors import BrokerUnauthorized, BrokerUnreachable, ProtocolError

pytestmark = pytest.mark.anyio

START = dt.datetime(2026, 10, 8, 13, 30, tzinfo=dt.UTC)
END = dt.datetime(2026, 10, 8, 13, 32, tzinfo=dt.UTC)


def bar(minute: int, close: str = "2") -> str:
    return f'{{"t":"2026-10-08T13:{minute}:00Z","o":2,"h":3,"l":1,"c":{close},"v":100,"n":1,"vw":2}}'


def page(bars: dict[str, list[str]], token: str | None = None) -> bytes:
    inner = ",".join(f'"{symbol}":[{",".join(rows)}]' for symbol, rows in bars.items())
    return f'{{"bars":{{{inner}}},"next_page_token":{json.dumps(token)}}}'.encode()


async def test_pages_are_merged_by_time_then_symbol_and_the_end_is_excluded(standing: Standing) -> None:
    standing.server.replies = [
        reply(200, page({"KO": [bar(30, "2.10"), bar(31), bar(32)]}, "next")),
        reply(200, page({"AAPL": [bar(30), bar(31, "2.123456789012")]})),
    ]
    bars = await standing.market_data.history(["KO", "AAPL", "KO"], START, END)
    assert [(found.start.minute, found.symbol) for found in bars] == [
        (30, "AAPL"),
        (30, "KO"),
        (31, "AAPL"),
        (31, "KO"),
    ]
    assert bars[1].close == Decimal("2.1")
    assert bars[2].close == Decimal("2.123456789012")
    first, second = (request.query for request in standing.server.requests)
    assert first == {
        "symbols": "AAPL,KO",
        "timeframe": "1Min",
        "start": "2026-10-08T13:30:00Z",
        "end": "2026-10-08T13:32:00Z",
        "limit": "10000",
        "feed": "iex",
        "sort": "asc",
    }
    assert second == {**first, "page_token": "next"}


@pytest.mark.parametrize("body", [b'{"bars":{},"next_page_token":null}', b'{"bars":null}', b'{"bars":{"KO":null}}'])
async def test_no_bars(standing: Standing, body: bytes) -> None:
    standing.server.replies = [reply(200, body)]
    assert await standing.market_data.history(["KO"], START, END) == ()


async def test_nothing_asked_is_nothing_sent(standing: Standing) -> None:
    assert await standing.market_data.history([], START, END) == ()
    assert await standing.market_data.history(["KO"], END, START) == ()
    assert standing.server.requests == []


async def test_many_symbols_are_asked_for_in_parts(standing: Standing) -> None:
    standing.server.replies = [reply(200, page({}))]
    await standing.market_data.history([f"S{n}" for n in range(250)], START, END)
    assert [len(request.query["symbols"].split(",")) for request in standing.server.requests] == [100, 100, 50]


async def test_pages_without_end_are_an_error(standing: Standing) -> None:
    standing.server.replies = [reply(200, page({"KO": [bar(30)]}, "same"))]
    with pytest.raises(ProtocolError, match="end"):
        await standing.market_data.history(["KO"], START, END)


async def test_refusals(standing: Standing) -> None:
    standing.server.replies = [reply(401, b"<html>")]
    with pytest.raises(BrokerUnauthorized):
        await standing.market_data.history(["KO"], START, END)
    told = {"message": "subscription does not permit querying recent SIP data"}
    standing.server.replies = [reply(403, told)]
    with pytest.raises(BrokerUnreachable, match="recent SIP data"):
        await standing.market_data.history(["KO"], START, END)
    standing.server.replies = [reply(200, page({"KO": ['{"t":"2026-10-08T13:30:00Z"}']}))]
    with pytest.raises(ProtocolError):
        await standing.market_data.history(["KO"], START, END)
