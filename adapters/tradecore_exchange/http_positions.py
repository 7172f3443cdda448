"""`/v2/positions`: look at holdings and close them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore.domain.values import Side
from tradecore_exchange.account import Position
from tradecore_exchange.identity import asset_id, is_crypto
from tradecore_exchange.matching import Submitted
from tradecore_exchange.numbers import floor_qty
from tradecore_exchange.query import flag
from tradecore_exchange.refusals import Refusal, Refused, invalid, position_not_found
from tradecore_exchange.requests import OrderRequest, positive
from tradecore_exchange.service import Service, service_of
from tradecore_exchange.wire import order_json
from tradecore_exchange.wire_account import position_json, position_symbol
from tradecore_exchange.words import OrderType, TimeInForce

JSON = Any


def _position(service: Service, name: str) -> Position:
    positions = service.floor.exchange.account.positions
    for symbol, position in positions.items():
        if name in {symbol, position_symbol(symbol), asset_id(symbol)}:
            return position
    raise Refused(position_not_found())


def _close(service: Service, position: Position, qty: Decimal) -> Submitted | Refusal:
    request = OrderRequest(
        symbol=position.symbol,
        side=Side.SELL if position.qty > 0 else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC if is_crypto(position.symbol) else TimeInForce.DAY,
        qty=qty,
    )
    return service.floor.submit(request)


def _share_of(service: Service, position: Position, percentage: Decimal) -> Decimal:
    """That much of a position, cut down to what can be ordered. Raises `Refused` when nothing is left of it."""
    size = abs(position.qty) * percentage / 100
    whole = position.qty < 0 or not service.floor.exchange.options.terms(position.symbol).fractionable
    qty = abs(position.qty) if percentage == 100 else floor_qty(size, whole=whole)
    if qty == 0:
        raise Refused(invalid("qty must be > 0"))
    return qty


def _cancel_all(service: Service, symbol: str | None = None) -> None:
    for order in service.floor.exchange.book.open_in_order():
        if symbol in {None, order.symbol}:
            service.floor.cancel(order.id)


async def list_positions(request: Request) -> Response:
    """GET all."""
    service = service_of(request)
    positions = service.floor.exchange.account.positions
    return service.answer([position_json(service.floor, positions[symbol]) for symbol in sorted(positions)])


async def get_position(request: Request) -> Response:
    """GET one by symbol or asset id."""
    service = service_of(request)
    return service.answer(position_json(service.floor, _position(service, request.path_params["name"])))


async def close_position(request: Request) -> Response:
    """DELETE one: a market order for all of it, for `qty`, or for `percentage` of it."""
    service, query = service_of(request), request.query_params
    position = _position(service, request.path_params["name"])
    qty, percentage = positive("qty", query.get("qty")), positive("percentage", query.get("percentage"))
    if qty is not None and percentage is not None:
        raise Refused(invalid("only one of qty or percentage is accepted"))
    if percentage is not None:
        if percentage > 100:
            raise Refused(invalid("percentage must be from 0 to 100"))
        qty = _share_of(service, position, percentage)
    if flag(query, "cancel_orders"):
        _cancel_all(service, position.symbol)
    outcome = _close(service, position, abs(position.qty) if qty is None else qty)
    if isinstance(outcome, Refusal):
        return service.answer(outcome.body, outcome.status)
    return service.answer(order_json(outcome.order))


async def close_positions(request: Request) -> Response:
    """DELETE all: 207 with the order, or the refusal, of each."""
    service = service_of(request)
    if flag(request.query_params, "cancel_orders"):
        _cancel_all(service)
    answers: list[JSON] = []
    for symbol, position in sorted(service.floor.exchange.account.positions.items()):
        outcome = _close(service, position, abs(position.qty))
        if isinstance(outcome, Refusal):
            answers.append({"symbol": symbol, "status": outcome.status, "body": outcome.body})
        else:
            answers.append({"symbol": symbol, "status": 200, "body": order_json(outcome.order)})
    return service.answer(answers, 207)


ROUTES = [
    Route("/v2/positions", list_positions, methods=["GET"]),
    Route("/v2/positions", close_positions, methods=["DELETE"]),
    # A pair with its stroke is another path: positions spell it without.
    Route("/v2/positions/{name}", get_position, methods=["GET"]),
    Route("/v2/positions/{name}", close_position, methods=["DELETE"]),
]
