"""`/v2/orders`: enter, find, change and cancel orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore_exchange.orders import Order
from tradecore_exchange.query import choice, flag, instant, listed, whole_number
from tradecore_exchange.refusals import Refusal, Refused, invalid, order_not_found
from tradecore_exchange.requests import order_request, replace_request
from tradecore_exchange.service import Service, read_body, service_of
from tradecore_exchange.wire import asset_class, order_json

JSON = Any


async def submit_order(request: Request) -> Response:
    """POST: the answer is a snapshot from before the order reached the market."""
    service = service_of(request)
    body = await read_body(request)
    client_order_id = body.get("client_order_id")
    if isinstance(client_order_id, str):
        service.floor.count_post(client_order_id)
    try:
        outcome = service.floor.submit(order_request(body))
    except Refused:
        service.floor.save()
        raise
    if isinstance(outcome, Refusal):
        return service.answer(outcome.body, outcome.status)
    return service.answer(order_json(outcome.order, outcome.legs))


async def list_orders(request: Request) -> Response:
    """GET: by time of submission, the latest first unless asked otherwise; 50 unless asked for up to 500.

    `nested` shows legs under their parents, and nowhere else: a leg whose parent is not in the list is not either.
    """
    service, query = service_of(request), request.query_params
    limit = whole_number(query, "limit", 50, 500)
    orders = service.floor.exchange.book.all
    chosen: Iterable[Order] = orders
    if choice(query, "direction", "desc", {"asc", "desc"}) == "desc":
        chosen = reversed(orders)
    nested = flag(query, "nested")
    matches = _asked_for(service, query)
    page = []
    for order in chosen:
        if matches(order) and not (nested and order.parent_id):
            page.append(order_json(order, _legs(service, order) if nested else ()))
            if len(page) == limit:
                break
    return service.answer(page)


def _legs(service: Service, order: Order) -> list[Order]:
    by_id = service.floor.exchange.book.by_id
    return [by_id[leg_id] for leg_id in order.leg_ids]


def _asked_for(service: Service, query: QueryParams) -> Callable[[Order], bool]:
    """Which orders a list asks for. Raises `Refused` for unknown words."""
    status = choice(query, "status", "open", {"open", "closed", "all"})
    side = choice(query, "side", "", {"", "buy", "sell"})
    after, until = instant(query, "after"), instant(query, "until")
    symbols, classes = listed(query, "symbols"), listed(query, "asset_class")
    after_number = _cursor(service, query, "after_order_id")
    before_number = _cursor(service, query, "before_order_id")

    def matches(order: Order) -> bool:
        return (
            (status == "all" or (order.is_open == (status == "open") and order.status != "held"))
            and (after is None or order.submitted_ns > after)
            and (until is None or order.submitted_ns < until)
            and (not symbols or order.symbol in symbols)
            and (not side or order.side == side)
            and (not classes or asset_class(order.symbol) in classes)
            and (after_number is None or order.number > after_number)
            and (before_number is None or order.number < before_number)
        )

    return matches


def _cursor(service: Service, query: QueryParams, name: str) -> int | None:
    order_id = query.get(name)
    if not order_id:
        return None
    order = service.floor.exchange.book.by_id.get(order_id)
    if order is None:
        raise Refused(order_not_found(order_id))
    return order.number


async def get_order(request: Request) -> Response:
    """GET by the exchange's own id."""
    service, order_id = service_of(request), request.path_params["order_id"]
    order = service.floor.exchange.book.by_id.get(order_id)
    if order is None:
        raise Refused(order_not_found(order_id))
    legs = _legs(service, order) if flag(request.query_params, "nested") else ()
    return service.answer(order_json(order, legs))


async def get_order_by_client_order_id(request: Request) -> Response:
    """GET by the client's id."""
    service, client_order_id = service_of(request), request.query_params.get("client_order_id")
    if not client_order_id:
        raise Refused(invalid("client_order_id is required"))
    order = service.floor.exchange.book.by_client_order_id.get(client_order_id)
    if order is None:
        raise Refused(order_not_found(client_order_id))
    return service.answer(order_json(order))


async def replace_order(request: Request) -> Response:
    """PATCH: a new order in the place of the old."""
    service, order_id = service_of(request), request.path_params["order_id"]
    old = service.floor.exchange.book.by_id.get(order_id)
    if old is None:
        raise Refused(order_not_found(order_id))
    outcome = service.floor.replace(order_id, replace_request(await read_body(request)))
    if isinstance(outcome, Refusal):
        return service.answer(outcome.body, outcome.status)
    return service.answer(order_json(outcome.order))


async def cancel_order(request: Request) -> Response:
    """DELETE one: 204 without a body."""
    service = service_of(request)
    outcome = service.floor.cancel(request.path_params["order_id"])
    if isinstance(outcome, Refusal):
        return service.answer(outcome.body, outcome.status)
    return service.nothing()


async def cancel_orders(request: Request) -> Response:
    """DELETE all: 207 with the fate of each; one that went with another is fine."""
    service = service_of(request)
    answers: list[JSON] = []
    for order_id in [order.id for order in service.floor.exchange.book.open_in_order()]:
        outcome = service.floor.cancel(order_id)
        if isinstance(outcome, Refusal):
            answers.append({"id": order_id, "status": outcome.status, "body": outcome.body})
        else:
            answers.append({"id": order_id, "status": 200})
    return service.answer(answers, 207)


ROUTES = [
    Route("/v2/orders", submit_order, methods=["POST"]),
    Route("/v2/orders", list_orders, methods=["GET"]),
    Route("/v2/orders", cancel_orders, methods=["DELETE"]),
    Route("/v2/orders:by_client_order_id", get_order_by_client_order_id, methods=["GET"]),
    Route("/v2/orders/{order_id}", get_order, methods=["GET"]),
    Route("/v2/orders/{order_id}", replace_order, methods=["PATCH"]),
    Route("/v2/orders/{order_id}", cancel_order, methods=["DELETE"]),
]
