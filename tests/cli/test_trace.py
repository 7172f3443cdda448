"""`tradecore trace`: the same chain from whichever id is at hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.identity import decision_id, order_id_of_decision
from tradecore.domain.values import Side

DECISION = decision_id("test", "SPY", NOON.isoformat())


def decide_and_trade(desk: Desk) -> str:
    """A decision, its order, two attempts, an answer, two fills, and the way out."""
    desk.pin()
    order_id = order_id_of_decision(DECISION)
    proposal = cmd.Proposal(DECISION, "test", "SPY", Side.BUY, Decimal(10), Decimal(50), NOON, "it rises", None)
    desk.place("buy", "10", order_id=order_id, proposal=proposal, reference_price=Decimal(50))
    desk.send(order_id)
    desk.give(cmd.RecordNotSent(order_id, "connection refused"))
    desk.send(order_id)
    desk.answer(order_id)
    desk.fill(order_id, "4", "50")
    desk.fill(order_id, "6", "51")
    desk.clock.at += dt.timedelta(minutes=1)
    desk.done("sell", "10", "55")
    desk.done("buy", "1", "20", symbol="QQQ")
    return order_id


def ids(terminal: Terminal) -> dict[str, str]:
    (order,) = [row for row in terminal.json("orders") if row["decision_id"] == DECISION]
    fill = next(row for row in terminal.json("fills") if row["order_id"] == order["order_id"])
    return {
        "trace": order["trace_id"],
        "order": order["order_id"],
        "client order": order["client_order_id"],
        "trade": order["trade_id"],
        "fill": fill["fill_id"],
        "decision": DECISION,
    }


@pytest.mark.parametrize("kind", ["trace", "order", "client order", "trade", "fill", "decision"])
def test_every_id_leads_to_the_same_chain(terminal: Terminal, kind: str) -> None:
    terminal.trade(decide_and_trade)
    known = ids(terminal)
    by_trace = terminal.json("trace", known["trace"])
    assert terminal.json("trace", known[kind]) == by_trace
    assert terminal.json("trace", known[kind].upper() if kind != "client order" else known[kind]) == by_trace
    assert {event["trace_id"] for event in by_trace} == {known["trace"]}


def test_the_chain_runs_from_the_decision_to_the_outcome_in_order(terminal: Terminal) -> None:
    terminal.trade(decide_and_trade)
    events = terminal.json("trace", DECISION)
    names = [event["name"] for event in events]
    story = [
        "ai.decision.generated", "trade.order.planned", "trade.order.queued", "trade.order.submitted",
        "trade.order.not_sent", "trade.order.accepted", "trade.fill.recorded", "trade.order.filled",
        "trade.trade.closed",
    ]  # fmt: skip
    assert [name for name in dict.fromkeys(names) if name in story] == story
    assert [event["position"] for event in events] == sorted(event["position"] for event in events)


def test_every_event_of_a_chain_has_its_public_fields_and_a_cause_in_the_chain(terminal: Terminal) -> None:
    terminal.trade(decide_and_trade)
    seen: set[str] = set()
    for event in terminal.json("trace", DECISION):
        assert set(event) == {
            "position", "name", "stream", "version", "event_id", "causation_id", "correlation_id", "recorded_at",
            "actor", "source", "trace_id", "data",
        }  # fmt: skip
        assert event["causation_id"] is None or event["causation_id"] in seen
        seen.add(event["event_id"])


def test_numbers_and_times_in_the_data_are_plain_text(terminal: Terminal) -> None:
    terminal.trade(decide_and_trade)
    (generated,) = [e for e in terminal.json("trace", DECISION) if e["name"] == "ai.decision.generated"]
    assert generated["data"]["quantity"] == "10"
    assert generated["data"]["data_as_of"] == "2024-01-02T17:00:00.000000Z"
    assert generated["data"]["confidence"] is None


def test_people_see_a_tree_with_stages_and_times(terminal: Terminal) -> None:
    order_id = terminal.trade(decide_and_trade)
    said = terminal.run("trace", order_id)
    assert (said.code, said.err) == (0, "")
    for piece in (
        f"decision {DECISION}", f"order {order_id}", "it rises", "intent", "attempt", "answer", "fill", "outcome",
        "2024-01-02T17:00:00.000000Z", "submit 1 was not sent: connection refused", "closed: profit 44",
    ):  # fmt: skip
        assert piece in said.out


@pytest.mark.parametrize("unknown", ["nonsense", "", "0" * 32, "01a20435-5b0c-7f4c-95a4-3d9142e2ac70", "%", "order-x"])
def test_an_id_that_nothing_has_is_bad_input(terminal: Terminal, unknown: str) -> None:
    terminal.trade(decide_and_trade)
    said = terminal.run("trace", unknown, "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: id: ")
