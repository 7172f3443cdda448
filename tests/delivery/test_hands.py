"""Hands make every call that they are given, each once, also when their group is canceled at that moment."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskGroup

from tradecore.outbox.hands import Hands
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item


def item(key: str, kind: Kind = Kind.SUBMIT) -> Item:
    return Item(key, kind, Priority.TRADE, key)


def test_a_hand_that_is_done_makes_the_next_call() -> None:
    async def story() -> None:
        made: list[str] = []

        async def call(given: Item, _: float) -> None:
            await anyio.lowlevel.checkpoint()
            made.append(given.key)

        hands = Hands(call)
        async with anyio.create_task_group() as group:
            for number in range(20):
                hands.give(group, item(str(number)), 0.0)
                if number % 3 == 0:
                    await anyio.wait_all_tasks_blocked()
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert sorted(made, key=int) == [str(number) for number in range(20)]

    anyio.run(story)


def test_a_hand_that_was_canceled_while_it_waited_is_given_nothing() -> None:
    async def story() -> None:
        made: list[str] = []

        async def call(given: Item, _: float) -> None:
            await anyio.lowlevel.checkpoint()
            made.append(given.key)

        hands = Hands(call)
        async with anyio.create_task_group() as group:
            hands.give(group, item("first"), 0.0)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()  # the hand's wait is canceled, and its task has not run yet
            hands.give(group, item("second"), 0.0)
        assert made == ["first", "second"]  # an instruction is given and finished, whoever cancels

    anyio.run(story)


def test_a_question_ends_with_its_group() -> None:
    async def story() -> None:
        begun: list[str] = []
        ended: list[str] = []

        async def call(given: Item, _: float) -> None:
            begun.append(given.key)
            await anyio.sleep(600)
            ended.append(given.key)

        hands = Hands(call)
        async with anyio.create_task_group() as group:
            hands.give(group, item("look-up", Kind.RESOLVE), 0.0)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert (begun, ended) == (["look-up"], [])

    anyio.run(story)


class Counting:
    """A group that counts the tasks that it is given."""

    def __init__(self, group: TaskGroup) -> None:
        self._group, self.begun = group, 0
        self.cancel_scope = group.cancel_scope

    def start_soon(self, *arguments: Any) -> None:
        self.begun += 1
        self._group.start_soon(*arguments)


def test_a_call_needs_a_new_hand_only_while_all_others_are_busy() -> None:
    async def story() -> None:
        done: list[str] = []
        go_on = anyio.Event()

        async def call(given: Item, _: float) -> None:
            if given.key == "long":
                await go_on.wait()
            done.append(given.key)

        hands = Hands(call)
        async with anyio.create_task_group() as group:
            counting: Any = Counting(group)
            for key in ("first", "second", "third"):
                hands.give(counting, item(key), 0.0)
                await anyio.wait_all_tasks_blocked()
            assert counting.begun == 1
            hands.give(counting, item("long"), 0.0)
            hands.give(counting, item("fourth"), 0.0)
            await anyio.wait_all_tasks_blocked()
            assert (counting.begun, done) == (2, ["first", "second", "third", "fourth"])
            go_on.set()
            await anyio.wait_all_tasks_blocked()
            for key in ("fifth", "sixth"):
                hands.give(counting, item(key), 0.0)
            await anyio.wait_all_tasks_blocked()
            assert (counting.begun, sorted(done[4:])) == (2, ["fifth", "long", "sixth"])
            group.cancel_scope.cancel()

    anyio.run(story)


def test_a_hand_is_told_when_its_attempt_was_recorded() -> None:
    async def story() -> None:
        heard: list[float] = []

        async def call(_: Item, marked_at: float) -> None:
            heard.append(marked_at)

        hands = Hands(call)
        async with anyio.create_task_group() as group:
            for at in (1.5, 2.5):
                hands.give(group, item("a"), at)
                await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert heard == [1.5, 2.5]

    anyio.run(story)
