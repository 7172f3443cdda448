"""The garbage collector, paused while many objects are made that all stay: a third of the time of decoding goes there.

None of them is garbage yet, and nothing here makes cycles; what others leave behind meanwhile waits a few milliseconds.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pausing = 0
_was_enabled = False


@contextmanager
def collector_paused() -> Iterator[None]:
    """Until the last thread leaves the block, no collection starts by itself."""
    global _pausing, _was_enabled  # noqa: PLW0603 - there is one collector
    with _lock:
        if _pausing == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pausing += 1
    try:
        yield
    finally:
        with _lock:
            _pausing -= 1
            if _pausing == 0 and _was_enabled:
                gc.enable()
