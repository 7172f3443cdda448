"""Leave to move on: what a pace waits for before each step of the market."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Turn = Callable[[], Awaitable[None]]
"""Awaited before each step; everything that the step before led to is delivered by then."""


async def at_once() -> None:
    """Never wait."""
