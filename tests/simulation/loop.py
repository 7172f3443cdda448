"""An event loop in virtual time: what runs next is drawn from the seed, and time jumps to the next timer.

Callbacks belong to a host, a simulated process, by a context variable that tasks inherit. The callbacks of one host run
in the order in which they became ready, as asyncio promises; which host goes next is drawn. A host can be killed (none
of its callbacks ever runs again, not even a `finally`), and paused (they wait, and so do its timers that fall due).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import random
import signal
import sys
import warnings
from collections.abc import Coroutine
from typing import Any

from anyio._backends import _asyncio as backend

from tests.simulation.hosts import HOST, Host, Killed, Livelock

_LONGEST_MOMENT = 5_000
_PATIENCE = 1_000
_DELIVER = backend.CancelScope._deliver_cancellation


class _Handle:
    """What asyncio's handle does where nobody debugs."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context")

    def __init__(self, callback: Any, args: tuple[Any, ...], context: contextvars.Context | None) -> None:
        self._callback = callback
        self._args = args
        self._context = contextvars.copy_context() if context is None else context
        self._cancelled = False

    def cancel(self) -> None:
        """Have it not run."""
        self._cancelled = True
        self._callback = None
        self._args = ()

    def cancelled(self) -> bool:
        """Whether it will not run."""
        return self._cancelled


class _Timer(_Handle):
    """A handle with its time."""

    __slots__ = ("_when",)

    def __init__(self, when: float, callback: Any, args: tuple[Any, ...], context: contextvars.Context | None) -> None:
        self._when = when
        super().__init__(callback, args, context)

    def when(self) -> float:
        """Seconds, by the loop."""
        return self._when


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs everything that a seed simulates."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = random.Random(f"loop:{seed}")
        self.world = Host("world")
        self.steps = 0
        self.hosts: set[Host] = set()
        self.failures: list[dict[str, Any]] = []
        self._time = 0.0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._number = 0
        self._busy: list[Host] = []
        self._retries: list[_Handle] = []
        self._has_moved = False
        self._moment = 0
        self.set_exception_handler(self._failed)

    # --- hosts ------------------------------------------------------------------------------------------------------

    def start(self, host: Host, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as a task of a host."""
        context = contextvars.copy_context()
        context.run(HOST.set, host)
        task = self.create_task(work, context=context)
        self.hosts.add(host)
        return task

    def kill(self, host: Host) -> None:
        """End a host where it stands."""
        host.is_dead = True
        host.ready.clear()
        if host in self._busy:
            self._busy.remove(host)

    def pause(self, host: Host) -> None:
        """Stop a host for a while, as SIGSTOP does."""
        host.is_paused = True
        if host in self._busy:
            self._busy.remove(host)

    def resume(self, host: Host) -> None:
        """Let a paused host go on."""
        if not host.is_paused:
            return
        host.is_paused = False
        if host.ready and host.runs:
            self._busy.append(host)

    def send_signal(self, host: Host, number: signal.Signals) -> bool:
        """Deliver a signal to a host that listens for it; False when none does."""
        known = host.signals.get(number)
        if known is None or not host.runs:
            return False
        context = contextvars.copy_context()
        context.run(HOST.set, host)
        self.call_soon(known[0], *known[1], context=context)
        return True

    # --- asyncio ----------------------------------------------------------------------------------------------------

    def time(self) -> float:
        return self._time

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> _Handle:
        handle = _Handle(callback, args, context)
        if getattr(callback, "__func__", None) is _DELIVER:
            self._retries.append(handle)
            return handle
        host = handle._context.get(HOST, self.world)
        if not host.is_dead:
            if not host.ready and not host.is_paused:
                self._busy.append(host)
            host.ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> _Timer:
        return self.call_at(self._time + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> _Timer:
        timer = _Timer(when, callback, args, context)
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, timer))
        return timer

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:  # type: ignore[override]
        HOST.get().signals[sig] = (callback, args)

    def remove_signal_handler(self, sig: int) -> bool:
        return HOST.get().signals.pop(sig, None) is not None

    def _write_to_self(self) -> None:
        pass

    def _process_events(self, _events: Any) -> None:
        pass

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        pass

    # --- running ----------------------------------------------------------------------------------------------------

    def _ready_now(self, handle: Any) -> None:
        host = handle._context.get(HOST, self.world)
        if host.is_dead:
            return
        if not host.ready and not host.is_paused:
            self._busy.append(host)
        host.ready.append(handle)

    def _run_once(self) -> None:
        busy = self._busy
        if not busy:
            self._wait()
            return
        host = busy[0] if len(busy) == 1 else busy[int(self.rng.random() * len(busy))]
        handle: Any = host.ready.popleft()
        if not host.ready:
            busy.remove(host)
        if handle._cancelled:
            return
        host.steps += 1
        self.steps += 1
        self._moment += 1
        if not self._has_moved and getattr(handle._callback, "__func__", None) is not _DELIVER:
            self._has_moved = True
        if self._retries and self._moment % _PATIENCE == 0:
            self._retry()  # somebody yields until a cancellation reaches it
        if self._moment > _LONGEST_MOMENT:
            self.stop()
            raise Livelock(f"{_LONGEST_MOMENT} steps at {self._time} s; the last one is of {host.name}: {handle}")
        if host.at_step is not None and host.steps >= host.at_step[0]:
            strike, host.at_step = host.at_step[1], None
            strike()
            if not host.runs:
                if host.is_paused:
                    host.ready.appendleft(handle)
                return
        try:
            handle._context.run(handle._callback, *handle._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - told, as asyncio does
            self.call_exception_handler({"message": "a callback failed", "exception": error, "handle": handle})

    def _wait(self) -> None:
        """Nothing is ready: cancellations are delivered again after whatever moved, else time goes on."""
        if self._retries and self._has_moved:
            self._has_moved = False
            self._retry()
            return
        while self._timers:
            when, _, timer = heapq.heappop(self._timers)
            if timer._cancelled:
                continue
            if when > self._time:
                self._time = when
                self._moment = 0
            self._ready_now(timer)
            while self._timers and self._timers[0][0] <= self._time:
                _, _, other = heapq.heappop(self._timers)
                if not other._cancelled:
                    self._ready_now(other)
            if self._busy:
                return
        self.stop()
        raise Livelock("nothing is left that could ever happen")

    def _retry(self) -> None:
        """anyio delivers a cancellation again in every round, which would keep time from going on."""
        retries, self._retries = self._retries, []
        for handle in retries:
            if not handle._cancelled:
                self._ready_now(handle)

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Killed):
            self.failures.append(context)

    # --- the end ----------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Let go of everything that still waits: nothing of it does anything any more."""
        for host in (*self.hosts, self.world):
            host.is_dead = True
            host.ready.clear()
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                waiting: list[Any] = list(asyncio.all_tasks(self))
                for task in waiting:
                    task._log_destroy_pending = False
                    with contextlib.suppress(BaseException):  # a collector of garbage would do it in any order
                        task.get_coro().close()
        finally:
            sys.unraisablehook = hook
        self._timers.clear()
        self._retries.clear()
        self.close()
