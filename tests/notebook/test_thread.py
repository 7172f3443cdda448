"""The engine's thread: what an interrupt cancels, and what it must not tear."""

from __future__ import annotations

import signal
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tradecore_notebook.interrupts import uninterrupted
from tradecore_notebook.thread import EngineThread
from tradecore_notebook.turnstile import Turnstile

PATIENCE_S = 20.0


class Interrupted(EngineThread):
    """Its caller is interrupted just when the work was handed over."""

    def start(self, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Future[Any]:
        future = super().start(work, *arguments)
        signal.raise_signal(signal.SIGINT)
        return future


@pytest.mark.parametrize("kind", [EngineThread, Interrupted])
def test_what_an_interrupted_caller_waited_for_is_canceled(kind: type[EngineThread]) -> None:
    canceled = threading.Event()

    async def wait() -> None:
        if kind is EngineThread:
            main = threading.main_thread().ident
            assert main is not None
            threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGINT)).start()
        try:
            await anyio.sleep_forever()
        finally:
            canceled.set()

    engine = kind()
    with pytest.raises(KeyboardInterrupt):
        engine.call(wait)
    assert canceled.wait(PATIENCE_S)
    assert EngineThread.start(engine, anyio.sleep, 0).result(PATIENCE_S) is None  # the loop goes on


def test_a_call_that_takes_too_long_is_canceled() -> None:
    engine = EngineThread()
    with pytest.raises(TimeoutError):
        engine.call(anyio.sleep_forever, timeout_s=0.01)
    assert engine.call(anyio.sleep, 0) is None


def test_an_interrupt_is_raised_behind_what_must_be_done_whole() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_turnstile_lets_through_what_it_is_told() -> None:
    async def play() -> list[int]:
        turnstile, seen = Turnstile(), []

        async def market() -> None:
            for _ in range(10):
                await turnstile.turn()
            turnstile.end()

        async with anyio.create_task_group() as group:
            group.start_soon(market)
            for steps in (1, 3, None):
                await turnstile.rest()
                seen.append(turnstile.passed)
                turnstile.allow(steps)
            await anyio.wait_all_tasks_blocked()
            await turnstile.rest()
            seen.append(turnstile.passed)
        return seen

    assert anyio.run(play) == [0, 1, 4, 10]


def test_a_turnstile_that_is_held_withdraws_what_was_allowed() -> None:
    async def play() -> int:
        turnstile = Turnstile()

        async def market() -> None:
            while True:
                await turnstile.turn()
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(market)
            turnstile.allow(1_000_000)
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            turnstile.hold()
            await turnstile.rest()
            group.cancel_scope.cancel()
        return turnstile.passed

    assert 0 < anyio.run(play) < 100
