"""Every term of an order, and the verbs that replace, close, kill, retry and discard."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderPlanned
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderType, Purpose
from tradecore.domain.work import SUBMIT_ATTEMPTS
from tradecore.journal import open_journal

D = Decimal


def planned(terminal: Terminal) -> list[OrderPlanned]:
    with closing(open_journal(f"sqlite:///{terminal.path}")) as journal:
        return [item.event for item in journal.read(0, 1000) if isinstance(item.event, OrderPlanned)]


TERMS: dict[str, tuple[str, dict[str, Any]]] = {
    "stop": ("10 --type stop --stop 90", {"order_type": OrderType.STOP, "stop_price": D(90)}),
    "stop limit": (
        "10 --type stop_limit --stop 90 --limit 89.5",
        {"order_type": OrderType.STOP_LIMIT, "stop_price": D(90), "limit_price": D("89.5")},
    ),
    "trail": ("10 --type trailing_stop --trail-price 1.5", {"trail_price": D("1.5")}),
    "trail in percent": ("10 --type trailing_stop --trail-percent 2", {"trail_percent": D(2)}),
    "money": ("--notional 100 --reference-price 30", {"notional": D(100), "quantity": None}),
    "bracket": (
        "10 --class bracket --take-profit 110 --stop-loss 90 --stop-loss-limit 89",
        {"order_class": OrderClass.BRACKET, "take_profit": TakeProfit(D(110)), "stop_loss": StopLoss(D(90), D(89))},
    ),
    "oto": ("10 --class oto --stop-loss 90", {"order_class": OrderClass.OTO, "stop_loss": StopLoss(D(90))}),
    "on close": ("10 --tif cls", {"time_in_force": "cls"}),
}


@pytest.mark.parametrize(("words", "terms"), TERMS.values(), ids=TERMS.keys())
def test_every_term_can_be_said(terminal: Terminal, words: str, terms: dict[str, Any]) -> None:
    terminal.json("place", "AAPL", "buy", *words.split())
    order = planned(terminal)[0]
    assert {name: getattr(order, name) for name in terms} == terms


def test_the_legs_of_a_bracket_are_recorded_with_it(terminal: Terminal) -> None:
    terminal.json("place", "AAPL", "buy", "10", *TERMS["bracket"][0].split()[1:])
    assert [order.leg for order in planned(terminal)] == [None, Leg.TAKE_PROFIT, Leg.STOP_LOSS]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("", "quantity"),
        ("10 --notional 5", "not both"),
        ("10 --type stop", "stop order needs one"),
        ("10 --stop 90", "market order has none"),
        ("10 --class bracket --take-profit 110", "a take-profit and a stop-loss"),
        ("10 --stop-loss-limit 89", "a --stop-loss beside it"),
        ("10 --type trailing_stop", "either a trail price"),
        ("--notional 100", "reference_price"),
        ("10 --class none", "one of simple, bracket, oco, oto"),
        ("10 --trail-price -1", "above zero"),
    ],
)
def test_what_no_market_takes_is_refused_in_one_line_and_not_recorded(
    terminal: Terminal, words: str, rule: str
) -> None:
    said = terminal.run("place", "AAPL", "buy", *words.split())
    assert said.code == 2
    assert rule in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not terminal.path.exists() or planned(terminal) == []


def test_a_working_order_is_replaced_by_one_with_other_terms(terminal: Terminal) -> None:
    old = terminal.trade(lambda desk: desk.live("buy", "10", limit="100"))
    (shown,) = terminal.json("replace", old, "--limit", "101", "--qty", "12")
    new = planned(terminal)[-1]
    assert (new.order_id, new.replaces, new.limit_price, new.quantity) == (shown["order_id"], old, D(101), D(12))


def test_an_order_that_cannot_be_replaced_says_why(terminal: Terminal) -> None:
    old = terminal.trade(lambda desk: desk.place("buy", "10", limit="100"))
    said = terminal.run("replace", old, "--limit", "101")
    assert said.code == 1
    assert "not at the broker yet" in said.err


def test_a_position_is_closed_by_an_order_against_it(terminal: Terminal) -> None:
    def story(desk: Desk) -> None:
        desk.pin()
        desk.done("buy", "7", "100")

    terminal.trade(story)
    terminal.json("close", "SPY")
    order = planned(terminal)[-1]
    assert (order.side, order.quantity, order.purpose) == ("sell", D(7), Purpose.CLOSE)
    assert (terminal.run("close", "SPY").code, terminal.run("close", "QQQ").code) == (1, 1)


def test_a_kill_is_recorded_and_shown_as_work(terminal: Terminal) -> None:
    terminal.trade(lambda desk: desk.live("buy", "10"))
    terminal.json("kill", "--reason", "drill", "--suspend")
    (work,) = [row for row in terminal.json("outbox") if row["kind"] == "kill"]
    assert work["status"] == "pending"


def die(desk: Desk) -> str:
    order = desk.place("buy", "10", not_after=desk.clock.now() + dt.timedelta(days=9999))
    for _ in range(SUBMIT_ATTEMPTS):
        desk.send(order)
        desk.give(cmd.RecordNotSent(order, "no route"))
    return order


def test_dead_work_is_listed_retried_and_discarded(terminal: Terminal) -> None:
    order = terminal.trade(die)
    (dead,) = terminal.json("outbox", "--status", "dead")
    assert (dead["order_id"], dead["attempts"]) == (order, SUBMIT_ATTEMPTS)
    terminal.json("outbox", "retry", order, "--good-for", "60")
    assert terminal.json("outbox", "--status", "dead") == []
    assert terminal.run("outbox", "retry", order).code == 1
    assert terminal.run("outbox", "discard", order, "--reason", "not dead").code == 1


def test_discarded_work_ends_its_order_and_needs_a_reason(terminal: Terminal) -> None:
    order = terminal.trade(die)
    assert terminal.run("outbox", "discard", order).code == 2
    (shown,) = terminal.json("outbox", "discard", order, "--reason", "too late")
    assert shown["status"] == "canceled"
    assert terminal.json("outbox", "--status", "dead") == []
