"""Whatever happens to the one POST, there is exactly one live order and the ledger knows it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import anyio
import pytest

from tests.delivery.rig import open_rig
from tradecore.domain import commands as cmd

AMBIGUOUS: dict[str, dict[str, Any]] = {
    "504 after accept": {"kind": "http_504", "after_accept": True},
    "504 before accept": {"kind": "http_504"},
    "500 after accept": {"kind": "http_500", "after_accept": True},
    "502 html after accept": {"kind": "http_502", "after_accept": True},
    "hang after accept": {"kind": "hang", "ms": 3000, "after_accept": True},
    "hang before accept": {"kind": "hang", "ms": 3000},
    "reset after accept": {"kind": "reset", "after_accept": True},
    "reset before accept": {"kind": "reset"},
    "empty 200 after accept": {"kind": "empty_200", "after_accept": True},
    "garbage 200 after accept": {"kind": "garbage_200", "after_accept": True},
    "302 after accept": {"kind": "redirect_302", "after_accept": True},
    "503 after accept": {"kind": "http_503", "after_accept": True},
    "429 before accept": {"kind": "http_429"},
    "429 of a gateway after accept": {"kind": "http_429", "after_accept": True},
    "a slow answer": {"kind": "delay", "ms": 200, "after_accept": True},
    "half an answer": {"kind": "cut_200"},
    "an answer without a field": {"kind": "answer_missing_field"},
    "an answer with a null": {"kind": "answer_null_field"},
    "an answer with a word that nobody knows": {"kind": "answer_unknown_word"},
}


@pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_a_fault_of_the_post_ends_in_exactly_one_live_order(fault: dict[str, Any]) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(**fault, count=1)
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            theirs = await rig.assert_exactly_one(order_id)
            assert rig.order(order_id).broker_order_id == theirs["id"]
            await rig.advance()
            await rig.until_status(order_id, "filled")
            assert rig.ledger.account("main").position("AAA").quantity == 10

    anyio.run(story)


@pytest.mark.parametrize(
    "fault",
    [AMBIGUOUS["504 after accept"], AMBIGUOUS["reset after accept"], AMBIGUOUS["429 of a gateway after accept"]],
    ids=["504", "reset", "429"],
)
def test_an_order_that_was_accepted_is_found_and_not_sent_again(fault: dict[str, Any]) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(**fault, count=1)
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            posts = (await rig.seen())["posts"]
            assert posts[rig.order(order_id).client_order_id] == 1

    anyio.run(story)


def test_a_refusal_is_final_and_its_reason_is_kept() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place(qty="100000000")
            await rig.until_status(order_id, "rejected")
            assert (await rig.seen())["orders"] == []
            events = [item.event for item in rig.ledger.journal.load(f"order-{order_id}")]
            assert "buying power" in events[-1].message  # type: ignore[attr-defined]
            assert events[-1].code == "403/40310000"  # type: ignore[attr-defined]
            assert rig.ledger.account("main").reservations == {}

    anyio.run(story)


def test_a_not_yet_visible_order_is_not_sent_twice() -> None:
    """The look-up says 404 for a while although the order was accepted: absent is not gone."""

    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="lookup_404", ms=150, count=5)
            await rig.arm(kind="http_504", after_accept=True, count=1)
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            await rig.assert_exactly_one(order_id)

    anyio.run(story)


def test_a_duplicate_id_answer_means_that_the_order_exists() -> None:
    """Sent again after a look-up that missed it, the broker says 422 "must be unique": found, never rejected."""

    async def story() -> None:
        async with open_rig(with_stream=False) as rig:
            await rig.arm(kind="lookup_404", ms=1500, count=100)
            await rig.arm(kind="http_504", after_accept=True, count=1)
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            seen = await rig.seen()
            assert seen["posts"][rig.order(order_id).client_order_id] == 2
            await rig.assert_exactly_one(order_id)

    anyio.run(story)


def test_an_intent_whose_time_has_passed_is_withdrawn_instead_of_sent_again() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="http_504", count=1)
            order_id = rig.place(not_after=rig.clock.now() + dt.timedelta(seconds=0.2))
            await rig.until_status(order_id, "canceled")
            assert (await rig.seen())["orders"] == []
            assert rig.ledger.account("main").reservations == {}

    anyio.run(story)


def test_a_fill_that_overtakes_the_answer_is_recorded_once() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await rig.arm(kind="fill_before_answer", count=1, advance=True)
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new", "filled")
            await rig.advance()
            await rig.until_status(order_id, "filled")
            assert rig.order(order_id).filled_qty == 10

    anyio.run(story)


def test_a_cancel_ends_the_order_when_the_broker_says_so() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            order_id = rig.place(limit="0.01")
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            rig.give(cmd.CancelOrder(order_id, "test"))
            await rig.until_status(order_id, "canceled")
            assert (await rig.assert_exactly_one(order_id))["status"] == "canceled"
            assert rig.ledger.account("main").reservations == {}

    anyio.run(story)


def test_many_orders_at_once_become_exactly_as_many() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            orders = [rig.place(qty="1", symbol=symbol) for symbol in ("AAA", "BBB") for _ in range(20)]
            await rig.until(lambda: rig.outbox.open_items == 0, "an empty outbox")
            await rig.advance()
            for order_id in orders:
                await rig.until_status(order_id, "filled")
            seen = await rig.seen()
            assert len(seen["orders"]) == 40
            assert set(seen["posts"].values()) == {1}

    anyio.run(story)


def test_a_look_up_that_does_not_say_how_much_is_asked_again() -> None:
    """Found by the fault campaign: the daemon took it for another order than the one it had sent, and ended."""

    async def story() -> None:
        async with open_rig(with_stream=False) as rig:
            by_id = "GET /v2/orders:by_client_order_id"
            await rig.arm(kind="answer_null_field", field="qty", endpoint=by_id, count=1)
            await rig.arm(kind="http_504", after_accept=True, count=1)
            order_id = rig.place()
            await rig.until_status(order_id, "pending_new", "accepted", "new")
            assert (await rig.seen())["posts"][rig.order(order_id).client_order_id] == 1

    anyio.run(story)
