"""A bus inside one process: subscribers by type, each with a bounded queue that holds the publisher back when full."""

from __future__ import annotations

from types import TracebackType

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from tradecore.ports.bus import Publication


class Subscription:
    """Publications of some types, in order: `async for publication in subscription`. Leave the context to end it."""

    def __init__(
        self, prefixes: tuple[str, ...], send: MemoryObjectSendStream[Publication],
        receive: MemoryObjectReceiveStream[Publication],
    ) -> None:  # fmt: skip
        self.prefixes = prefixes
        self._send = send
        self._receive = receive

    def wants(self, publication: Publication) -> bool:
        """Whether the subscriber asked for this type."""
        return not self.prefixes or publication.type.startswith(self.prefixes)

    async def put(self, publication: Publication) -> bool:
        """Hand one on, waiting for room; False when the subscriber is gone."""
        try:
            await self._send.send(publication)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return False
        return True

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Publication:
        return await self._receive.__anext__()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the subscription; harmless when repeated."""
        self._send.close()
        self._receive.close()


class InProcessBus:
    """Hands each publication to every subscriber that wants its type. Without subscribers it does nothing."""

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._subscriptions: list[Subscription] = []

    def subscribe(self, *prefixes: str) -> Subscription:
        """A subscription to types that begin so, such as `trade.order.`; to all without one."""
        subscription = Subscription(prefixes, *anyio.create_memory_object_stream[Publication](self._capacity))
        self._subscriptions.append(subscription)
        return subscription

    async def publish(self, publications: tuple[Publication, ...]) -> None:
        """Hand on a batch; waits for the slowest subscriber, so a queue never grows without bound."""
        for subscription in tuple(self._subscriptions):
            for publication in publications:
                if subscription.wants(publication) and not await subscription.put(publication):
                    self._subscriptions.remove(subscription)
                    break
