"""`tradecore cancel`: records the wish; only the broker can say that the order ended."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal


@pytest.mark.parametrize("field", ["order_id", "client_order_id"])
def test_an_order_that_was_never_sent_is_canceled_at_once_by_either_id(terminal: Terminal, field: str) -> None:
    (placed,) = terminal.json("place", "AAPL", "buy", "10")
    (canceled,) = terminal.json("cancel", placed[field])
    assert (canceled["order_id"], canceled["status"]) == (placed["order_id"], "canceled")
    assert canceled["trace_id"] == placed["trace_id"]


def test_an_order_at_the_broker_stays_as_it_is_until_the_broker_says_otherwise(terminal: Terminal) -> None:
    order = terminal.trade(lambda desk: desk.live("buy", "10"))
    (canceled,) = terminal.json("cancel", order)
    assert (canceled["status"], canceled["cancel_requested"]) == ("pending_new", True)
    work = {row["kind"]: row["status"] for row in terminal.json("outbox")}
    assert work == {"submit": "succeeded", "cancel": "pending"}


def test_canceling_twice_says_nothing_new(terminal: Terminal) -> None:
    order = terminal.trade(lambda desk: desk.live("buy", "10"))
    terminal.json("cancel", order)
    head = len(terminal.json("events"))
    assert terminal.run("cancel", order).code == 0
    assert len(terminal.json("events")) == head


def test_a_finished_order_cannot_be_canceled(terminal: Terminal) -> None:
    (placed,) = terminal.json("place", "AAPL", "buy", "10")
    terminal.run("cancel", placed["order_id"])
    said = terminal.run("cancel", placed["order_id"])
    assert (said.code, said.out) == (1, "")
    assert said.err == f"error: order {placed['order_id']} is already canceled\n"


def test_an_order_that_nobody_placed_cannot_be_canceled(terminal: Terminal) -> None:
    terminal.run("place", "AAPL", "buy", "10")
    said = terminal.run("cancel", "01a20435-5b0c-7f4c-95a4-3d9142e2ac70")
    assert said.code == 1
    assert said.err.startswith("error: there is no order 01a20435")


@pytest.mark.parametrize("order", ["nonsense", "", "tc-00000000-" + "0" * 32])
def test_what_is_no_order_id_of_this_ledger_is_bad_input(terminal: Terminal, order: str) -> None:
    terminal.run("place", "AAPL", "buy", "10")
    said = terminal.run("cancel", order)
    assert said.code == 2
    assert said.err.startswith("error: order: ")


def test_a_cancel_creates_no_ledger(terminal: Terminal) -> None:
    assert terminal.run("cancel", "01a20435-5b0c-7f4c-95a4-3d9142e2ac70").code == 2
    assert not terminal.path.exists()
