"""The log of the engine: kept for the status, because what a thread prints ends up in whatever cell is on."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import MutableMapping
from typing import Any

import structlog

_KEPT = 200
LINES: deque[str] = deque(maxlen=_KEPT)
"""The last warnings and errors, oldest first."""


def keep_log() -> None:
    """Keep what structlog is given, from warnings on; a configuration of the user's own stays as it is."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(utc=True), _keep],
            wrapper_class=structlog.make_filtering_bound_logger(30),
        )


def _keep(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    at = dt.datetime.fromtimestamp(event.pop("timestamp"), dt.UTC)
    level, message = event.pop("level"), event.pop("event")
    fields = " ".join(f"{key}={value}" for key, value in event.items() if key != "exc_info")
    LINES.append(f"{at:%H:%M:%S} {level} {message} {fields}".rstrip())
    raise structlog.DropEvent
