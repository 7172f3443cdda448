"""Interrupts of a cell: held back while something must be done whole, raised right behind it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Do not raise `KeyboardInterrupt` inside the block, but behind it. For a few short steps, and not nested."""
    if threading.current_thread() is not threading.main_thread():
        yield  # interrupts reach only the main thread
        return
    came: list[int] = []

    def keep(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
