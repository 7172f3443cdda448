"""What group commit promises on every journal, as tests. Subclass `GroupContract` and override its fixture."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from tradecore import failpoints
from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Recorded
from tradecore.errors import InputError, StoreUnavailable, WrongVersion
from tradecore.journal import GroupCommit
from tradecore.journal.contract import Groupable
from tradecore.testing.chain_contract import assert_chained
from tradecore.testing.journal_samples import recorded, run

Appended = tuple[Recorded[Event], ...]
_TOO_LONG_S = 30


@attrs.define
class Gate:
    """Holds the first commit back, so that what comes meanwhile forms one group; counts the members of each."""

    journal: Groupable
    sizes: list[int] = attrs.field(factory=list)
    _reached: threading.Event = attrs.field(factory=threading.Event)
    _open: threading.Event = attrs.field(factory=threading.Event)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand in front of the journal."""
        alone, together = self.journal.append_batch, self.journal.append_each

        def append_batch(batch: Any) -> int:
            self.sizes.append(1)
            if "gate" in batch.streams:
                self._reached.set()
                assert self._open.wait(_TOO_LONG_S)
            return alone(batch)

        def append_each(batches: Sequence[Any]) -> Sequence[int | None]:
            self.sizes.append(len(batches))
            return together(batches)

        patch.setattr(self.journal, "append_batch", append_batch)
        patch.setattr(self.journal, "append_each", append_each)

    @contextmanager
    def held(self, pool: ThreadPoolExecutor, grouped: GroupCommit) -> Iterator[None]:
        """The first commit is under way inside of the block, and done after it."""
        first = pool.submit(grouped.append, run("gate", 1, 1))
        assert self._reached.wait(_TOO_LONG_S)
        yield
        self._open.set()
        first.result(_TOO_LONG_S)


