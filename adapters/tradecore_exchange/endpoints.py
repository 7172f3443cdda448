"""Requests by kind: the method, and the path with its names taken out."""

from __future__ import annotations

import functools
import re

BY_CLIENT_ORDER_ID = "GET /v2/orders:by_client_order_id"
SUBMIT = "POST /v2/orders"
CANCEL = "DELETE /v2/orders/{id}"
REPLACE = "PATCH /v2/orders/{id}"
ORDERS = "GET /v2/orders"
ORDER = "GET /v2/orders/{id}"
POSITIONS = "GET /v2/positions"
POSITION = "GET /v2/positions/{name}"
_NAMED = re.compile(r"(/v2/(?:orders|positions|assets|account/activities))/(.+)")
_WORDS = {"/v2/orders": "{id}", "/v2/account/activities": "{kind}"}


@functools.lru_cache(maxsize=1024)
def endpoint_of(method: str, path: str) -> str:
    """`DELETE /v2/orders/{id}`: what a request asks for, whatever the order."""
    named = _NAMED.fullmatch(path)
    return f"{method} {path}" if named is None else f"{method} {named[1]}/{_WORDS.get(named[1], '{name}')}"
