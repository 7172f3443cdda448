"""Lists as of a position or a time."""

from __future__ import annotations

import uuid

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.values import SagaStatus

VERBS = ["orders", "fills", "trades", "positions", "balances", "outbox", "sagas"]


def story(desk: Desk) -> int:
    desk.pin()
    desk.done("buy", "1", "50")
    saga = str(uuid.UUID(int=1))
    desk.give(cmd.StartSaga(saga, "rebalance", "main", {"strategy": "test"}, desk.clock.now()))
    head = desk.ledger.journal.head()
    desk.clock.at = desk.clock.at.replace(hour=18)
    desk.done("sell", "1", "60")
    desk.give(cmd.AdvanceSaga(saga, 0, "selling", SagaStatus.RUNNING))
    return head


@pytest.mark.parametrize("verb", VERBS)
def test_every_list_tells_what_it_told_then(terminal: Terminal, verb: str) -> None:
    head = terminal.trade(story)
    then = terminal.json(verb, "--as-of", str(head))
    now = [{name: value for name, value in row.items() if name != "truth"} for row in terminal.json(verb)]
    assert then == terminal.json(verb, "--as-of", "2024-01-02T17:00:00Z") != now
    assert terminal.json(verb, "--as-of", "2024-01-02T12:59:59-05:00") == then
    assert terminal.json(verb, "--as-of", "2024-01-02T13:00:00-05:00") == now
    assert terminal.json(verb, "--as-of", "0") == []


@pytest.mark.parametrize("moment", ["2024-01-02T17:00:00", "2024-01-02", "-1", "99999", "yesterday", "", "²"])
def test_naive_times_and_positions_that_are_none_are_refused(terminal: Terminal, moment: str) -> None:
    terminal.trade(story)
    said = terminal.run("orders", "--as-of", moment)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: as")
