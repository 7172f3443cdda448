"""A wire to the server that is cut at a chosen moment of the next write."""

from __future__ import annotations

import contextlib
import socket
import threading
from enum import Enum


class Cut(Enum):
    """When to cut."""

    BEFORE_THE_QUERY = "the server never sees the write"
    BEFORE_THE_ANSWER = "the server has done it, and nobody hears of that"
    CLIENT_ONLY = "the server goes on with it, not knowing that the client is gone"


class Cutter:
    """Passes everything on to a port of this host; `arm` makes the next write meet a cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._armed: tuple[bytes, Cut] | None = None
        self.is_down = False
        self.goes_down_with_the_cut = False
        self.cuts = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, mark: bytes, cut: Cut, *, then_down: bool = False) -> None:
        """Cut at the next bytes from a client that hold `mark`; `then_down` keeps everybody out from then on."""
        self._armed = (mark, cut)
        self.goes_down_with_the_cut = then_down

    def close(self) -> None:
        """Hang up on everybody."""
        for each in (self._door, *self._open):
            _hang_up(each)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                if self.is_down:
                    _hang_up(client)
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += (client, server)
                muted = threading.Event()
                threading.Thread(target=self._forth, args=(client, server, muted), daemon=True).start()
                threading.Thread(target=self._back, args=(client, server, muted), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                armed = self._armed
                if armed is not None and armed[0] in data:
                    self._armed = None
                    self.cuts += 1
                    self.is_down = self.goes_down_with_the_cut
                    muted.set()
                    if armed[1] is not Cut.BEFORE_THE_QUERY:
                        server.sendall(data)
                    if armed[1] is Cut.BEFORE_THE_ANSWER:
                        continue
                    _hang_up(client)
                    if armed[1] is Cut.CLIENT_ONLY:
                        return
                    break
                server.sendall(data)
        _hang_up(server)

    def _back(self, client: socket.socket, server: socket.socket, muted: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if muted.is_set():
                    break
                client.sendall(data)
        _hang_up(client)
        _hang_up(server)


def _hang_up(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()
