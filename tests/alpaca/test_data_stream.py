"""The stream of bars: it signs in when spoken to, tells bars exactly, and always comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.alpaca.scripted_socket import Peer
from tests.alpaca.standing import KEY_ID, SECRET, Standing
from tradecore.domain.values import Bar
from tradecore.errors import BrokerUnauthorized, ConfigurationError
from tradecore.ports.market_data import DataConnected

pytestmark = pytest.mark.anyio

CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]
BAR = '{"T":"b","S":"KO","t":"2026-10-08T13:30:00Z","o":86.9,"h":87.10,"l":86.87800000000001,"c":87,"v":1200,"n":3}'
KO = Bar(
    "KO",
    dt.datetime(2026, 10, 8, 13, 30, tzinfo=dt.UTC),
    Decimal("86.9"),
    Decimal("87.1"),
    Decimal("86.87800000000001"),
    Decimal(87),
    Decimal(1200),
)


async def welcome(peer: Peer) -> None:
    await peer.say(CONNECTED)
    await peer.hear()
    await peer.say(AUTHENTICATED)
    told = await peer.hear()
    assert isinstance(told, dict)
    await peer.say([{"T": "subscription", "trades": [], "quotes": [], "bars": told["bars"], "updatedBars": []}])


def telling(*messages: object) -> Any:
    async def script(peer: Peer) -> None:
        await welcome(peer)
        await peer.say(*messages)
        await peer.stay()

    return script


def answering(*answers: object) -> Any:
    """Says the first, then one after each message that it hears."""

    async def script(peer: Peer) -> None:
        first, *rest = answers
        await peer.say(first)
        for answer in rest:
            await peer.hear()
            await peer.say(answer)
        await peer.stay()

    return script


async def take(stream: AsyncIterator[Bar | DataConnected], count: int) -> list[Bar | DataConnected]:
    taken = []
    with anyio.fail_after(5.0):
        async for told in stream:
            taken.append(told)
            if len(taken) == count:
                break
        await stream.aclose()  # type: ignore[attr-defined]
    return taken


async def test_signs_in_and_subscribes_as_the_protocol_says(standing: Standing) -> None:
    standing.socket.scripts = [telling(f"[{BAR}]", f"[{BAR},{BAR}]")]
    bars = await take(standing.market_data.bars(["MSFT", "KO", "KO"]), 4)
    assert bars == [DataConnected(), KO, KO, KO]
    assert standing.socket.peers[0].heard == [
        {"action": "auth", "key": KEY_ID, "secret": SECRET},
        {"action": "subscribe", "bars": ["KO", "MSFT"]},
    ]


async def test_other_points_are_not_bars(standing: Standing) -> None:
    others = '[{"T":"t","S":"KO","p":1},{"T":"u","S":"KO"},{"T":"d","S":"KO"},{"T":"novel"}]'
    standing.socket.scripts = [telling(others, "[]", f"[{BAR}]")]
    assert await take(standing.market_data.bars(["KO"]), 2) == [DataConnected(), KO]


@pytest.mark.parametrize("bad", ['{"T":"b","S":"KO"}', BAR.replace("86.9", '"NaN"'), BAR.replace("1200", "-1")])
async def test_a_bar_that_cannot_be_read_is_a_reason_to_read_again(standing: Standing, bad: str) -> None:
    standing.socket.scripts = [telling(f"[{bad},{BAR}]")]
    assert await take(standing.market_data.bars(["KO"]), 3) == [DataConnected(), DataConnected(), KO]
    assert len(standing.socket.peers) == 1


@pytest.mark.parametrize("bad", ["garbage", "{}", "[1]", b"\xff"])
async def test_a_message_that_is_none_begins_anew(standing: Standing, bad: object) -> None:
    standing.socket.scripts = [telling(bad), telling(f"[{BAR}]")]
    assert await take(standing.market_data.bars(["KO"]), 3) == [DataConnected(), DataConnected(), KO]


@pytest.mark.parametrize(
    ("code", "error"), [(402, BrokerUnauthorized), (409, ConfigurationError), (405, ConfigurationError)]
)
async def test_refusals_that_time_does_not_heal(standing: Standing, code: int, error: type[Exception]) -> None:
    refusal = [{"T": "error", "code": code, "msg": "no"}]
    for script in (answering(CONNECTED, refusal), answering(CONNECTED, AUTHENTICATED, refusal), telling(refusal)):
        standing.socket.scripts = [script]
        with pytest.raises(error):
            await take(standing.market_data.bars(["KO"]), 2)


@pytest.mark.parametrize(("code", "wait_s"), [(406, 30.0), (407, 0.2), (500, 0.2), (400, 0.2)])
async def test_refusals_that_time_heals(standing: Standing, code: int, wait_s: float) -> None:
    standing.socket.scripts = [answering([{"T": "error", "code": code, "msg": "no"}]), telling()]
    assert await take(standing.market_data.bars(["KO"]), 1) == [DataConnected()]
    assert standing.slept == [pytest.approx(wait_s)]


@pytest.mark.parametrize(
    "script",
    [
        answering([{"T": "success", "msg": "hello"}]),
        answering(CONNECTED, [{"T": "success", "msg": "connected"}]),
        answering(CONNECTED, AUTHENTICATED, [{"T": "subscription", "bars": ["AAPL"]}]),
        answering(CONNECTED, AUTHENTICATED, "garbage"),
        answering(CONNECTED),
        answering(CONNECTED, AUTHENTICATED),
    ],
)
async def test_a_failed_sign_in_is_tried_again(standing: Standing, script: Any) -> None:
    standing.socket.scripts = [script, telling()]
    assert await take(standing.market_data.bars(["KO"]), 1) == [DataConnected()]
    assert len(standing.socket.peers) == 2


async def test_connects_again_and_says_so(standing: Standing) -> None:
    async def script(peer: Peer) -> None:
        await welcome(peer)
        await peer.connection.close(1001)

    standing.socket.scripts = [script, telling(f"[{BAR}]")]
    assert await take(standing.market_data.bars(["KO"]), 3) == [DataConnected(), DataConnected(), KO]
