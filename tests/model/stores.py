"""The stores of one example: each with two writers that are opened, crash, and are opened again."""

from __future__ import annotations

from collections.abc import Callable

from tradecore import failpoints
from tradecore.journal import open_journal
from tradecore.journal.contract import Groupable

WRITERS = 2


class Crash(BaseException):
    """The process ends here, as far as the store can tell."""


class Store:
    """A ledger, and two processes that have it open; in memory they share one journal, which outlives them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_shared = url == "memory:"
        self.writers: list[Groupable] = [open_journal(url)]
        while len(self.writers) < WRITERS:
            self.writers.append(self.writers[0] if self._is_shared else open_journal(url, create=False))

    def reopen(self, writer: int) -> None:
        """Another process takes the place of one."""
        if not self._is_shared:
            self.writers[writer].close()
            self.writers[writer] = open_journal(self.url, create=False)

    def crash(self, writer: int, place: str, step: Callable[[Groupable], object]) -> bool:
        """Take a step and die at a failpoint of it; whether the step came so far. Then there is another process."""
        died = False

        def strike(name: str) -> None:
            if name == place:
                raise Crash(name)

        failpoints.watch(strike)
        try:
            step(self.writers[writer])
        except Crash:
            died = True
        finally:
            failpoints.watch(None)
        if died:
            self.reopen(writer)
        return died

    def close(self) -> None:
        """Let go of it."""
        for journal in self.writers:
            journal.close()
