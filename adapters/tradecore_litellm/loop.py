"""One event loop in one thread for all of litellm's life in a process: its clients leak with every loop they see."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")
_lock = threading.Lock()
_loops: list[asyncio.AbstractEventLoop] = []


async def run_there(work: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine in that loop and wait here; cancelling here cancels it there."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="tradecore-litellm", daemon=True).start()
            _loops.append(loop)
        return _loops[0]
