"""`/_ctl/faults`: arm faults, follow a plan, and read what struck."""

from __future__ import annotations

from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore_exchange.fault_plan import plan_from
from tradecore_exchange.faults import fault_from
from tradecore_exchange.service import Service, read_body, service_of

JSON = Any


def _plan(service: Service) -> JSON:
    plan = service.faults.plan
    if plan is None:
        return None
    terms = attrs.asdict(plan.terms)
    return {**terms, "kinds": sorted(terms["kinds"]), "targets": sorted(terms["targets"]), "struck": plan.struck}


def _armed(service: Service) -> Response:
    armed = [attrs.asdict(fault) for fault in service.faults.armed]
    return service.answer({"armed": armed, "plan": _plan(service)})


async def arm(request: Request) -> Response:
    """POST a fault; a cut of the stream happens at once unless `on_update`."""
    service = service_of(request)
    service.arm(fault_from(await read_body(request)))
    return _armed(service)


async def list_faults(request: Request) -> Response:
    """GET what is armed, and the plan."""
    return _armed(service_of(request))


async def clear_faults(request: Request) -> Response:
    """DELETE all faults and the plan; hanging requests are let go."""
    service = service_of(request)
    service.faults.clear()
    return service.nothing()


async def follow(request: Request) -> Response:
    """POST `{"seed", "intensity", ...}`: from now on requests and messages are struck by this plan."""
    service = service_of(request)
    service.follow(plan_from(await read_body(request)))
    return _armed(service)


async def read_log(request: Request) -> Response:
    """GET what struck, oldest first."""
    service = service_of(request)
    return service.answer({"log": list(service.faults.log.lines)})


ROUTES = [
    Route("/_ctl/faults", arm, methods=["POST"]),
    Route("/_ctl/faults", list_faults, methods=["GET"]),
    Route("/_ctl/faults", clear_faults, methods=["DELETE"]),
    Route("/_ctl/faults/plan", follow, methods=["POST"]),
    Route("/_ctl/faults/log", read_log, methods=["GET"]),
]
