"""`tradecore verify`: silence is success, findings are code 1."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.views.vandal import Vandal, rows_of, trade_for_an_hour


@pytest.fixture
def vandal(terminal: Terminal) -> Vandal:
    terminal.trade(trade_for_an_hour)
    assert terminal.run("verify").code == 0
    return Vandal(terminal.path)


def test_an_honest_ledger_is_ok(terminal: Terminal, vandal: Vandal) -> None:
    said = terminal.run("verify", "--json")
    assert (said.code, said.objects) == (0, [])
    assert said.err.startswith("ok: ")
    assert terminal.run("verify").out.startswith("ok: ")


def test_findings_are_objects_with_check_subject_and_message(terminal: Terminal, vandal: Vandal) -> None:
    vandal.run("DELETE FROM tradecore_view_rows " + rows_of("balances"))
    said = terminal.run("verify", "--json")
    assert said.code == 1
    assert said.objects == [{"check": "views", "subject": "balances main", "message": "the stored row is missing"}]
    assert "balances main" in terminal.run("verify").out


def test_views_can_be_rebuilt_and_are_then_right(terminal: Terminal, vandal: Vandal) -> None:
    vandal.run("UPDATE tradecore_view_rows SET value = 'nonsense'")
    assert terminal.run("verify").code == 1
    assert terminal.run("verify", "--rebuild").code == 0
    assert terminal.run("verify").code == 0


def test_a_rebuild_does_not_hide_damage_of_the_log(terminal: Terminal, vandal: Vandal) -> None:
    vandal.edit("trade.fill.recorded", '"quantity":"10"', '"quantity":"11"')
    assert terminal.run("verify", "--rebuild").code == 1


def test_a_log_that_cannot_be_read_is_a_finding_also_when_rebuilding(terminal: Terminal, vandal: Vandal) -> None:
    vandal.run("UPDATE events SET state = 'nonsense' WHERE position = 20")
    said = terminal.run("verify", "--rebuild", "--json")
    assert said.code == 1
    assert {finding["check"] for finding in said.objects} == {"store", "chain", "log"}


def test_a_file_that_is_no_ledger_is_a_finding(terminal: Terminal) -> None:
    terminal.path.write_text("something else")
    said = terminal.run("verify", "--json")
    assert said.code == 1
    assert [finding["check"] for finding in said.objects] == ["store"]


def test_an_event_of_a_later_release_is_an_error_that_names_the_event(terminal: Terminal, vandal: Vandal) -> None:
    vandal.run("UPDATE events SET topic = 'trade.order.teleported' WHERE position = 20")
    said = terminal.run("verify", "--json")
    assert (said.code, said.out) == (1, "")
    assert "trade.order.teleported" in said.err
