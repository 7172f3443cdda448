"""What clients ask for: JSON in, well-formed requests out. What may be asked for, `rules` knows."""

from __future__ import annotations

import enum
import json
from decimal import ROUND_DOWN, Decimal
from typing import Any, TypeVar

import attrs

from tradecore.domain.values import Side, canonical
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.numbers import NINE_PLACES
from tradecore_exchange.refusals import Refusal, Refused, against_the_rules, invalid
from tradecore_exchange.words import OrderClass, OrderType, TimeInForce

JSON = Any

_LARGEST = Decimal(10) ** 12
_CLIENT_ORDER_ID_LENGTH_MAX = 128
_INTENTS = frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"})

Word = TypeVar("Word", bound=enum.StrEnum)


@attrs.frozen
class StopLoss:
    """The stop of a bracket, oco or oto: a stop, or with a limit a stop-limit."""

    stop_price: Decimal
    limit_price: Decimal | None = None


@attrs.frozen
class OrderRequest:
    """A well-formed wish for an order. Exactly one of `qty` and `notional` is set; `take_profit` is a limit price."""

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
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: Decimal | None = None
    stop_loss: StopLoss | None = None


@attrs.frozen
class ReplaceRequest:
    """A well-formed wish to change an order; None leaves a term as it is. `trail` is in the order's own unit."""

    qty: Decimal | None = None
    limit_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None


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


def positive(field: str, raw: JSON, *, cut: bool = False) -> Decimal | None:
    """A number above zero from JSON number or text; None when absent. `cut` drops what is beyond nine places.

    Raises `Refused`.
    """
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
    if number >= _LARGEST:
        raise Refused(invalid(f"{field} is too large"))
    if cut and number > 0:
        number = Decimal(0) if number.adjusted() < -9 else number.quantize(NINE_PLACES, rounding=ROUND_DOWN)
    if number <= 0:
        raise Refused(invalid(f"{field} must be > 0"))
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


def _order_class(body: dict[str, JSON]) -> OrderClass:
    raw = body.get("order_class")
    if raw == "mleg" or body.get("legs") is not None:
        # What the real exchange knows and this one does not must not pass as something else.
        raise Refused(against_the_rules("options are not traded on this exchange"))
    return OrderClass.SIMPLE if raw in (None, "simple") else word("order_class", raw, OrderClass)


def _part(body: dict[str, JSON], field: str) -> dict[str, JSON] | None:
    raw = body.get(field)
    if raw is None or isinstance(raw, dict):
        return raw
    raise Refused(invalid(f"{field} must be an object"))


def _take_profit(body: dict[str, JSON]) -> Decimal | None:
    part = _part(body, "take_profit")
    if part is None:
        return None
    price = positive("take_profit.limit_price", part.get("limit_price"))
    if price is None:
        raise Refused(invalid("take_profit.limit_price is required"))
    return price


def _stop_loss(body: dict[str, JSON]) -> StopLoss | None:
    part = _part(body, "stop_loss")
    if part is None:
        return None
    price = positive("stop_loss.stop_price", part.get("stop_price"))
    if price is None:
        raise Refused(invalid("stop_loss.stop_price is required"))
    return StopLoss(price, positive("stop_loss.limit_price", part.get("limit_price")))


def order_request(body: dict[str, JSON]) -> OrderRequest:
    """The order that a POST asks for. Raises `Refused` for what is no request at all."""
    order_class = _order_class(body)
    for field in ("symbol", "side", "type", "time_in_force"):
        if body.get(field) is None:
            raise Refused(invalid(f"{field} is required"))
    symbol = _text("symbol", body["symbol"])
    if symbol is None:
        raise Refused(invalid("symbol is required"))
    qty = positive("qty", body.get("qty"), cut=is_crypto(symbol))
    notional = positive("notional", body.get("notional"))
    if qty is None and notional is None:
        raise Refused(invalid("qty or notional is required"))
    if qty is not None and notional is not None:
        raise Refused(invalid("only one of qty or notional is accepted"))
    extended_hours = body.get("extended_hours")
    if extended_hours not in (None, True, False) or isinstance(extended_hours, Decimal):
        raise Refused(invalid("extended_hours must be a boolean"))
    intent = _text("position_intent", body.get("position_intent"))
    if intent is not None and intent not in _INTENTS:
        raise Refused(invalid("invalid position_intent"))
    take_profit, limit_price = _take_profit(body), positive("limit_price", body.get("limit_price"))
    return OrderRequest(
        symbol=symbol,
        side=word("side", body["side"], Side),
        type=word("order type", body["type"], OrderType),
        time_in_force=word("time_in_force", body["time_in_force"], TimeInForce),
        qty=qty,
        notional=notional,
        # The take-profit of an oco is the order itself.
        limit_price=take_profit if order_class is OrderClass.OCO and limit_price is None else limit_price,
        extended_hours=bool(extended_hours),
        client_order_id=_client_order_id(body.get("client_order_id")),
        position_intent=intent,
        stop_price=positive("stop_price", body.get("stop_price")),
        trail_price=positive("trail_price", body.get("trail_price")),
        trail_percent=positive("trail_percent", body.get("trail_percent")),
        order_class=order_class,
        take_profit=take_profit,
        stop_loss=_stop_loss(body),
    )


def replace_request(body: dict[str, JSON]) -> ReplaceRequest:
    """The change that a PATCH asks for. Raises `Refused`."""
    time_in_force = body.get("time_in_force")
    return ReplaceRequest(
        qty=positive("qty", body.get("qty")),
        limit_price=positive("limit_price", body.get("limit_price")),
        time_in_force=None if time_in_force is None else word("time_in_force", time_in_force, TimeInForce),
        client_order_id=_client_order_id(body.get("client_order_id")),
        stop_price=positive("stop_price", body.get("stop_price")),
        trail=positive("trail", body.get("trail")),
    )
