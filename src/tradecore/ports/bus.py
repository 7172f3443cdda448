"""Publishing beyond the ledger, as a need."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import attrs


@attrs.frozen
class Publication:
    """Something that happened, for whoever listens. `data` and `metadata` are plain JSON values.

    `metadata` says where an event of the ledger is (`ledger`, `stream`, `version`, `position`); a signal, which no
    ledger holds, has none of these. `time_ns` is UTC nanoseconds since 1970.
    """

    event_id: str
    type: str
    schema: int
    time_ns: int
    source: str
    correlation_id: str
    causation_id: str | None
    trace_id: str
    actor: str
    metadata: Mapping[str, str | int]
    data: Mapping[str, Any]


class EventBus(Protocol):
    """Takes events of the ledger at least once, in the ledger's order, after they are durable."""

    async def publish(self, publications: tuple[Publication, ...]) -> None:
        """Hand on a batch. Raises `BusUnavailable` when it could not: it will be handed on again, whole."""


class OpenBus(Protocol):
    """What the entry points `tradecore.buses` name, and `publishing.bus` in a file."""

    def __call__(self, settings: object) -> AbstractAsyncContextManager[EventBus]:
        """Open the bus of `tradecore.settings.Settings`; closing it ends every connection it made.

        Whoever is at the other end need not be there yet: that is for `publish` to say.
        """
