"""An exchange of two symbols on a port of this machine, and a client that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exchange.play import Play, small_floor
from tradecore_exchange import ExchangeServer


@pytest.fixture
def play() -> Iterator[Play]:
    """A running exchange in lockstep."""
    with ExchangeServer(small_floor()) as server, Play(server) as play:
        yield play


@pytest.fixture(scope="module")
def shared() -> Iterator[Play]:
    """The same for tests that change nothing."""
    with ExchangeServer(small_floor()) as server, Play(server) as play:
        yield play
