"""The broker's list in the ledger has an age: what is too old, or says too little, counts as not known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk
from tradecore.domain import streams
from tradecore.domain.events import AssetsConfirmed, AssetsRefreshed
from tradecore.domain.limits import Action
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderStatus

Story = Callable[[Desk], Any]
BUY = ("place", "SPY", "buy", "10")


def listed(hours_ago: float, *, confirmed_hours_ago: float | None = None, **said: Any) -> Story:
    """A ledger with a list that a runner heard so long ago."""

    def story(desk: Desk) -> None:
        now, cause = dt.datetime.now(dt.UTC), Cause(desk.ids.trace_id(), "test")
        desk.pin()
        desk.limits(must_be_tradable=True)
        desk.clock.at = now - dt.timedelta(hours=hours_ago)
        flags: dict[str, Any] = {"whole_only": ("BRK.A",), "not_lent": ("BRK.A",), "is_full": True} | said
        desk.ledger.note(streams.ASSETS, AssetsRefreshed("test", ("BRK.A", "SPY"), **flags), cause)
        if confirmed_hours_ago is not None:
            desk.clock.at = now - dt.timedelta(hours=confirmed_hours_ago)
            desk.ledger.note(streams.ASSETS_CONFIRMED, AssetsConfirmed("test"), cause)

    return story


def test_a_list_of_today_is_good(terminal: Terminal) -> None:
    terminal.trade(listed(23))
    terminal.json(*BUY)


@pytest.mark.parametrize("symbol", ["SPY", "NEW"])
def test_a_list_of_yesterday_is_refused_and_said_to_be_old(terminal: Terminal, symbol: str) -> None:
    terminal.trade(listed(25))
    said = terminal.run("place", symbol, "buy", "10")
    assert said.code == 3
    assert said.err.startswith("note: what the broker trades")
    assert "order refused by must_be_tradable: not known" in said.err
    assert terminal.json("orders") == []


def test_a_list_of_last_week_that_was_confirmed_today_is_good(terminal: Terminal) -> None:
    terminal.trade(listed(24 * 7, confirmed_hours_ago=2))
    terminal.json(*BUY)


def test_how_old_it_may_be_is_a_setting(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.trade(listed(2))
    monkeypatch.setenv("TRADECORE_DELIVERY__ASSETS_MAX_AGE_S", "3600")
    assert terminal.run(*BUY).code == 3


def test_a_list_of_an_earlier_build_says_too_little(terminal: Terminal) -> None:
    terminal.trade(listed(1, is_full=False, whole_only=(), not_lent=()))
    assert terminal.run("place", "SPY", "buy", "1.5").code == 3
    assert terminal.run(*BUY).code == 3


def test_what_is_held_can_be_sold_whatever_the_list(terminal: Terminal) -> None:
    def story(desk: Desk) -> None:
        desk.pin(positions=[("SPY", "10", "100")])
        desk.limits(must_be_tradable=True)
        cause = Cause(desk.ids.trace_id(), "test")
        desk.ledger.note(streams.ASSETS, AssetsRefreshed("test", ("SPY",), is_full=True), cause)

    terminal.trade(story)
    assert terminal.run("place", "SPY", "sell", "10").code == 0


def test_a_replacement_is_held_against_the_list(terminal: Terminal) -> None:
    def story(desk: Desk) -> str:
        listed(1)(desk)
        return desk.live("buy", "2", "BRK.A", limit="100", tradable=True)

    order = terminal.trade(story)
    said = terminal.run("replace", order, "--qty", "2.5")
    assert (said.code, "whole units" in said.err) == (3, True)
    assert terminal.run("replace", order, "--qty", "3").code == 0


def test_a_grant_is_held_against_the_list(terminal: Terminal) -> None:
    def story(desk: Desk) -> list[str]:
        listed(1)(desk)
        desk.clock.at = dt.datetime.now(dt.UTC)
        desk.limits(must_be_tradable=True, approve_all=True, actions={"approve_all": Action.APPROVE})
        asked = [desk.place("buy", quantity, "BRK.A", tradable=True) for quantity in ("1.5", "2")]
        assert all(desk.order(order).awaits_approval for order in asked)
        return asked

    fraction, whole = terminal.trade(story)
    said = terminal.run("approvals", "grant", fraction, "--reason", "a test")
    assert (said.code, "whole units" in said.err) == (3, True)
    (granted,) = terminal.json("approvals", "grant", whole, "--reason", "a test")
    assert granted["status"] == OrderStatus.QUEUED
