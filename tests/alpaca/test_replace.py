"""A replacement is asked for once, under a new client order id; its answer is the new order."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.alpaca.recorded import ORDER
from tests.alpaca.scripted_http import CLOSE, HANG, Play, reply
from tests.alpaca.standing import Standing
from tradecore.domain.values import OrderStatus
from tradecore.errors import AlreadyExists, BrokerRefused, InputError, NotSent, OutcomeUnknown, RefusalReason
from tradecore.ports.broker import ReplaceRequest

pytestmark = pytest.mark.anyio

OLD = "f1a08ee3-8b15-4d31-b04b-944f30a06604"
NEW: dict[str, Any] = {**ORDER, "id": "2c1f", "client_order_id": "tc-2", "replaces": OLD, "status": "pending_new"}
HIGHER = ReplaceRequest("tc-2", None, Decimal("88.10"), None, None, None)


async def test_the_answer_is_the_new_order(standing: Standing) -> None:
    standing.server.replies = [reply(200, NEW)]
    order = await standing.broker.replace(OLD, HIGHER)
    (request,) = standing.server.requests
    assert (request.method, request.target) == ("PATCH", f"/v2/orders/{OLD}")
    assert json.loads(request.body) == {"client_order_id": "tc-2", "limit_price": "88.1"}
    assert (order.broker_order_id, order.replaces, order.status) == ("2c1f", OLD, OrderStatus.PENDING_NEW)


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (422, 42210000, "cannot replace order in accepted status", RefusalReason.NOT_NOW),
        (422, 42210000, "cannot replace order in pending_new status", RefusalReason.NOT_NOW),
        (403, 40310000, "order parameters are not changed", RefusalReason.UNCHANGED),
        (422, 42210000, 'order is already in "filled" state', RefusalReason.ALREADY_FINISHED),
        (404, 40410000, f"order not found for {OLD}", RefusalReason.NOT_FOUND),
    ],
)
async def test_refused(standing: Standing, status: int, code: int, message: str, reason: RefusalReason) -> None:
    standing.server.replies = [reply(status, {"code": code, "message": message})]
    with pytest.raises(BrokerRefused) as caught:
        await standing.broker.replace(OLD, HIGHER)
    assert caught.value.reason is reason
    assert len(standing.server.requests) == 1


async def test_the_new_id_is_taken_already(standing: Standing) -> None:
    """The first PATCH was carried out and its answer lost: the new order exists and must be looked up."""
    standing.server.replies = [reply(422, {"code": 40010001, "message": "client_order_id must be unique"})]
    with pytest.raises(AlreadyExists):
        await standing.broker.replace(OLD, HIGHER)


@pytest.mark.parametrize(
    "play",
    [
        HANG,
        CLOSE,
        reply(500, {"code": 50010000, "message": "internal"}),
        reply(504),
        reply(200, b"garbage"),
        reply(200, {**NEW, "client_order_id": "made-up-by-the-broker"}),
        reply(200, {**NEW, "replaces": "another"}),
    ],
)
async def test_unknown(standing: Standing, play: Play) -> None:
    """An error proves nothing: replacements were seen to happen behind one."""
    standing.server.replies = [play]
    with pytest.raises(OutcomeUnknown):
        await standing.broker.replace(OLD, HIGHER)
    assert len(standing.server.requests) == 1


async def test_rate_limited_was_not_sent(standing: Standing) -> None:
    standing.server.replies = [reply(429, {"code": 42910000, "message": "rate limit exceeded"})]
    with pytest.raises(NotSent):
        await standing.broker.replace(OLD, HIGHER)


async def test_an_id_that_would_change_the_path_is_not_sent(standing: Standing) -> None:
    with pytest.raises(InputError):
        await standing.broker.replace("", HIGHER)
    assert standing.server.requests == []
