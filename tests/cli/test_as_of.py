"""Lists as of a position or a time."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk

VERBS = ["orders", "fills", "trades", "positions", "balances", "outbox"]


def story(desk: Desk) -> int:
    desk.pin()
    desk.done("buy", "1", "50")
    head = desk.ledger.journal.head()
    desk.clock.at = desk.clock.at.replace(hour=18)
    desk.done("sell", "1", "60")
    return head


@pytest.mark.parametrize("verb", VERBS)
def test_every_list_tells_what_it_told_then(terminal: Terminal, verb: str) -> None:
    head = terminal.trade(story)
    then = terminal.json(verb, "--as-of", str(head))
    assert then == terminal.json(verb, "--as-of", "2024-01-02T17:00:00Z") != terminal.json(verb)
    assert terminal.json(verb, "--as-of", "2024-01-02T12:59:59-05:00") == then
    assert terminal.json(verb, "--as-of", "2024-01-02T13:00:00-05:00") == terminal.json(verb)
    assert terminal.json(verb, "--as-of", "0") == []


@pytest.mark.parametrize("moment", ["2024-01-02T17:00:00", "2024-01-02", "-1", "99999", "yesterday", "", "²"])
def test_naive_times_and_positions_that_are_none_are_refused(terminal: Terminal, moment: str) -> None:
    terminal.trade(story)
    said = terminal.run("orders", "--as-of", moment)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: as")
