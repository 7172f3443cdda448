"""One direction of a connection through the proxy, with what it suffers."""

from __future__ import annotations

import asyncio
import contextlib

import attrs

from tradecore_exchange.frames import FrameCutter
from tradecore_exchange.toxics import Toxics

_CHUNK = 65_536


class Over(Exception):
    """The connection has come to the end that its wire has for it."""


@attrs.define(eq=False)
class Direction:
    """One direction: read here, written there, with what it suffers."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    toxics: Toxics
    running: asyncio.Event
    passed: int = 0
    cutter: FrameCutter | None = None

    def __attrs_post_init__(self) -> None:
        if self.toxics.cut_frame:
            self.cutter = FrameCutter(self.toxics.cut_frame)

    async def pump(self) -> None:
        """Pass on everything until the end of it, or of what the wire lets through. Raises `Over`."""
        while chunk := await self.reader.read(_CHUNK):
            await self.running.wait()
            await self._end_if_due()
            await self._pass_on(chunk)
            await self._end_if_due()
        with contextlib.suppress(OSError):
            self.writer.write_eof()

    async def _end_if_due(self) -> None:
        if self._is_at(self.toxics.blackhole_after):
            # Half-open: whoever sends fills his buffers, whoever waits waits.
            await asyncio.Event().wait()
        if self._is_at(self.toxics.reset_after) or self._is_at(self.toxics.close_after):
            raise Over

    def _is_at(self, limit: int | None) -> bool:
        return limit is not None and self.passed >= limit

    async def _pass_on(self, chunk: bytes) -> None:
        toxics = self.toxics
        cut = self.cutter.feed(chunk) if self.cutter is not None else None
        limits = (toxics.blackhole_after, toxics.close_after, toxics.reset_after)
        ends = [limit - self.passed for limit in limits if limit is not None]
        kept = chunk[: min([len(chunk), *ends, *([] if cut is None else [cut])])]
        at = None if toxics.corrupt_at is None else toxics.corrupt_at - self.passed
        if at is not None and 0 <= at < len(kept):
            kept = kept[:at] + bytes([kept[at] ^ 0x15]) + kept[at + 1 :]
        self.passed += len(kept)
        size = toxics.slice_bytes or len(kept) or 1
        for start in range(0, len(kept), size):
            piece = kept[start : start + size]
            await self._wait(len(piece))
            self.writer.write(piece)
            await self.writer.drain()
        if cut is not None:
            raise Over

    async def _wait(self, size: int) -> None:
        toxics = self.toxics
        # From the place in the stream and not by chance, so that it comes alike again.
        jitter_ms = toxics.jitter_ms * ((self.passed % 7) / 6)
        pause_s = (toxics.latency_ms + jitter_ms) / 1_000 + (size / toxics.bytes_per_s if toxics.bytes_per_s else 0)
        await asyncio.sleep(pause_s)
