"""Verb `reconcile`: it shows what differs, over a broker that is asked and never told, and keeps a person's word."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.crash.judge import Judge
from tests.ledger.desk import NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import OpeningPosition
from tradecore.reconcile import Difference, Reconciler
from tradecore.verify import verify


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    with Judge.start(tmp_path, "--days", "1", "--symbols", "AAA", "--seed", "7") as started:
        yield started


def begin(terminal: Terminal, judge: Judge, account_id: str, cash: str, held: str) -> None:
    """A ledger whose books say so."""

    def story(desk: Desk) -> None:
        positions = (OpeningPosition("AAA", Decimal(held), Decimal(50)),)
        desk.give(cmd.PinAccount("main", "exchange", account_id, True, "USD", Decimal(cash), positions, NOON))

    terminal.trade(story)


def words(tmp_path: Path, judge: Judge) -> tuple[str, ...]:
    config = tmp_path / "runner.toml"
    config.write_text(f'[broker]\nname = "exchange"\nbase_url = "{judge.base_url}"\n', encoding="utf-8")
    return ("reconcile", "--config", str(config), "--ledger", f"sqlite:///{tmp_path}/books.db")


def test_a_position_is_adopted_and_cash_is_disputed(
    tmp_path: Path, judge: Judge, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    terminal = Terminal(tmp_path / "books.db", capfdbinary)
    account = judge.ask("/v2/account")
    begin(terminal, judge, account["id"], "99000", "7")
    verb = words(tmp_path, judge)
    shown = terminal.run(*verb, "--json")
    assert shown.code == 1
    by_kind = {row["kind"]: row for row in shown.objects}
    assert (by_kind["position"]["ours"], by_kind["position"]["theirs"]) == ("7", "0")
    assert by_kind["cash"]["ours"] == "99000"

    unexplained = terminal.run(*verb, "--adopt", by_kind["position"]["difference"])
    assert unexplained.code == 2
    assert "reason" in unexplained.err
    adopted = terminal.run(*verb, "--adopt", by_kind["position"]["difference"], "--reason", "sold by phone", "--json")
    assert [row["kind"] for row in adopted.objects] == ["cash"]

    def record(desk: Desk) -> None:
        difference = Difference("cash", "USD", by_kind["cash"]["ours"], by_kind["cash"]["theirs"])
        Reconciler(desk.ledger, desk.ids, "main", Decimal(1)).record("schedule", NOON, (difference,))

    desk_trades(terminal, record)
    disputed = terminal.run(*verb, "--dispute", by_kind["cash"]["difference"], "--reason", "asked them", "--json")
    assert [(row["status"], row["gates"]) for row in disputed.objects] == [("disputed", False)]
    assert disputed.code == 0

    def check(desk: Desk) -> None:
        assert desk.account.positions == {}
        assert verify(desk.ledger.journal).findings == ()

    desk_trades(terminal, check)


def test_an_order_that_contradicts_itself_is_shown_and_can_be_disputed_and_not_adopted(
    tmp_path: Path, judge: Judge, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    terminal = Terminal(tmp_path / "books.db", capfdbinary)
    account = judge.ask("/v2/account")
    begin(terminal, judge, account["id"], account["cash"], "0")
    verb = words(tmp_path, judge)
    halted = Difference("order", "order-1", "halted", "two for one intent")

    def record(*found: Difference) -> object:
        return lambda desk: Reconciler(desk.ledger, desk.ids, "main", Decimal(1)).record("schedule", NOON, found)

    desk_trades(terminal, record(halted))
    (row,) = terminal.run(*verb, "--json").objects
    assert (row["kind"], row["subject"], row["gates"]) == ("order", "order-1", True)
    refused = terminal.run(*verb, "--adopt", row["difference"], "--reason", "seen")
    assert (refused.code, "--dispute" in refused.err) == (2, True)
    (disputed,) = terminal.run(*verb, "--dispute", row["difference"], "--reason", "seen", "--json").objects
    assert (disputed["status"], disputed["gates"]) == ("disputed", False)


def desk_trades(terminal: Terminal, story: object) -> None:
    """Open the ledger again with ids that were not used before."""

    def with_fresh_ids(desk: Desk) -> None:
        for _ in range(1000):
            desk.ids.event_id()
        assert callable(story)
        story(desk)

    terminal.trade(with_fresh_ids)


def test_another_account_and_the_embedded_exchange_are_refused(
    tmp_path: Path, judge: Judge, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    terminal = Terminal(tmp_path / "books.db", capfdbinary)
    begin(terminal, judge, "somebody-elses", "99000", "7")
    assert "somebody-elses" in terminal.run(*words(tmp_path, judge)).err
    assert "embedded" in terminal.run("reconcile", "--ledger", f"sqlite:///{tmp_path}/books.db").err
