"""`/_ctl/operations`: what happens at an exchange without anybody's order asking for it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore_exchange.changes import Switches
from tradecore_exchange.house import house_of
from tradecore_exchange.matching import Exchange
from tradecore_exchange.operations import Done
from tradecore_exchange.refusals import Refusal, Refused, invalid
from tradecore_exchange.requests import positive
from tradecore_exchange.service import read_body, service_of
from tradecore_exchange.wire import trade_update_json

JSON = Any
Operation = Callable[[Exchange], Done | Refusal]

# What is done to a symbol is done to the market, so every account sees it.
_OF_THE_MARKET = frozenset({"halt", "resume", "split", "dividend"})
_SWITCHES = frozenset(field.name for field in attrs.fields(Switches))


def _word(body: dict[str, JSON], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Refused(invalid(f"{name} is required"))
    return value


def _positive(body: dict[str, JSON], name: str) -> Decimal:
    number = positive(name, body.get(name))
    if number is None:
        raise Refused(invalid(f"{name} is required"))
    return number


def _amount(body: dict[str, JSON]) -> Decimal:
    try:
        amount = Decimal(body.get("amount", ""))
    except (ArithmeticError, TypeError, ValueError):
        raise Refused(invalid("amount must be a number of dollars")) from None
    if not amount.is_finite():
        raise Refused(invalid("amount must be a number of dollars"))
    return amount


def _switched(body: dict[str, JSON]) -> dict[str, bool]:
    changes = {name: value for name, value in body.items() if name != "do"}
    if not changes.keys() <= _SWITCHES or not all(isinstance(value, bool) for value in changes.values()):
        raise Refused(invalid(f"switches are true or false; known: {', '.join(sorted(_SWITCHES))}"))
    return changes


def _operation(body: dict[str, JSON]) -> Operation:
    """The operation that a control request names. Raises `Refused`."""
    match body.get("do"):
        case "halt" | "resume" as verb:
            symbol = _word(body, "symbol")
            return lambda exchange: exchange.halt(symbol) if verb == "halt" else exchange.resume(symbol)
        case "force":
            order_id, status = _word(body, "order_id"), _word(body, "status")
            return lambda exchange: exchange.force(order_id, status)
        case "release":
            order_id = _word(body, "order_id")
            return lambda exchange: exchange.release(order_id)
        case "deny":
            order_id = _word(body, "order_id")
            return lambda exchange: exchange.deny(order_id)
        case "switch":
            changes = _switched(body)
            return lambda exchange: exchange.switch(**changes)
        case "bust":
            execution_id = _word(body, "execution_id")
            return lambda exchange: exchange.bust(execution_id)
        case "correct":
            execution_id, qty, price = _word(body, "execution_id"), _positive(body, "qty"), _positive(body, "price")
            return lambda exchange: exchange.correct(execution_id, qty, price)
        case "split":
            symbol, ratio = _word(body, "symbol"), _positive(body, "ratio")
            return lambda exchange: exchange.split(symbol, ratio)
        case "dividend":
            symbol, per_share = _word(body, "symbol"), _positive(body, "per_share")
            return lambda exchange: exchange.dividend(symbol, per_share)
        case "fee":
            amount = _amount(body)
            return lambda exchange: exchange.fee(amount)
        case "journal":
            amount = _amount(body)
            return lambda exchange: exchange.journal(amount)
    raise Refused(
        invalid("do: one of bust, correct, deny, dividend, fee, force, halt, journal, release, resume, split, switch")
    )


async def operate(request: Request) -> Response:
    """POST `{"do": ..., ...}`: carried out at once and durable; the answer tells the updates of this account."""
    service, body = service_of(request), await read_body(request)
    operation = _operation(body)
    mine = service.floor.carry_out(operation)
    if isinstance(mine, Refusal):
        return service.answer(mine.body, mine.status)
    if body["do"] in _OF_THE_MARKET:
        for other in house_of(request).services:
            if other is not service:
                other.floor.carry_out(operation)
                other.floor.publish()
    return service.answer({"updates": [trade_update_json(update)["data"] for update in mine.updates]})


ROUTES = [Route("/_ctl/operations", operate, methods=["POST"])]
