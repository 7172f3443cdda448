"""The kill switch: what is recorded, what is sent no more, and how trading goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import NOON, Desk
from tests.review.scripted import Office
from tests.risk.test_wired import refusal
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderSubmitted, ReconciliationCompleted
from tradecore.domain.messages import Cause
from tradecore.domain.streams import reconciliation
from tradecore.domain.values import OrderStatus, Purpose, TradingState
from tradecore.errors import InputError, ResumeRefused
from tradecore.journal import open_journal
from tradecore.runner.halt_file import find_halt_file
from tradecore.switching import clear

HALTED, REDUCE_ONLY, ACTIVE = TradingState.HALTED, TradingState.REDUCE_ONLY, TradingState.ACTIVE


def stop(desk: Desk, state: TradingState = HALTED) -> None:
    desk.give(cmd.ActivateKillSwitch("main", state, "manual", "a drill", "test"))


def reconciled(desk: Desk) -> None:
    event = ReconciliationCompleted("main", "schedule", NOON, 0, 0, 0, 0)
    desk.ledger.note(reconciliation("main"), event, Cause(desk.ids.trace_id(), actor="test"))


def resume(desk: Desk, reason: str = "looked into it") -> None:
    clear(desk.ledger, "main", "test", reason, Cause(desk.ids.trace_id(), actor="test"))


def later(**terms: Any) -> dict[str, Any]:
    return {"not_after": NOON.replace(year=2100), **terms}


def test_a_stopped_account_takes_only_what_takes_risk_away() -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "10", "5")
    stop(desk, REDUCE_ONLY)
    assert refusal(desk, "buy", "1") == "state"
    assert refusal(desk, "sell", "11") == "state"
    assert refusal(desk, "sell", "4") is None
    stop(desk)
    assert refusal(desk, "sell", "1") == "state"
    assert refusal(desk, "sell", "1", purpose=Purpose.PROTECT) is None
    close = cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", NOON.replace(year=2100))
    desk.give(close)
    assert desk.order(close.order_id).purpose is Purpose.CLOSE


def test_a_stop_is_never_weakened_by_a_later_one_and_said_once() -> None:
    desk = Desk.in_memory()
    stop(desk)
    head = desk.ledger.journal.head()
    stop(desk)
    stop(desk, REDUCE_ONLY)
    assert (desk.ledger.journal.head(), desk.account.trading_state) == (head, HALTED)
    with pytest.raises(InputError, match="reduce_only or halted"):
        stop(desk, ACTIVE)


def test_trading_goes_on_in_two_steps_and_only_after_a_clean_comparison() -> None:
    desk = Desk.in_memory()
    desk.pin()
    with pytest.raises(ResumeRefused, match="not stopped"):
        resume(desk)
    stop(desk)
    with pytest.raises(ResumeRefused, match="request it first"):
        resume(desk)
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    with pytest.raises(ResumeRefused, match="reconciliation"):
        resume(desk)
    reconciled(desk)
    with pytest.raises(InputError, match="reason"):
        resume(desk, " ")
    resume(desk)
    assert desk.account.trading_state is ACTIVE
    assert refusal(desk, "buy", "1") is None


def test_a_stop_between_the_two_steps_takes_the_first_one_back() -> None:
    desk = Desk.in_memory()
    reconciled(desk)
    stop(desk)
    desk.give(cmd.RequestClear("main", "test", "the cause is gone"))
    stop(desk)
    with pytest.raises(ResumeRefused, match="request it first"):
        resume(desk)


def test_a_restart_finds_the_account_halted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    journal = open_journal(url)
    stop(Desk.over(journal))
    journal.close()
    journal = open_journal(url)
    assert refusal(Desk.over(journal), "buy", "1") == "state"
    journal.close()


def test_what_waits_is_withdrawn_and_nothing_is_sent_behind_a_halt() -> None:
    async def story() -> None:
        office = Office.open()
        desk = office.desk
        desk.done("buy", "10", "5", "IWM")
        waiting = [desk.place("buy", "1", symbol, **later()) for symbol in ("SPY", "QQQ", "DIA")]
        protecting = desk.place("sell", "10", "IWM", **later(purpose=Purpose.PROTECT))
        before = office.broker.count("submit")
        stop(desk)
        halted_at = desk.ledger.journal.head()
        await office.deliver(0.3)
        assert {desk.order(order).status for order in waiting} == {OrderStatus.CANCELED}
        assert desk.order(protecting).broker_order_id is not None
        assert office.broker.count("submit") == before + 1
        sent = [item.event for item in desk.ledger.journal.read(halted_at, 1000)]
        assert [one.order_id for one in sent if isinstance(one, OrderSubmitted)] == [protecting]

    run_story(story)


def test_a_halt_between_the_mark_and_the_call_keeps_the_call_from_being_made() -> None:
    """The attempt is recorded, the halt commits, and only then the task that calls the broker gets its turn."""

    async def story() -> None:
        office = Office.open()
        order = office.desk.place("buy", "1", **later())
        asked: list[str] = []

        def told() -> str | None:
            asked.append("")
            if len(asked) == 2:  # before the call
                stop(office.desk)
            return None

        office.outbox.leave.halt = told
        await office.deliver(0.3)
        assert office.broker.count("submit") == 0
        assert office.desk.order(order).status is OrderStatus.CANCELED

    run_story(story)


def test_a_file_stops_sending_without_the_ledger(tmp_path: Path) -> None:
    flag = find_halt_file(f"sqlite:///{tmp_path}/ledger.db", "")

    async def story() -> None:
        office = Office.open()
        office.outbox.leave.halt = flag
        order = office.desk.place("buy", "1", **later())
        (tmp_path / "ledger.db.halt").touch()
        await office.deliver(0.3)
        assert office.broker.count("submit") == 0
        assert office.desk.order(order).status is OrderStatus.CANCELED

    run_story(story)
    assert flag() is not None
    (tmp_path / "ledger.db.halt").unlink()
    assert flag() is None


def test_a_halt_file_that_cannot_be_looked_at_counts_as_present(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    assert "cannot be looked at" in str(find_halt_file("memory:", str(tmp_path / "plain" / "halt"))())
    assert find_halt_file("memory:", "")() is None


def test_the_command_line_halts_first_and_resumes_in_two_steps(terminal: Terminal) -> None:
    terminal.trade(pinned)
    terminal.trade(lambda desk: desk.live("buy", "10"))
    (killed,) = terminal.json("kill", "--reason", "drill")
    assert killed["trading_state"] == "halted"
    names = terminal.trade(lambda desk: desk.names())
    assert names.index("risk.kill_switch.activated") < names.index("account.kill.requested")
    assert terminal.run("place", "AAPL", "buy", "1").code == 3
    assert terminal.run("resume", "--reason", "done", "--confirm").code == 3
    terminal.json("resume", "--reason", "done")
    terminal.trade(reconciled)
    (state,) = terminal.json("resume", "--reason", "done", "--confirm")
    assert state["trading_state"] == "active"
    terminal.json("place", "AAPL", "buy", "1")


def test_the_command_line_shows_limits_and_changes_one(terminal: Terminal) -> None:
    terminal.trade(pinned)
    terminal.trade(limited)
    (shown,) = terminal.json("limits")
    assert (shown["max_order_qty"], shown["version"], shown["trading_state"]) == ("5", 1, "active")
    (shown,) = terminal.json("limits", "set", "max_position_share", "0.2", "--reason", "calmer")
    assert (shown["max_order_qty"], shown["max_position_share"], shown["version"]) == ("5", "0.2", 2)
    (shown,) = terminal.json("limits", "set", "max_order_qty", "none", "--reason", "enough")
    assert shown["max_order_qty"] is None
    for name, value in (("max_order_qty", "-1"), ("no_such_limit", "1"), ("hours", "sometimes"), ("version", "9")):
        said = terminal.run("limits", "set", name, value, "--reason", "wrong")
        assert (said.code, said.out) == (2, "")
        assert name in said.err


def pinned(desk: Desk) -> None:
    desk.pin()


def limited(desk: Desk) -> None:
    desk.limit(qty="5")
