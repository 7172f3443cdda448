"""Where WebSocket frames begin and end in the bytes of one direction of a connection."""

from __future__ import annotations

_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH_BYTES = {126: 2, 127: 8}


class FrameCutter:
    """Finds the middle of the payload of frame `number`, counted from 1, after the headers of the upgrade."""

    def __init__(self, number: int) -> None:
        self._left = number
        self._unread = b""
        self._upgraded = False

    def feed(self, data: bytes) -> int | None:
        """How many bytes of `data` come before the cut, or None when it is not in them."""
        before = len(self._unread)
        self._unread += data
        at = 0
        if not self._upgraded:
            end = self._unread.find(_END_OF_HEADERS)
            if end < 0:
                return None
            self._upgraded, at = True, end + len(_END_OF_HEADERS)
        while (frame := self._frame(at)) is not None:
            payload_at, payload = frame
            if self._left == 1 and payload_at + payload // 2 <= len(self._unread):
                return max(0, payload_at + payload // 2 - before)
            if payload_at + payload > len(self._unread):
                break
            self._left -= 1
            at = payload_at + payload
        self._unread = self._unread[at:]
        return None

    def _frame(self, at: int) -> tuple[int, int] | None:
        """Where the payload of the frame at `at` begins, and how long it is; None when its header is not complete."""
        header = self._unread[at : at + 2]
        if len(header) < 2:
            return None
        length, mask = header[1] & 0x7F, 4 if header[1] & 0x80 else 0
        extended = _LENGTH_BYTES.get(length, 0)
        start = at + 2 + extended + mask
        if start > len(self._unread):
            return None
        if extended:
            length = int.from_bytes(self._unread[at + 2 : at + 2 + extended])
        return start, length
