"""Hands make every call that they are given, each once, also when their group is canceled at that moment."""

from __future__ import annotations

import anyio

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
