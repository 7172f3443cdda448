"""`/v2/account/activities`: everything that moved cash or shares, in pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore_exchange.activities import NON_TRADE_KINDS, TRADE_KINDS, Activity
from tradecore_exchange.instants import nanoseconds
from tradecore_exchange.query import choice, instant, listed, whole_number
from tradecore_exchange.refusals import Refused, invalid
from tradecore_exchange.service import Service, service_of
from tradecore_exchange.sessions import new_york_date
from tradecore_exchange.wire import activity_json

JSON = Any

_BY_CATEGORY = {"trade_activity": TRADE_KINDS, "non_trade_activity": NON_TRADE_KINDS}
_PAGE_SIZE_MAX = 100
_DAY = dt.timedelta(days=1)


@attrs.frozen
class _Filter:
    """Which activities a request asks for. `after` and `until` are strict."""

    kinds: frozenset[str]
    after: int | None
    until: int | None
    date: dt.date | None
    order_id: str | None

    def admits(self, activity: Activity, created_ns: int) -> bool:
        return (
            (not self.kinds or activity.kind in self.kinds)
            and (self.after is None or created_ns > self.after)
            and (self.until is None or created_ns < self.until)
            and (self.date is None or new_york_date(activity.at_ns) == self.date)
            and (not self.order_id or activity.order_id == self.order_id)
        )


def _next_day_ns(at_ns: int) -> int:
    """Midnight UTC after the day in New York."""
    return nanoseconds(dt.datetime.combine(new_york_date(at_ns) + _DAY, dt.time(), dt.UTC))


def _listed(service: Service) -> list[tuple[int, Activity]]:
    """All activities with the times at which they were created, in the order in which the account lists them.

    Two faults change it: `shuffle_partials` lists by id, so that what happened within a millisecond is in the order of
    chance; `late_entries` creates what is no trade on the day after.
    """
    exchange, faults = service.floor.exchange, service.faults
    activities = exchange.activities
    if faults.standing("shuffle_partials") is not None:
        activities = sorted(activities, key=lambda activity: activity.id)
    if faults.standing("late_entries") is None:
        return [(activity.at_ns, activity) for activity in activities]
    created = ((one.at_ns if one.kind in TRADE_KINDS else _next_day_ns(one.at_ns), one) for one in activities)
    there = [(at, activity) for at, activity in created if at <= exchange.clock.now_ns]
    return sorted(there, key=lambda entry: entry[0])


async def list_activities(request: Request) -> Response:
    """GET by type, category, order, time or date; the next page begins after the id in `page_token`."""
    service, query = service_of(request), request.query_params
    wanted = _wanted(request)
    size = _PAGE_SIZE_MAX
    if query.get("page_size"):
        size = whole_number(query, "page_size", _PAGE_SIZE_MAX, _PAGE_SIZE_MAX)
    elif wanted.date is not None:
        size = len(service.floor.exchange.activities)
    ordered = _listed(service)
    if choice(query, "direction", "desc", {"asc", "desc"}) == "desc":
        ordered.reverse()
    page: list[JSON] = []
    for created_ns, activity in ordered[_seen(ordered, query.get("page_token")) :]:
        if len(page) >= size:
            break
        if wanted.admits(activity, created_ns):
            page.append(activity_json(activity))
    return service.answer(page)


def _wanted(request: Request) -> _Filter:
    """Raises `Refused` for what contradicts itself or is not known."""
    query = request.query_params
    kinds, category, date = listed(query, "activity_types"), query.get("category"), _date(query.get("date"))
    if category and kinds:
        raise Refused(invalid("only one of category and activity_types is accepted"))
    if category:
        if category not in _BY_CATEGORY:
            raise Refused(invalid("invalid category"))
        kinds = _BY_CATEGORY[category]
    if "kind" in request.path_params:
        kinds = frozenset({request.path_params["kind"].upper()})
    after, until = instant(query, "after"), instant(query, "until")
    if date is not None and (after is not None or until is not None):
        raise Refused(invalid("date goes with neither after nor until"))
    return _Filter(kinds, after, until, date, query.get("order_id"))


def _seen(ordered: list[tuple[int, Activity]], page_token: str | None) -> int:
    """How many activities were on the pages before."""
    if not page_token:
        return 0
    for place, (_, activity) in enumerate(ordered, 1):
        if activity.id == page_token:
            return place
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
