"""`/v2/account/activities`: fills and fees, in pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore_exchange.activities import NON_TRADE_KINDS, TRADE_KINDS, Activity
from tradecore_exchange.query import choice, instant, listed, whole_number
from tradecore_exchange.refusals import Refused, invalid
from tradecore_exchange.service import service_of
from tradecore_exchange.sessions import new_york_date
from tradecore_exchange.wire import activity_json

_BY_CATEGORY = {"trade_activity": TRADE_KINDS, "non_trade_activity": NON_TRADE_KINDS}
_PAGE_SIZE_MAX = 100


async def list_activities(request: Request) -> Response:
    """GET by type, order, time or date; the next page begins after the id in `page_token`."""
    service, query = service_of(request), request.query_params
    kinds = listed(query, "activity_types")
    if "kind" in request.path_params:
        kinds = frozenset({request.path_params["kind"].upper()})
    category = query.get("category")
    if category:
        if category not in _BY_CATEGORY:
            raise Refused(invalid("invalid category"))
        kinds = _BY_CATEGORY[category]
    after, until = instant(query, "after"), instant(query, "until")
    date, order_id = _date(query.get("date")), query.get("order_id")
    size = len(service.floor.exchange.activities) or 1 if date is not None else _PAGE_SIZE_MAX
    if query.get("page_size"):
        size = whole_number(query, "page_size", _PAGE_SIZE_MAX, _PAGE_SIZE_MAX)
    activities = service.floor.exchange.activities
    descending = choice(query, "direction", "desc", {"asc", "desc"}) == "desc"
    ordered: Iterable[Activity] = reversed(activities) if descending else activities
    last = _last_seen(activities, query.get("page_token"))
    page = []
    for activity in ordered:
        if (
            (not kinds or activity.kind in kinds)
            and (last is None or (activity.number < last if descending else activity.number > last))
            and (after is None or activity.at_ns > after)
            and (until is None or activity.at_ns < until)
            and (date is None or new_york_date(activity.at_ns) == date)
            and (not order_id or activity.order_id == order_id)
        ):
            page.append(activity_json(activity))
            if len(page) == size:
                break
    return service.answer(page)


def _last_seen(activities: list[Activity], page_token: str | None) -> int | None:
    """The number of the activity that a page token names."""
    if not page_token:
        return None
    for activity in reversed(activities):
        if activity.id == page_token:
            return activity.number
    raise Refused(invalid("invalid page_token"))


def _date(text: str | None) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise Refused(invalid("invalid date")) from None


ROUTES = [
    Route("/v2/account/activities", list_activities, methods=["GET"]),
    Route("/v2/account/activities/{kind}", list_activities, methods=["GET"]),
]
