"""`/v2/events/trades` and `/v2beta1/events/activities`: what happened, from any point on, and then as it happens.

Server-sent events; offered only where `Serving.events` says so, as the real ones are not certain for every account.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.event_sources import ActivityEvents, EventSource, TradeEvents
from tradecore_exchange.query import instant
from tradecore_exchange.refusals import Refusal, Refused, invalid
from tradecore_exchange.service import Service, service_of
from tradecore_exchange.ulid import number_of

_NOT_OFFERED = Refusal(404, 40410000, "endpoint not found.")


def _bounds(request: Request, source: EventSource) -> tuple[int, int | None]:
    """The numbers of the last event to leave out and of the last one to send (None: go on for ever)."""
    query = request.query_params
    since, until = instant(query, "since"), instant(query, "until")
    since_id, until_id = _number(request, "since_id"), _number(request, "until_id")
    if since is not None and since_id is not None:
        raise Refused(invalid("only one of since and since_id is accepted"))
    if until is not None and until_id is not None:
        raise Refused(invalid("only one of until and until_id is accepted"))
    if until is not None and since is None:
        raise Refused(invalid("until needs since"))
    if until_id is not None and since_id is None:
        raise Refused(invalid("until_id needs since_id"))
    first = source.published
    if since is not None:
        first = source.before(since)
    elif since_id is not None:
        first = since_id
    if until is not None:
        until_id = source.before(until + 1)
    # Of what is still to come nothing is known: what is there is all there will be.
    return first, None if until_id is None else min(until_id, source.published)


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return number_of(text)
    except ValueError:
        raise Refused(invalid(f"invalid {name}")) from None


async def _lines(service: Service, source: EventSource, after: int, until: int | None) -> AsyncIterator[bytes]:
    """Whoever asks for the past gets all of it; whoever falls behind the present loses the oldest."""
    behind_max, is_live = service.host.serving.events_behind_max, False
    while until is None or after < until:
        told = source.told
        if is_live:
            dropped = max(0, source.published - after - behind_max)
            if service.faults.take(kinds.EVENTS_DROPPED) is not None:
                dropped = source.published - after
            if dropped:
                after += dropped
                yield f": you are reading too slowly, dropped {dropped} messages\n\n".encode()
        last = source.published if until is None else min(until, source.published)
        for number, event in source.events(after, last):
            after = number
            yield b"data: " + msgspec.json.encode(event) + b"\n\n"
        if until is None or after < until:
            is_live = True
            if source.published <= after:
                await told.wait()


async def _stream(request: Request, kind: type[EventSource]) -> Response:
    service = service_of(request)
    if not service.host.serving.events:
        raise Refused(_NOT_OFFERED)
    source = kind(service.floor, service.trades)
    after, until = _bounds(request, source)
    headers = {"cache-control": "no-cache"}
    return StreamingResponse(_lines(service, source, after, until), media_type="text/event-stream", headers=headers)


async def trade_events(request: Request) -> Response:
    """GET what the trade stream told."""
    return await _stream(request, TradeEvents)


async def activity_events(request: Request) -> Response:
    """GET the account's history."""
    return await _stream(request, ActivityEvents)


ROUTES = [
    Route("/v2/events/trades", trade_events, methods=["GET"]),
    Route("/v2beta1/events/activities", activity_events, methods=["GET"]),
]
