"""How every journal wakes those who wait for it, as tests; part of `tradecore.testing.journal_contract`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tradecore.journal.contract import Journal
from tradecore.testing.journal_samples import run

_TOO_LONG_S = 20


class WaitingContract:
    """The promises of `Journal.wait`, on the `journal` fixture."""

    def test_waiting_ends_at_once_when_there_is_something(self, journal: Journal) -> None:
        journal.append(run("a", 1, 1))
        assert asyncio.run(journal.wait(0, 60))

    def test_waiting_ends_empty_handed_when_time_is_up(self, journal: Journal) -> None:
        assert not asyncio.run(journal.wait(0, 0.01))
        assert not asyncio.run(journal.wait(0, 0))

    def test_an_append_wakes_every_waiter(self, journal: Journal) -> None:
        async def scene(append: Callable[[], object]) -> list[bool]:
            after = journal.head()
            waiters = [asyncio.create_task(journal.wait(after, 60)) for _ in range(3)]
            await asyncio.sleep(0)
            append()
            async with asyncio.timeout(_TOO_LONG_S):
                return await asyncio.gather(*waiters)

        def in_a_thread() -> None:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(journal.append, run("b", 1, 1)).result()

        assert asyncio.run(scene(lambda: journal.append(run("a", 1, 1)))) == [True] * 3
        assert asyncio.run(scene(in_a_thread)) == [True] * 3

    def test_a_waiter_that_gave_up_does_no_harm(self, journal: Journal) -> None:
        async def scene() -> None:
            waiter = asyncio.create_task(journal.wait(0, 60))
            await asyncio.sleep(0)
            waiter.cancel()
            await asyncio.gather(waiter, return_exceptions=True)
            journal.append(run("a", 1, 1))

        asyncio.run(scene())
        assert journal.head() == 1
