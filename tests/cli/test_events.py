"""`tradecore events`: the log, chosen, cut and followed."""

from __future__ import annotations

import json

import pytest

from tests.cli.terminal import Terminal
from tests.views.vandal import trade_for_an_hour


def test_all_events_come_in_order(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    positions = [event["position"] for event in terminal.json("events")]
    assert positions == list(range(1, len(positions) + 1))
    assert len(positions) > 50


def test_events_can_begin_behind_a_position_and_be_limited(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    assert [event["position"] for event in terminal.json("events", "--after", "10", "--limit", "3")] == [11, 12, 13]
    assert terminal.json("events", "--limit", "0") == []
    assert terminal.json("events", "--after", "100000") == []


def test_events_can_be_chosen_by_name_and_stream(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    assert {event["name"] for event in terminal.json("events", "--name", "trade.fill.")} == {"trade.fill.recorded"}
    assert {event["stream"] for event in terminal.json("events", "--stream", "account-main")} == {"account-main"}
    assert terminal.json("events", "--stream", "account") == []


def test_the_limit_counts_what_is_shown_and_not_what_is_passed_over(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    assert len(terminal.json("events", "--name", "trade.fill.", "--limit", "2")) == 2


@pytest.mark.parametrize("option", ["--after", "--limit"])
@pytest.mark.parametrize("value", ["-1", "1.5", "x", "1e3", ""])
def test_a_bad_number_is_refused_with_its_field(terminal: Terminal, option: str, value: str) -> None:
    terminal.trade(trade_for_an_hour)
    said = terminal.run("events", f"{option}={value}")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")


def test_people_get_one_line_per_event(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    lines = terminal.run("events", "--limit", "20").out.splitlines()
    assert len(lines) == 20
    assert lines[0].split()[0] == "1"


def test_following_prints_one_object_per_line(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    said = terminal.run("events", "--follow", "--limit", "5", "--json")
    assert said.code == 0
    assert [json.loads(line)["position"] for line in said.out.splitlines()] == [1, 2, 3, 4, 5]
    assert terminal.run("events", "--follow", "--limit", "0").out == ""


def test_a_named_reader_goes_on_where_it_stopped(terminal: Terminal) -> None:
    terminal.run("place", "AAPL", "buy", "10")
    first = terminal.run("events", "--reader", "audit", "--json").out.splitlines()
    assert json.loads(first[0])["type"] == "system.ledger.created"
    assert terminal.run("events", "--reader", "audit", "--json").out == ""
    terminal.run("place", "MSFT", "buy", "1")
    again = [json.loads(line) for line in terminal.run("events", "--reader", "audit", "--json").out.splitlines()]
    assert [one["metadata"]["position"] for one in again] == list(range(len(first) + 1, len(first) + len(again) + 1))
    said = terminal.run("events", "--reader", "a b")
    assert (said.code, "publisher name" in said.err) == (2, True)
