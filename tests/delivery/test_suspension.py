"""The broker's own switch, over the wire with processes that die: a kill turns it on, only a resume turns it off."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from tests.crash.judge import HEADERS, Judge
from tests.runner.process import KEYS, finish, start, until, write
from tradecore.cli import main
from tradecore.domain import events as ev
from tradecore.domain.values import TradingState
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

pytestmark = pytest.mark.slow
SWITCH = "/v2/account/configurations"


@attrs.define
class House:
    """A ledger, an exchange, and a runner that may die."""

    folder: Path
    judge: Judge
    capture: pytest.CaptureFixture[str]
    runners: list[subprocess.Popen[str]] = attrs.field(factory=list)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    def start(self, **env: str) -> None:
        text = f"""
ledger = "{self.url}"
[broker]
name = "alpaca"
base_url = "{self.judge.base_url}"
[strategy]
name = "none"
[delivery]
not_after_s = 600
retry_initial_s = 0.1
retry_jitter_s = 0.05
reconcile_every_s = 1
"""
        before = len(self.told(ev.ReconciliationCompleted))
        self.runners.append(start(self.folder, "--config", write(self.folder, "runner.toml", text), **KEYS, **env))
        self.wait(lambda: len(self.told(ev.ReconciliationCompleted)) > before, "a start")

    def wait(self, is_true: Any, what: str) -> None:
        until(lambda: is_true() or self.runners[-1].poll() is not None, what)
        assert is_true(), finish(self.runners[-1])

    def has_died(self) -> None:
        until(lambda: self.runners[-1].poll() is not None, "the death of the runner")
        finish(self.runners[-1])

    def told(self, *kinds: type[ev.Event]) -> list[ev.Event]:
        if not (self.folder / "ledger.db").exists():
            return []
        with closing(open_journal(self.url)) as journal:
            return [item.event for item in journal.read(0, 1_000_000) if isinstance(item.event, kinds)]

    def may(self) -> TradingState:
        with closing(open_journal(self.url)) as journal:
            return Ledger(journal, SystemClock(), SystemIds()).account("main").may

    def say(self, *words: str) -> tuple[int, str]:
        """A verb; its exit code and everything that it said."""
        self.capture.readouterr()
        code = main([*words, "--ledger", self.url])
        said = self.capture.readouterr()
        return code, said.out + said.err

    def status(self) -> dict[str, Any]:
        code, said = self.say("status", "--json")
        assert code == 0, said
        (row,) = json.loads(said)
        assert isinstance(row, dict)
        return row

    @property
    def is_suspended(self) -> bool:
        return bool(self.judge.ask(SWITCH)["suspend_trade"])

    def turn(self, *, suspended: bool) -> None:
        """Turn the switch as somebody else would."""
        url = self.judge.base_url + SWITCH
        httpx.patch(url, json={"suspend_trade": suspended}, headers=HEADERS, trust_env=False).raise_for_status()

    def kill(self) -> None:
        assert self.say("kill", "--suspend", "--reason", "drill")[0] == 0
        self.wait(lambda: bool(self.told(ev.KillVerified)), "a verified kill")
        self.is_compared()
        assert self.is_suspended
        assert self.status()["broker_suspension"] == "by a kill of this ledger"

    def is_compared(self) -> None:
        """Wait until books and broker were compared since trading stopped."""
        kinds = (ev.KillSwitchActivated, ev.ReconciliationCompleted)
        self.wait(lambda: isinstance(self.told(*kinds)[-1], ev.ReconciliationCompleted), "a comparison")

    def trades_again(self) -> None:
        """Trading goes on after the broker was seen to take orders again, never before."""
        self.wait(lambda: self.may() is TradingState.ACTIVE, "trading that goes on")
        assert not self.is_suspended
        assert self.status()["broker_suspension"] == "none"
        kinds = (ev.SuspensionLifted, ev.KillSwitchCleared)
        assert [type(event) for event in self.told(*kinds)] == [ev.SuspensionLifted, ev.KillSwitchCleared]
        assert self.say("place", "AAA", "buy", "1", "--type", "limit", "--limit", "0.05")[0] == 0
        self.wait(lambda: bool(self.told(ev.OrderAccepted)), "an order at the broker")
        assert not self.told(ev.OrderRejected)


@pytest.fixture
def house(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    arguments = ("--speed", "600", "--days", "1", "--symbols", "AAA,BBB", "--seed", "7")
    with Judge.start(tmp_path, *arguments) as judge:
        until(lambda: int(judge.ask("/_ctl/state")["steps_done"]) > 0, "the first bar")
        house = House(tmp_path, judge, capsys)
        try:
            yield house
        finally:
            for runner in house.runners:
                if runner.poll() is None:
                    runner.kill()
                    finish(runner)


@pytest.mark.parametrize("place", ["outbox.lift.before", "outbox.lift.after"])
def test_what_a_kill_suspended_is_lifted_by_the_second_step_and_a_crash_in_between(house: House, place: str) -> None:
    house.start(TRADECORE_FAILPOINTS=f"{place}:1:kill")
    house.kill()
    code, said = house.say("resume", "--reason", "checked", "--confirm")
    assert code == 3, said
    assert house.say("resume", "--reason", "checked")[0] == 0
    assert house.is_suspended, "one step is not enough"
    assert house.say("resume", "--reason", "checked", "--confirm")[0] == 0
    house.has_died()
    assert house.may() is TradingState.HALTED, "nothing goes on before it is proved"
    assert house.is_suspended == (place == "outbox.lift.before")
    assert house.status()["broker_suspension"] == "being lifted, 1 attempts"
    house.start()
    house.trades_again()
    answers = [event.accepted for event in house.told(ev.SuspensionLiftAnswered)]  # type: ignore[attr-defined]
    assert answers == [False, True]


def test_a_lift_whose_answer_is_lost_is_told_again(house: House) -> None:
    house.start()
    house.kill()
    house.say("resume", "--reason", "checked")
    house.judge.arm(kind="http_504", after_accept=True, method="PATCH", path=SWITCH, count=2)
    assert house.say("resume", "--reason", "checked", "--confirm")[0] == 0
    house.trades_again()
    assert len(house.told(ev.SuspensionLiftSubmitted)) == 3


def test_a_kill_takes_a_lift_back(house: House) -> None:
    house.start()
    house.kill()
    house.say("resume", "--reason", "checked")
    house.judge.arm(kind="http_504", method="PATCH", path=SWITCH, count=3)
    house.say("resume", "--reason", "checked", "--confirm")
    house.say("kill", "--suspend", "--reason", "no, wait")
    house.judge.clear_faults()
    house.wait(lambda: len(house.told(ev.KillVerified)) == 2, "a verified kill")
    assert house.is_suspended
    assert house.may() is TradingState.HALTED
    assert not house.told(ev.SuspensionLifted)


def test_what_somebody_else_suspended_halts_trading_and_is_not_lifted_without_being_told(house: House) -> None:
    house.start()
    house.turn(suspended=True)
    house.wait(lambda: house.may() is TradingState.HALTED, "a halt")
    house.is_compared()
    seen = house.status()
    assert (seen["broker_suspension"], seen["stopped_by"]) == ("by somebody else", "suspension")
    assert house.say("resume", "--reason", "checked")[0] == 0
    code, said = house.say("resume", "--reason", "checked", "--confirm")
    assert code == 3, said
    assert "--lift-suspension" in said
    assert house.is_suspended
    assert house.say("resume", "--reason", "checked", "--confirm", "--lift-suspension")[0] == 0
    house.trades_again()
