"""A watch over every request of the adapter: none may take longer than its time-out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import mock

import attrs

from tradecore_alpaca.http import AlpacaHttp

_exchange = AlpacaHttp.exchange


@attrs.define(eq=False)
class Watch:
    """The requests to one address. Times in seconds."""

    port: int
    count: int = 0
    longest_s: float = 0.0
    under_way: dict[int, float] = attrs.field(factory=dict)

    watches: ClassVar[dict[int, Watch]] = {}

    def longest(self) -> float:
        """How long the longest took, or takes already."""
        now = time.monotonic()
        return max([self.longest_s, *(now - began for began in self.under_way.values())])


async def _timed(http: AlpacaHttp, method: str, url: str, *rest: Any) -> Any:
    watch = next((one for port, one in Watch.watches.items() if f":{port}/" in url), None)
    if watch is None:
        return await _exchange(http, method, url, *rest)
    watch.count += 1
    number, began = watch.count, time.monotonic()
    watch.under_way[number] = began
    try:
        return await _exchange(http, method, url, *rest)
    finally:
        del watch.under_way[number]
        watch.longest_s = max(watch.longest_s, time.monotonic() - began)


_patch = mock.patch.object(AlpacaHttp, "exchange", _timed)


@contextmanager
def watching(port: int) -> Iterator[Watch]:
    """Watch the requests to a port of this machine; several may be watched at once."""
    if not Watch.watches:
        _patch.start()
    watch = Watch.watches[port] = Watch(port)
    try:
        yield watch
    finally:
        del Watch.watches[port]
        if not Watch.watches:
            _patch.stop()
