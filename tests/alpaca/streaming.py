"""A stream of trade updates as a test plays and reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio

from tests.alpaca.recorded import AUTHORIZED, LISTENING
from tests.alpaca.scripted_socket import Peer
from tradecore.ports.broker import Report

PATIENCE_S = 5.0


async def welcome(peer: Peer) -> None:
    await peer.hear()
    await peer.say(AUTHORIZED, binary=True)
    await peer.hear()
    await peer.say(LISTENING, binary=True)


def telling(*messages: object, binary: bool = False) -> Any:
    async def script(peer: Peer) -> None:
        await welcome(peer)
        await peer.say(*messages, binary=binary)
        await peer.stay()

    return script


async def take(reports: AsyncIterator[Report], count: int) -> list[Report]:
    """The first reports; the stream is closed after them."""
    taken = []
    with anyio.fail_after(PATIENCE_S):
        async for report in reports:
            taken.append(report)
            if len(taken) == count:
                break
        await reports.aclose()  # type: ignore[attr-defined]
    return taken
