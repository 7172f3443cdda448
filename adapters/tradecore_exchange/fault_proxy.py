"""`FaultProxy`: a loopback listener in front of a server, with everything that can be wrong with a network between."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

from tradecore_exchange.direction import Direction, Over
from tradecore_exchange.toxics import PERFECT, Toxics, Wire, wire_by_seed

_START_S = 10.0
_RESET = struct.pack("ii", 1, 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    wire = writer.get_extra_info("socket")
    if wire is not None and not writer.transport.is_closing():
        with contextlib.suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class FaultProxy:
    """A proxy to `port` on this machine, in a thread of its own; also a context manager.

    With `seed` every connection gets what `wire_by_seed` says for its number; `next` and `always` go before it. With
    `begun` false the wires are perfect until `begin`.
    `wires` is what each connection got, in order.

    Raises:
        OSError: on start, when no port is free.
    """

    def __init__(
        self,
        port: int,
        *,
        seed: int | None = None,
        intensity: float = 0.3,
        begun: bool = True,
        host: str = "127.0.0.1",
    ) -> None:
        self.port = 0
        self.wires: list[Wire] = []
        self._host, self._upstream = host, port
        self._seed, self._intensity = seed, intensity
        self._next: deque[Wire] = deque()
        self._always: Wire | None = None
        self._begun = begun
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running, self._stop = asyncio.Event(), asyncio.Event()
        self._running.set()

    def begin(self) -> None:
        """Reset every connection, and let the seed decide about those that follow; they are counted from here."""
        self._begun = True
        self.wires.clear()
        self.reset_all()

    def next(self, *, up: Toxics = PERFECT, down: Toxics = PERFECT, refuse: bool = False) -> None:
        """What the next connection gets that has nothing yet."""
        self._next.append(Wire(up, down, refuse))

    def always(self, *, up: Toxics = PERFECT, down: Toxics = PERFECT, refuse: bool = False) -> None:
        """What every further connection gets."""
        self._always = Wire(up, down, refuse)

    def freeze(self) -> None:
        """Let nothing through, on any connection and in any direction, until `thaw`."""
        self._call(self._running.clear)

    def thaw(self) -> None:
        """Let everything through that has waited."""
        self._call(self._running.set)

    def reset_all(self) -> None:
        """Reset every connection now."""
        self._call(self._reset_all)

    def start(self) -> FaultProxy:
        """Listen on a free port."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault-proxy", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S) or not self.port:
            raise OSError("the proxy did not start")
        return self

    def stop(self) -> None:
        """Reset what is left, and end the thread; again does nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._call(self._stop.set)
            thread.join()

    def __enter__(self) -> FaultProxy:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _call(self, act: Callable[[], object]) -> None:
        assert self._loop is not None, "started before"
        self._loop.call_soon_threadsafe(act)

    def _reset_all(self) -> None:
        for writer in self._writers:
            _reset(writer)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connection(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        try:
            server = await asyncio.start_server(accept, self._host, 0)
            self.port = server.sockets[0].getsockname()[1]
        finally:
            self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _wire(self) -> Wire:
        number = len(self.wires) + 1
        if self._next:
            wire = self._next.popleft()
        elif self._always is not None:
            wire = self._always
        else:
            by_seed = self._seed is not None and self._begun
            wire = wire_by_seed(self._seed or 0, number, self._intensity) if by_seed else Wire()
        self.wires.append(wire)
        return wire

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire, writers = self._wire(), [writer]
        politely = False
        try:
            if wire.refuse:
                return
            up_reader, up_writer = await asyncio.open_connection(self._host, self._upstream)
            writers.append(up_writer)
            self._writers.update(writers)
            up = Direction(reader, up_writer, wire.up, self._running)
            down = Direction(up_reader, writer, wire.down, self._running)
            await self._both(up, down)
            politely = True
        except Over:
            politely = wire.up.close_after is not None or wire.down.close_after is not None
        except OSError:
            pass
        finally:
            for one in writers:
                self._writers.discard(one)
                if politely:
                    one.close()
                else:
                    _reset(one)

    async def _both(self, up: Direction, down: Direction) -> None:
        """Until both directions have ended, or one of them with an error."""
        tasks = [asyncio.ensure_future(side.pump()) for side in (up, down)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
