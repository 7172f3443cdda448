"""What clients ask for: JSON in, checked requests out."""

from __future__ import annotations

import enum
import json
from decimal import Decimal
from typing import Any, TypeVar

import attrs

from tradecore.domain.values import OrderType, Side, TimeInForce, canonical
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.numbers import NINE_PLACES, is_whole
from tradecore_exchange.refusals import Refusal, Refused, against_the_rules, invalid

JSON = Any

_LARGEST = Decimal(10) ** 12
_CLIENT_ORDER_ID_LENGTH_MAX = 128
_INTENTS = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})
_EXTENDED_TIMES = frozenset({TimeInForce.DAY, TimeInForce.GTC})

Word = TypeVar("Word", bound=enum.StrEnum)


@attrs.frozen
class OrderRequest:
    """A well-formed wish for an order. Exactly one of `qty` and `notional` is set."""

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    extended_hours: bool = False
    client_order_id: str | None = None
    position_intent: str | None = None


@attrs.frozen
class ReplaceRequest:
    """A well-formed wish to change an order; None leaves a term as it is."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None


def _no_constant(name: str) -> Decimal:
    raise Refused(invalid(f"{name} is not a number"))


def read_json(body: bytes) -> JSON:
    """The JSON of a request, its numbers exact. Raises `Refused`."""
    try:
        return json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):
        raise Refused(Refusal(400, 40010000, "request body format is invalid")) from None


def read_object(body: bytes) -> dict[str, JSON]:
    """The JSON object of a request. Raises `Refused`."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise Refused(invalid("request body must be a JSON object"))
    return value


def positive(field: str, raw: JSON) -> Decimal | None:
    """A number above zero from JSON number or text; None when absent. Raises `Refused`."""
    if raw is None:
        return None
    number = raw
    if isinstance(raw, str) and len(raw) <= 40 and raw.isascii() and "_" not in raw:
        try:
            number = Decimal(raw)
        except ArithmeticError:
            number = None
    if not isinstance(number, Decimal) or not number.is_finite():
        raise Refused(invalid(f"{field} must be a number"))
    if number <= 0:
        raise Refused(invalid(f"{field} must be > 0"))
    if number >= _LARGEST:
        raise Refused(invalid(f"{field} is too large"))
    if number.adjusted() < -9 or number.remainder_near(NINE_PLACES) != 0:
        raise Refused(against_the_rules(f"{field} must be limited to 9 decimal places"))
    return canonical(number)


def word(field: str, raw: JSON, words: type[Word]) -> Word:
    """One word of a closed list. Raises `Refused`."""
    try:
        return words(raw)
    except (ValueError, TypeError):
        raise Refused(invalid(f"invalid {field}")) from None


def _text(field: str, raw: JSON) -> str | None:
    if raw is None or isinstance(raw, str):
        return raw or None
    raise Refused(invalid(f"{field} must be a string"))


def _client_order_id(raw: JSON) -> str | None:
    text = _text("client_order_id", raw)
    if text is not None and len(text) > _CLIENT_ORDER_ID_LENGTH_MAX:
        raise Refused(invalid("client_order_id must be no more than 128 characters"))
    return text


def _check_increment(limit_price: Decimal, symbol: str) -> None:
    if is_crypto(symbol):
        return
    step = Decimal("0.01") if limit_price >= 1 else Decimal("0.0001")
    if limit_price % step != 0:
        raise Refused(
            against_the_rules(
                f"invalid limit_price {limit_price}. sub-penny increment does not fulfill minimum pricing criteria"
            )
        )


def _check_simple(body: dict[str, JSON]) -> None:
    """What the real exchange knows and this one does not must not pass as something else."""
    if body.get("order_class") not in {None, "", "simple"}:
        raise Refused(against_the_rules("only simple orders are supported by this exchange"))
    for field in ("stop_price", "trail_price", "trail_percent", "take_profit", "stop_loss", "legs"):
        if body.get(field) is not None:
            raise Refused(against_the_rules(f"{field} is not supported by this exchange"))


def check_terms(request: OrderRequest) -> None:
    """Rules that need nothing but the order itself."""
    day = request.time_in_force is TimeInForce.DAY
    if request.limit_price is not None:
        if request.type is OrderType.MARKET:
            raise Refused(invalid("market orders require no limit price"))
        _check_increment(request.limit_price, request.symbol)
    elif request.type is OrderType.LIMIT:
        raise Refused(invalid("limit orders require a limit price"))
    if is_crypto(request.symbol):
        if request.time_in_force not in {TimeInForce.GTC, TimeInForce.IOC}:
            raise Refused(against_the_rules("invalid crypto time_in_force"))
    elif not day and (request.notional is not None or (request.qty is not None and not is_whole(request.qty))):
        raise Refused(against_the_rules("fractional orders must be DAY orders"))
    if request.notional is not None:
        if request.notional < 1:
            raise Refused(invalid("notional must be >= 1.00"))
        if request.notional % Decimal("0.01") != 0:
            raise Refused(invalid("notional value must be limited to 2 decimal places"))
    if request.extended_hours and (request.type is OrderType.MARKET or request.time_in_force not in _EXTENDED_TIMES):
        raise Refused(against_the_rules("extended hours order must be DAY or GTC limit orders"))


def order_request(body: dict[str, JSON]) -> OrderRequest:
    """The order that a POST asks for. Raises `Refused` for whatever is wrong with the request alone."""
    for field in ("symbol", "side", "type", "time_in_force"):
        if body.get(field) is None:
            raise Refused(invalid(f"{field} is required"))
    symbol = _text("symbol", body["symbol"])
    if symbol is None:
        raise Refused(invalid("symbol is required"))
    _check_simple(body)
    qty, notional = positive("qty", body.get("qty")), positive("notional", body.get("notional"))
    if qty is None and notional is None:
        raise Refused(invalid("qty or notional is required"))
    if qty is not None and notional is not None:
        raise Refused(invalid("only one of qty or notional is accepted"))
    extended_hours = body.get("extended_hours")
    if extended_hours not in {None, True, False} or isinstance(extended_hours, Decimal):
        raise Refused(invalid("extended_hours must be a boolean"))
    intent = _text("position_intent", body.get("position_intent"))
    if intent is not None and intent not in _INTENTS:
        raise Refused(invalid("invalid position_intent"))
    request = OrderRequest(
        symbol=symbol,
        side=word("side", body["side"], Side),
        type=word("order type", body["type"], OrderType),
        time_in_force=word("time_in_force", body["time_in_force"], TimeInForce),
        qty=qty,
        notional=notional,
        limit_price=positive("limit_price", body.get("limit_price")),
        extended_hours=bool(extended_hours),
        client_order_id=_client_order_id(body.get("client_order_id")),
        position_intent=intent,
    )
    check_terms(request)
    return request


def replace_request(body: dict[str, JSON], symbol: str) -> ReplaceRequest:
    """The change that a PATCH asks for. Raises `Refused`."""
    for field in ("stop_price", "trail"):
        if body.get(field) is not None:
            raise Refused(against_the_rules(f"{field} is not supported by this exchange"))
    limit_price = positive("limit_price", body.get("limit_price"))
    if limit_price is not None:
        _check_increment(limit_price, symbol)
    time_in_force = body.get("time_in_force")
    return ReplaceRequest(
        qty=positive("qty", body.get("qty")),
        limit_price=limit_price,
        time_in_force=None if time_in_force is None else word("time_in_force", time_in_force, TimeInForce),
        client_order_id=_client_order_id(body.get("client_order_id")),
    )
