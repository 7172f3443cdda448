"""A runner that fails in a way that nobody foresaw leaves the account halted, and a person lets it go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import structlog

from tests.cli.terminal import Terminal
from tests.cycle.scene import NoScreen
from tests.runner.market import write_csv
from tradecore.domain.events import AlertTriggered, Event, KillSwitchActivated, OrderSubmitted
from tradecore.domain.triggers import FAILED
from tradecore.domain.values import ZERO, Bar, Side, TradingState
from tradecore.errors import (
    BrokerUnreachable,
    CorruptLedger,
    InputError,
    InvariantViolated,
    StoreUnavailable,
    TradecoreError,
    WrongAccount,
)
from tradecore.journal import open_journal
from tradecore.ports.strategy import Idea, Portfolio
from tradecore.runner.contract import Session
from tradecore.runner.failing import failure_in
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore_daemon.daemon import Daemon

Fail = Callable[[Session, Daemon], None]
BARS = 16


class Failing:
    """Buys something at every bar, until it fails."""

    name = "failing"
    warmup_bars = 0

    def __init__(self, fail: Callable[[], None], at: int) -> None:
        self._fail, self._left = fail, at

    def observe(self, bar: Bar) -> None:
        self._left -= 1

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        self._left -= 1
        if self._left <= 0:  # a busy machine shows some bars without asking
            self._fail()
        return (Idea(bar.symbol, Side.BUY, bar.volume * 0 + 1, "a test says so"),)


def run(folder: Path, fail: Fail, at: int = 4, **tables: Any) -> None:
    """A runner on the embedded exchange, to the end of the market or to its own; something happens at a bar."""
    chosen: dict[str, Any] = {
        "ledger": f"sqlite:///{folder / 'tradecore.db'}",
        "market_data": {"bars": str(folder / write_csv(folder, BARS, symbols=("AAA",)))},
        "triggers": {"critical_alerts": [FAILED]},
    }

    async def story() -> None:
        daemon = Daemon()
        strategy = Failing(lambda: fail(session, daemon), at)
        async with open_session(load_settings(None, chosen | tables), strategy=strategy) as session:
            await daemon.run(session, NoScreen())

    with structlog.testing.capture_logs():
        anyio.run(story)


def recorded(folder: Path) -> list[Event]:
    journal = open_journal(f"sqlite:///{folder / 'tradecore.db'}", create=False)
    try:
        return [item.event for item in journal.read(0, 100_000)]
    finally:
        journal.close()


def raising(error: Exception) -> Fail:
    def fail(session: Session, daemon: Daemon) -> None:
        raise error

    return fail


def stops(session: Session, daemon: Daemon) -> None:
    """Does not fail."""
    daemon.stop("it has seen enough")


def submits(events: list[Event]) -> int:
    return sum(isinstance(event, OrderSubmitted) for event in events)


@pytest.mark.parametrize("error", [InvariantViolated("two and two is five"), AssertionError("two and two is five")])
def test_a_broken_promise_halts_the_account_before_the_runner_ends(
    error: Exception, tmp_path: Path, terminal: Terminal
) -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        run(tmp_path, raising(error))
    assert failure_in(raised.value) is error
    events = recorded(tmp_path)
    (halt,) = (event for event in events if isinstance(event, KillSwitchActivated))
    assert (halt.state, halt.trigger, halt.who, halt.cooldown_s) == (TradingState.HALTED, FAILED, "runner", ZERO)
    assert halt.evidence.startswith(f"{type(error).__name__}, test_failing.py line ")
    assert halt.evidence.endswith(": two and two is five")
    assert [event.message for event in events if isinstance(event, AlertTriggered)] == [halt.evidence]
    (row,) = terminal.json("alerts")
    assert (row["kind"], row["message"]) == (FAILED, halt.evidence)
    told = terminal.json("limits")[0]
    assert (told["trading_state"], told["stopped_by"]) == ("halted", FAILED)


def test_only_a_person_lets_trading_go_on_after_it(tmp_path: Path, terminal: Terminal) -> None:
    with pytest.raises(BaseExceptionGroup):
        run(tmp_path, raising(KeyError("nobody foresaw it")))
    before = submits(recorded(tmp_path))
    assert before > 0
    run(tmp_path, stops, at=10)  # a restart compares with the broker, and sends nothing
    assert submits(recorded(tmp_path)) == before
    assert terminal.run("resume", "--reason", "mended", "--confirm").code == 3, "the first step comes first"
    assert terminal.run("resume", "--reason", "mended").code == 0
    resumed = terminal.json("resume", "--reason", "mended", "--confirm")[0]
    assert (resumed["trading_state"], resumed["unread_alerts"]) == ("reduce_only", 1), "what was found is not read yet"
    assert terminal.json("limits")[0]["trading_state"] == "reduce_only", "its alert was not read yet"
    assert terminal.run("alerts", "acknowledge", "--all", "--reason", "mended").code == 0
    run(tmp_path, stops, at=1000)
    assert submits(recorded(tmp_path)) > before


def test_where_it_cannot_be_recorded_the_halt_file_stands_in_for_it(tmp_path: Path) -> None:
    def fail(session: Session, daemon: Daemon) -> None:
        session.journal.close()
        raise InvariantViolated("and the ledger is gone")

    with pytest.raises(BaseExceptionGroup):
        run(tmp_path, fail)
    before = recorded(tmp_path)
    assert not any(isinstance(event, KillSwitchActivated) for event in before)
    assert (tmp_path / "tradecore.db.halt").exists()
    run(tmp_path, stops, at=10)
    events = recorded(tmp_path)
    (halt,) = (event for event in events if isinstance(event, KillSwitchActivated))
    assert halt.trigger == "file"
    assert submits(events) == submits(before)


def test_an_alert_that_nobody_calls_critical_does_not_have_to_be_read(tmp_path: Path, terminal: Terminal) -> None:
    with pytest.raises(BaseExceptionGroup):
        run(tmp_path, raising(ZeroDivisionError()), triggers={})
    assert terminal.json("alerts") == []
    assert terminal.json("limits")[0]["trading_state"] == "halted"
    (alert,) = (event for event in recorded(tmp_path) if isinstance(event, AlertTriggered))
    assert alert.message.startswith("ZeroDivisionError, test_failing.py line ")
    assert alert.message[-1].isdigit()


@pytest.mark.parametrize(
    "error",
    [
        BrokerUnreachable("gone"),
        WrongAccount("other"),
        StoreUnavailable("locked"),
        TradecoreError("told"),
        SystemExit(1),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_was_foreseen_halts_nothing(error: BaseException) -> None:
    assert failure_in(error) is None
    assert failure_in(BaseExceptionGroup("", [error])) is None


@pytest.mark.parametrize(
    "error",
    [InvariantViolated("no"), CorruptLedger("hole"), AssertionError(), KeyError("x"), InputError("x", 1, "another")],
)
def test_what_was_not_foreseen_is_found_in_whatever_it_comes_in(error: Exception) -> None:
    inner = BaseExceptionGroup("", [BrokerUnreachable("gone"), error])
    assert failure_in(BaseExceptionGroup("", [SystemExit(1), inner])) is error
