"""Every refusal that Alpaca is known to give, as a reason to act on; by status, code and words, never by digits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alpaca.scripted_http import reply
from tests.alpaca.standing import REQUEST, Standing
from tradecore.errors import (
    AlreadyExists,
    BrokerError,
    BrokerRefused,
    BrokerUnauthorized,
    NotSent,
    OutcomeUnknown,
    RefusalReason,
)
from tradecore_alpaca.refusals import reason_of

pytestmark = pytest.mark.anyio

R = RefusalReason
WASH = "potential wash trade detected. use complex orders"

ROWS: list[tuple[int, int | None, str, RefusalReason]] = [
    (403, 40310000, "insufficient buying power", R.INSUFFICIENT_BUYING_POWER),
    (403, 40310000, "insufficient day trading buying power", R.INSUFFICIENT_BUYING_POWER),
    (403, 40310000, "insufficient balance for USD (requested: 10, available: 1)", R.INSUFFICIENT_BUYING_POWER),
    (403, 40310000, "insufficient qty available for order (requested: 2, available: 1)", R.INSUFFICIENT_QUANTITY),
    (403, 40310000, 'asset "OCGN" is not fractionable', R.NOT_FRACTIONABLE),
    (403, 40310000, "account is not allowed to short", R.NOT_SHORTABLE),
    (403, 40310000, 'asset "XYZ" cannot be sold short', R.NOT_SHORTABLE),
    (403, 40310000, "cannot open a long buy while a short sell order is open", R.OPPOSITE_ORDER),
    (403, 40310000, "cannot open a short sell while a long buy order is open", R.OPPOSITE_ORDER),
    (403, 40310000, "order parameters are not changed", R.UNCHANGED),
    (403, 40310000, WASH, R.WASH_TRADE),
    (403, 40310000, "cost basis must be >= minimal amount of order 1", R.TOO_SMALL),
    (403, 40310000, "cost basis must be >= minimal amount of order 10", R.TOO_SMALL),
    (403, 40310000, "new orders are rejected by user request", R.ACCOUNT_RESTRICTED),
    (403, 40310000, "account is blocked", R.ACCOUNT_RESTRICTED),
    (403, 40310000, 'asset "XYZ" is not tradable', R.NOT_TRADABLE),
    (403, 40310000, "words of tomorrow", R.OTHER),
    (403, 40310100, "trade denied due to pattern day trading protection", R.DAY_TRADING),
    (404, 40410000, "order not found for 42", R.NOT_FOUND),
    (404, 40410000, "position does not exist", R.NOT_FOUND),
    (404, 40410000, "asset not found for XYZ", R.NOT_TRADABLE),
    (422, 40010001, "notional must be >= 1.00", R.TOO_SMALL),
    (422, 40010001, "client_order_id must be no more than 128 characters", R.INVALID),
    (422, 40010001, "qty or notional is required", R.INVALID),
    (422, 42210000, 'asset "XYZ" not found', R.NOT_TRADABLE),
    (
        422,
        42210000,
        "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        R.PRICE_INCREMENT,
    ),
    (422, 42210000, 'order is already in "filled" state', R.ALREADY_FINISHED),
    (422, 42210000, "order pending cancel", R.NOT_NOW),
    (422, 42210000, "cannot replace order in accepted status", R.NOT_NOW),
    (422, 42210000, "opg orders must be submitted after 7:00pm and before 9:28am", R.AUCTION_CLOSED),
    (422, 42210000, "cls orders must be submitted after 7:00pm and before 3:50pm", R.AUCTION_CLOSED),
    (422, 42210000, "OPG orders cannot be submitted after 9:28am and before 7:00pm", R.AUCTION_CLOSED),
    (422, 42210000, "invalid opg order: only market and limit orders", R.INVALID),
    (422, 42210000, "invalid crypto time_in_force", R.INVALID),
    (422, 42210000, "crypto orders not allowed for advanced order_class: otoco", R.INVALID),
    (422, 42210000, "fractional orders must be DAY orders", R.INVALID),
    (422, 42210000, "fractional orders must be simple orders", R.INVALID),
    (422, 42210000, "extended hours order must be DAY or GTC limit orders", R.INVALID),
    (422, 42210000, "fractional orders cannot be sold short", R.NOT_SHORTABLE),
    (422, 42210000, "position intent mismatch, inferred: sell_to_open, specified: sell_to_close", R.INTENT_MISMATCH),
    (422, 42210000, "stop price must be less than current price", R.PRICE_RELATION),
    (422, 42210000, "take_profit.limit_price must be greater than base_price + 0.01", R.PRICE_RELATION),
    (400, 40010000, "request body format is invalid", R.INVALID),
]


async def refused(standing: Standing, status: int, body: dict[str, Any]) -> BrokerError:
    standing.server.replies = [reply(status, body)]
    with pytest.raises(BrokerError) as caught:
        await standing.broker.submit(REQUEST)
    assert standing.server.seen("POST") == 1
    return caught.value


@pytest.mark.parametrize(("status", "code", "message", "reason"), ROWS)
async def test_each_refusal_has_its_reason(
    standing: Standing, status: int, code: int | None, message: str, reason: RefusalReason
) -> None:
    error = await refused(standing, status, {"code": code, "message": message})
    assert isinstance(error, BrokerRefused)
    assert (error.status, error.code, error.message, error.reason) == (status, code, message, reason)


@pytest.mark.parametrize("reject", ["opposite side market/stop order exists", "opposite side limit order exists"])
async def test_a_wash_trade_names_the_order_in_the_way(standing: Standing, reject: str) -> None:
    """So that a caller can cancel that one, wait for its end, and ask again."""
    body = {"code": 40310000, "message": WASH, "existing_order_id": "f1a08ee3", "reject_reason": reject}
    error = await refused(standing, 403, body)
    assert isinstance(error, BrokerRefused)
    assert error.conflicting_order_id == "f1a08ee3"
    assert error.details["reject_reason"] == reject


async def test_what_is_missing_comes_along(standing: Standing) -> None:
    body = {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "10.5",
        "cost_basis": 12,
        "symbol": None,
    }
    error = await refused(standing, 403, body)
    assert isinstance(error, BrokerRefused)
    assert error.details == {"buying_power": "10.5", "cost_basis": "12"}
    assert error.conflicting_order_id is None


async def test_digits_in_the_words_decide_nothing(standing: Standing) -> None:
    error = await refused(standing, 422, {"code": 42210000, "message": "HTTP 500: 429 timeout 404 50010000 of 401"})
    assert isinstance(error, BrokerRefused)
    assert error.reason is R.INVALID


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, {"code": 40010001, "message": "client_order_id must be unique"}, AlreadyExists),
        (401, {"message": "unauthorized."}, BrokerUnauthorized),
        (429, {"code": 42910000, "message": "rate limit exceeded"}, NotSent),
        (500, {"code": 50010000, "message": "internal server error occurred"}, OutcomeUnknown),
        (502, {"message": "insufficient buying power"}, OutcomeUnknown),
        (503, {"code": 40310000, "message": "insufficient buying power"}, OutcomeUnknown),
        (504, {"message": "client_order_id must be unique"}, OutcomeUnknown),
        (409, {"code": 40910000, "message": "insufficient qty"}, OutcomeUnknown),
    ],
)
async def test_what_is_no_refusal(
    standing: Standing, status: int, body: dict[str, Any], kind: type[BrokerError]
) -> None:
    assert type(await refused(standing, status, body)) is kind


def test_a_code_that_contradicts_its_words_is_other() -> None:
    assert reason_of(403, 40399999, "insufficient buying power") is R.OTHER
    assert reason_of(418, None, "insufficient buying power") is R.OTHER
