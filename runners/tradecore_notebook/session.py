"""A session: reads the ledger from the first moment, and trades from the moment at which it takes the lease."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tradecore.errors import InputError, SessionRefused
from tradecore.journal.url import shown
from tradecore.ports.strategy import Strategy
from tradecore.settings import load_settings
from tradecore_notebook import logs
from tradecore_notebook.ledger import ReadOnlyLedger, open_ledger
from tradecore_notebook.run import Run
from tradecore_notebook.standing import after_interrupt, described, raise_here, status_of
from tradecore_notebook.status import Status
from tradecore_notebook.thread import ENGINE

_LAST_S = 20.0
_STOPPED = "told to stop by the notebook"


class Session:
    """The shipped engine in the kernel's engine thread. Every method that moves has a twin for `await`: `astart`, …"""

    def __init__(
        self,
        ledger: str | None = None,
        *,
        config: str | Path | None = None,
        strategy: Callable[[], Strategy] | Mapping[str, Any] | str | None = None,
        **tables: Mapping[str, Any],
    ) -> None:
        """Settings as `python -m tradecore.runner` takes them: a TOML file, the environment, then what is given here.

        `strategy` is the name of an installed one, a table with its name and parameters, or a class (or function
        without arguments) that makes one: each run gets a new one. Other arguments are tables of settings, such as
        `market_data={"days": 1}`. Nothing is opened yet.

        Raises `ConfigurationError`, and `InputError` for a ledger that ends with the run.
        """
        overrides: dict[str, Any] = {name: dict(table) for name, table in tables.items()}
        if ledger is not None:
            overrides["ledger"] = ledger
        if strategy is not None and not callable(strategy):
            overrides["strategy"] = {"name": strategy} if isinstance(strategy, str) else dict(strategy)
        self._settings = load_settings(None if config is None else Path(config), overrides)
        if self._settings.ledger == "memory:":
            raise InputError("ledger", "memory:", "a ledger that outlives the run: sqlite:///path.db or postgresql://…")
        self._make_strategy = strategy if callable(strategy) else None
        self._run: Run | None = None
        self._reader: ReadOnlyLedger | None = None
        self._is_told = True

    # --- looking ----------------------------------------------------------------------------------------------------

    @property
    def ledger(self) -> ReadOnlyLedger:
        """The ledger, read-only. Raises `ConfigurationError` before there is one."""
        if self._reader is None:
            self._reader = open_ledger(self._settings.ledger, keys_file=self._settings.encryption.keys_file)
        return self._reader

    @property
    def status(self) -> Status:
        """What the session does, who holds the lease, and what went wrong."""
        return status_of(self._settings, self._make_strategy, self._run)

    @property
    def traceback(self) -> str:
        """Where the error of the last run came from; empty when there was none."""
        return "" if self._run is None else self._run.traceback

    # --- moving -----------------------------------------------------------------------------------------------------

    def start(self) -> Status:
        """Take the lease if this session does not hold it, and let the market move until `pause` or `stop`.

        When the cell is interrupted before that is done, the session stops again. Raises `LeaseHeld` when somebody else
        delivers for the ledger (the session stays read-only), and what the settings, journal and broker raise.
        """
        return self._do(self._start)

    def step(self, steps: int = 1, *, timeout_s: float | None = None) -> Status:
        """Take the lease if need be, let the market move so many bar times, and wait until all they led to is done.

        On a live market a step is the next bar. An interrupt, or `timeout_s`, withdraws the steps not begun; the one
        under way ends. Raises `SessionRefused` while the market moves freely, `TimeoutError`, and as `start`.
        """
        return self._do(self._step, steps, timeout_s=timeout_s)

    def pause(self) -> Status:
        """Let the market stand still after the step under way; the lease stays here, what is open is delivered."""
        return self._do(self._pause)

    def stop(self) -> Status:
        """Drain, compare with the broker, and let go of the lease; an interrupt does not hold that up."""
        return self._do(self._stop)

    def join(self, *, timeout_s: float | None = None) -> Status:
        """Wait until the run has ended by itself: a replayed market at its end. An interrupt ends only the waiting.

        Raises what ended the run, `SessionRefused` while the market stands still, `TimeoutError`.
        """
        return self._do(self._join, timeout_s=timeout_s)

    def halt(self, reason: str) -> Status:
        """Halt trading for the account: only what reduces risk is sent from here on. `tradecore resume` undoes it."""
        return self._do(self._halt, reason)

    async def astart(self) -> Status:
        """`start` for `await`."""
        return await self._ado(self._start)

    async def astep(self, steps: int = 1) -> Status:
        """`step` for `await`."""
        return await self._ado(self._step, steps)

    async def apause(self) -> Status:
        """`pause` for `await`."""
        return await self._ado(self._pause)

    async def astop(self) -> Status:
        """`stop` for `await`."""
        return await self._ado(self._stop)

    async def ajoin(self) -> Status:
        """`join` for `await`."""
        return await self._ado(self._join)

    # --- in the thread of the engine --------------------------------------------------------------------------------

    async def _start(self) -> None:
        (await self._begin()).turnstile.allow(None)

    async def _step(self, steps: int) -> None:
        if isinstance(steps, bool) or steps < 1:
            raise InputError("steps", steps, "a number of steps above 0")
        run = await self._begin()
        if not run.can_step:
            raise SessionRefused("there is no strategy, so the market is not followed: it has no steps")
        if run.turnstile.is_free:
            raise SessionRefused("the market moves freely: pause() first")
        run.turnstile.allow(steps)
        try:
            await run.turnstile.rest()
        except BaseException:
            run.turnstile.hold()
            raise
        if run.error is not None:
            raise run.error

    async def _pause(self) -> None:
        run = self._alive()
        run.turnstile.hold()
        if run.can_step:
            await run.turnstile.rest()

    async def _stop(self) -> None:
        if self._run is not None and not self._run.has_ended:
            self._run.stop(_STOPPED)
            await self._run.ended()

    async def _join(self) -> None:
        run = self._run
        if run is None:
            return
        if not (run.has_ended or run.is_stopping or run.turnstile.is_free):
            raise SessionRefused("the market stands still: start() lets it move")
        await run.ended()
        if run.error is not None:
            raise run.error

    async def _halt(self, reason: str) -> None:
        await self._alive().halt(reason)

    async def _begin(self) -> Run:
        """The run that goes on, else a new one. Raises what keeps it from beginning."""
        run = self._run
        if run is None or run.has_ended:
            logs.keep_log()
            run = self._run = Run(self._settings, self._make_strategy)
            self._is_told = False
            _OPEN.add(self)
            ENGINE.spawn(run.go)
        try:
            await run.begun()
        except BaseException:
            run.stop("interrupted at its start")
            raise
        if run.error is not None:
            raise run.error
        if run.is_stopping:
            raise SessionRefused("the session is stopping: wait until its status says read-only")
        return run

    def _alive(self) -> Run:
        if self._run is None or self._run.has_ended:
            raise SessionRefused("this notebook does not hold the lease: start() or step() takes it")
        return self._run

    # --- between the two --------------------------------------------------------------------------------------------

    def _do(self, work: Callable[..., Awaitable[None]], *arguments: Any, timeout_s: float | None = None) -> Status:
        try:
            ENGINE.call(work, *arguments, timeout_s=timeout_s)
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted: {after_interrupt(self._run)}\n")
            raise
        except BaseException as error:  # noqa: BLE001 - raised again
            self._is_told = True
            raise_here(error)
        return self.status

    async def _ado(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> Status:
        try:
            await ENGINE.acall(work, *arguments)
        except Exception as error:  # noqa: BLE001 - raised again
            self._is_told = True
            raise_here(error)
        return self.status

    def untold(self) -> str | None:
        """The error that ended the last run, for who did not see it yet; once."""
        run = self._run
        if run is None or run.error is None or self._is_told:
            return None
        self._is_told = True
        return f"session of {shown(self._settings.ledger)} failed behind this cell: {described(run.error)}"

    def _repr_html_(self) -> str:
        return self.status._repr_html_()

    def __repr__(self) -> str:
        return repr(self.status)


_OPEN: set[Session] = set()
"""Sessions that have had a run."""


def untold() -> list[str]:
    """Errors that ended runs behind cells, each once."""
    return [message for session in list(_OPEN) if (message := session.untold()) is not None]


def stop_all() -> None:
    """Stop every session of this kernel, also those that no name is left for."""
    ENGINE.call(_stop_all)


async def _stop_all() -> None:
    for session in list(_OPEN):
        await session._stop()


def _stop_at_exit() -> None:
    """A kernel that ends in good order lets go of its leases; one that is killed leaves that to the next start."""
    with suppress(Exception):
        ENGINE.call(_stop_all, timeout_s=_LAST_S)


ENGINE.before_exit = _stop_at_exit
