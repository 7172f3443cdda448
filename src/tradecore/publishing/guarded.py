"""A bus that fails in whatever way does not take events; it never ends the runner that trades."""

from __future__ import annotations

from tradecore.errors import BusUnavailable
from tradecore.ports.bus import EventBus, Publication


class Guarded:
    """Another bus, each of whose failures is that it is not available."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    async def publish(self, publications: tuple[Publication, ...]) -> None:
        """Hand on. Raises `BusUnavailable`."""
        try:
            await self._bus.publish(publications)
        except BusUnavailable:
            raise
        except Exception as error:
            raise BusUnavailable(f"the bus fails: {type(error).__name__}: {error}") from error
