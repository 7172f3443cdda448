"""A connection pooler in transaction mode, in the smallest form that is one.

It speaks the handshake itself, as they all do, and lends its only backend to a client until the client's transaction is
over. (PostgreSQL documentation, "Frontend/Backend Protocol".)
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading

import psycopg

_STARTUP_V3, _SSL, _GSS = 196_608, 80_877_103, 80_877_104


class Pooler:
    """Listens on a port of its own; `close` ends it."""

    def __init__(self, url: str) -> None:
        self._login = psycopg.connect(url)
        self._backend = socket.socket(fileno=os.dup(self._login.fileno()))
        self._backend.setblocking(True)
        self._lent = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody."""
        for each in (self._door, self._backend, *self._clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._login.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._greet(client)
            while True:
                kind, body = _message(client)
                if kind == b"X":
                    return
                with self._lent:
                    self._transaction(client, kind, body)

    def _greet(self, client: socket.socket) -> None:
        while True:
            (length,) = struct.unpack(">I", _exactly(client, 4))
            (code,) = struct.unpack(">I", _exactly(client, length - 4)[:4])
            if code in (_SSL, _GSS):
                client.sendall(b"N")
                continue
            assert code == _STARTUP_V3
            break
        facts = {"server_version": "15.0", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
        client.sendall(_packed(b"R", struct.pack(">I", 0)))
        for name, value in facts.items():
            client.sendall(_packed(b"S", f"{name}\0{value}\0".encode()))
        client.sendall(_packed(b"K", os.urandom(8)) + _packed(b"Z", b"I"))

    def _transaction(self, client: socket.socket, kind: bytes, body: bytes) -> None:
        while True:
            self._backend.sendall(_packed(kind, body))
            if kind in (b"Q", b"S"):
                status = b""
                while not status:
                    answer, content = _message(self._backend)
                    client.sendall(_packed(answer, content))
                    status = content if answer == b"Z" else b""
                if status == b"I":
                    return
            kind, body = _message(client)


def _packed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    return head[:1], _exactly(source, struct.unpack(">I", head[1:])[0] - 4)


def _exactly(source: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        piece = source.recv(size - len(content))
        if not piece:
            raise EOFError
        content += piece
    return content
