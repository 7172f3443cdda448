"""Frames of the two streams: JSON, or MessagePack for clients that say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.websockets import WebSocket

JSON = Any


def speaks_msgpack(socket: WebSocket) -> bool:
    """True when the client asked for MessagePack."""
    return socket.headers.get("content-type", "") == "application/msgpack"


def decode(message: Mapping[str, JSON]) -> dict[str, JSON] | None:
    """The object in a client's frame of either codec, or None when there is no object in it."""
    text, data = message.get("text"), message.get("bytes")
    attempts = ((text, msgspec.json.decode), (data, msgspec.msgpack.decode), (data, msgspec.json.decode))
    for raw, read in attempts:
        if raw is None:
            continue
        try:
            value = read(raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None