def until_waiting(grouped: GroupCommit, count: int) -> None:
    """Until so many appends are in the queue."""
    deadline = time.monotonic() + _TOO_LONG_S
    while len(grouped._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


class GroupContract:
    """The promises of `GroupCommit`, on the `grouped` fixture."""

    @pytest.fixture
    def grouped(self) -> Iterator[GroupCommit]:
        """Group commit over an empty journal. To be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def gate(self, grouped: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> Gate:
        """In front of its journal."""
        gate = Gate(grouped._journal)
        gate.install(monkeypatch)
        return gate

    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads to append from."""
        with ThreadPoolExecutor(12) as pool:
            yield pool

    def _together(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate, appends: Sequence[list[Recorded[Event]]]
    ) -> list[Future[Appended]]:
        """Let appends wait in this order, and then commit."""
        futures = []
        with gate.held(pool, grouped):
            for number, events in enumerate(appends, 1):
                futures.append(pool.submit(grouped.append, events))
                until_waiting(grouped, number)
        return futures

    def test_appends_that_wait_share_a_commit_in_their_order(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        futures = self._together(pool, grouped, gate, [run(f"s-{n}", 1, 2) for n in range(5)])
        appended = [item for future in futures for item in future.result(_TOO_LONG_S)]
        assert gate.sizes == [1, 5]
        assert [item.envelope.position for item in appended] == list(range(2, 12))
        assert list(grouped.read(1)) == appended
        assert_chained(grouped)
        grouped.check()

    def test_a_clash_is_told_to_its_caller_alone(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        grouped_before = grouped._journal.append([*run("a", 1, 2), recorded("ids", 1, event_id="known")])
        appends = [
            run("b", 1, 2),
            run("a", 2, 2),
            [recorded("c", 1, event_id="known")],
            [recorded("d", 1, event_id="twin"), recorded("d", 2, event_id="twin")],
            [*run("e", 1, 1), *run("f", 5, 5)],
            [*run("g", 1, 1), *run("ids", 2, 2)],
        ]
        futures = self._together(pool, grouped, gate, appends)
        for number in (1, 2, 3, 4):
            with pytest.raises(WrongVersion):
                futures[number].result(_TOO_LONG_S)
        taken = [*futures[0].result(_TOO_LONG_S), *futures[5].result(_TOO_LONG_S)]
        assert gate.sizes[-1] == 6
        assert grouped.read(len(grouped_before) + 1) == tuple(taken)
        assert grouped.load("e") == grouped.load("c") == grouped.load("d") == ()
        assert_chained(grouped)

    def test_two_that_want_the_same_version_do_not_meet_in_one_commit(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        appends = [run("a", 1, 1), run("a", 1, 1), run("b", 1, 1), run("a", 2, 2)]
        first, second, other, next_ = self._together(pool, grouped, gate, appends)
        assert first.result(_TOO_LONG_S)
        assert other.result(_TOO_LONG_S)
        with pytest.raises(WrongVersion):
            second.result(_TOO_LONG_S)
        assert next_.result(_TOO_LONG_S)[0].envelope.version == 2
        assert gate.sizes[1] == 2
        assert [item.envelope.version for item in grouped.load("a")] == [1, 2]

    def test_a_large_append_does_not_wait_with_others(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        futures = self._together(pool, grouped, gate, [run(f"s-{n}", 1, 600) for n in range(3)])
        assert [len(future.result(_TOO_LONG_S)) for future in futures] == [600] * 3
        assert gate.sizes == [1, 1, 1, 1]

    def test_a_bad_event_never_reaches_a_group(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        bad = AlertTriggered(kind="kind", message=7)  # type: ignore[arg-type]
        with gate.held(pool, grouped):
            good = pool.submit(grouped.append, run("a", 1, 1))
            until_waiting(grouped, 1)
            with pytest.raises(InputError):
                grouped.append([recorded("b", 1, bad)])
        assert good.result(_TOO_LONG_S)

    def test_what_fails_before_the_commit_is_told_to_all_and_leaves_nothing(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(failpoints, "_hits", {})
        monkeypatch.setattr(failpoints, "_armed", {"journal.append.before_commit": [(2, "raise")]})
        futures = self._together(pool, grouped, gate, [run(f"s-{n}", 1, 2) for n in range(4)])
        for future in futures:
            with pytest.raises(failpoints.FailpointRaised):
                future.result(_TOO_LONG_S)
        assert grouped.head() == 1
        assert grouped.append(run("a", 1, 1))[0].envelope.position == 2

    def test_when_the_leader_is_interrupted_the_others_hear_of_it_and_go_on(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        together = gate.journal.append_each

        def interrupted(_: object) -> None:
            monkeypatch.setattr(gate.journal, "append_each", together)
            raise KeyboardInterrupt

        monkeypatch.setattr(gate.journal, "append_each", interrupted)
        leader, *others = self._together(pool, grouped, gate, [run(f"s-{n}", 1, 1) for n in range(3)])
        with pytest.raises(KeyboardInterrupt):
            leader.result(_TOO_LONG_S)
        for future in others:
            with pytest.raises(StoreUnavailable, match="may or may not"):
                future.result(_TOO_LONG_S)
        assert grouped.append(run("a", 1, 1))

    def test_closing_finishes_what_waits_and_refuses_what_comes(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        with gate.held(pool, grouped):
            waiting = [pool.submit(grouped.append, run(f"s-{n}", 1, 1)) for n in range(3)]
            until_waiting(grouped, 3)
            closing = pool.submit(grouped.close)
            while not grouped._is_closed:
                time.sleep(0.001)
            with pytest.raises(StoreUnavailable, match="closed"):
                grouped.append(run("late", 1, 1))
        assert [len(future.result(_TOO_LONG_S)) for future in waiting] == [1] * 3
        closing.result(_TOO_LONG_S)
        with pytest.raises(StoreUnavailable):
            grouped.append(run("late", 1, 1))

    def test_tasks_share_commits_and_each_hears_of_its_own(self, grouped: GroupCommit) -> None:
        async def work(number: int) -> list[int]:
            done = []
            for version in range(1, 11):
                done += [
                    item.envelope.position for item in await grouped.append_soon(run(f"s-{number}", version, version))
                ]
                with pytest.raises(WrongVersion):
                    await grouped.append_soon(run(f"s-{number}", version, version))
            return done

        async def scene() -> list[list[int]]:
            return await asyncio.gather(*map(work, range(16)))

        positions = [position for done in asyncio.run(scene()) for position in done]
        assert sorted(positions) == list(range(1, 161))
        assert grouped.head() == 160
        assert_chained(grouped)

    def test_a_task_that_was_canceled_while_it_waited_has_appended_nothing(
        self, pool: ThreadPoolExecutor, grouped: GroupCommit, gate: Gate
    ) -> None:
        async def scene() -> Appended:
            with gate.held(pool, grouped):
                canceled = asyncio.create_task(grouped.append_soon(run("canceled", 1, 1)))
                other = asyncio.create_task(grouped.append_soon(run("other", 1, 1)))
                await asyncio.sleep(0)
                canceled.cancel()
                await asyncio.gather(canceled, return_exceptions=True)
            return await other

        assert asyncio.run(scene()) == grouped.load("other")
        assert grouped.load("canceled") == ()

    def test_tasks_and_threads_may_append_at_once(self, pool: ThreadPoolExecutor, grouped: GroupCommit) -> None:
        def in_thread(number: int) -> int:
            return sum(len(grouped.append(run(f"t-{number}", v, v))) for v in range(1, 21))

        async def in_task(number: int) -> int:
            return sum([len(await grouped.append_soon(run(f"a-{number}", v, v))) for v in range(1, 21)])

        async def scene() -> list[int]:
            return await asyncio.gather(*map(in_task, range(6)))

        threads = [pool.submit(in_thread, number) for number in range(6)]
        assert asyncio.run(scene()) == [20] * 6
        assert [future.result(_TOO_LONG_S) for future in threads] == [20] * 6
        assert len(assert_chained(grouped)) == 240
