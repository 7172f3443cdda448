"""Words that files, events and other programs hold are the same in every release; and which of two actions wins."""

from __future__ import annotations

import enum
from decimal import Decimal

import pytest

from tests.risk.asks import ask, judge, limits, rule_of, standing
from tradecore.domain.exit_plan import ExitPlan, ExitRule, Keeper
from tradecore.domain.kill import KillState
from tradecore.domain.limits import REDUCIBLE, STANDARD, Action, Hours, Limits
from tradecore.domain.tempo import Tempo
from tradecore.domain.triggers import CRITICAL_ALERTS, Trigger
from tradecore.domain.triggers import STANDARD as TRIGGERS
from tradecore.domain.volatility import PERIODS, Swing

TRIGGER_WORDS = (
    "day_loss drawdown consecutive_losses reject_rate error_rate broker_unreachable stale_data reconcile_mismatch "
    "repeated_execution unknown_orders volatility clock_jump contradiction ledger_damaged disk_low"
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (Action, "block warn reduce approve"),
        (Hours, "regular extended any"),
        (ExitRule, "stop_loss trail break_even take_profit max_holding decision"),
        (Keeper, "broker engine"),
        (Trigger, TRIGGER_WORDS),
    ],
)
def test_words_stay_as_they_are(words: type[enum.StrEnum], said: str) -> None:
    assert [word.value for word in words] == said.split()


def test_critical_alerts_and_rules_that_a_smaller_order_keeps_stay_as_they_are() -> None:
    assert CRITICAL_ALERTS == ("order_halted", "ledger_damaged", "saga_manual", "unprotected", "runner_failed")
    assert sorted(REDUCIBLE) == [
        "max_gross_exposure", "max_gross_exposure_share", "max_order_notional", "max_order_qty",
        "max_position_notional", "max_position_qty", "max_position_share",
    ]  # fmt: skip


def test_the_standard_is_what_the_documentation_says() -> None:
    said = {
        "max_position_share": "0.10", "max_gross_exposure_share": "0.50", "max_open_positions": "15",
        "max_daily_loss_share": "0.05", "max_sector_share": "0.25", "min_confidence": "0.6",
    }  # fmt: skip
    unset = Limits()
    assert {name: str(getattr(STANDARD, name)) for name in said} == said
    assert [name for name in vars_of(STANDARD) if vars_of(STANDARD)[name] != vars_of(unset)[name]] == [
        name for name in vars_of(STANDARD) if name in said
    ]
    assert {rule.trigger.value: (str(rule.at), rule.state.value, str(rule.window_s)) for rule in TRIGGERS} == {
        "day_loss": ("0.05", "halted", "300"),
        "consecutive_losses": ("10", "halted", "300"),
        "reject_rate": ("0.5", "reduce_only", "300"),
        "error_rate": ("20", "reduce_only", "300"),
        "broker_unreachable": ("120", "reduce_only", "300"),
        "stale_data": ("900", "reduce_only", "300"),
        "reconcile_mismatch": ("3", "reduce_only", "300"),
        "repeated_execution": ("10", "halted", "60"),
        "unknown_orders": ("5", "halted", "300"),
        "clock_jump": ("2", "reduce_only", "300"),
        "contradiction": ("1", "halted", "300"),
        "ledger_damaged": ("1", "halted", "300"),
    }
    assert {(rule.least, str(rule.cooldown_s)) for rule in TRIGGERS} == {(5, "900")}


def test_what_is_not_said_is_this() -> None:
    assert (str(Limits().repeat_window_s), str(Limits().approval_s)) == ("60", "900")
    assert KillState("main") == KillState(
        "main", is_open=False, suspend=False, flat=False, attempts=0, in_flight=False
    )  # fmt: skip
    assert (ExitPlan().trail_arm, str(PERIODS)) == (Decimal("0.05"), "14")
    assert (Tempo().orders, Tempo().notional, Swing().ranges) == (0, Decimal(0), 0)


def vars_of(told: Limits) -> dict[str, object]:
    return {name: getattr(told, name) for name in dir(told) if not name.startswith("_") and name != "action"}


@pytest.mark.parametrize(
    ("first", "second"),
    [(Action.WARN, Action.REDUCE), (Action.REDUCE, Action.APPROVE), (Action.APPROVE, Action.BLOCK)],
)
def test_the_stricter_of_two_actions_decides_whichever_comes_first(first: Action, second: Action) -> None:
    for quantity, notional in ((first, second), (second, first)):
        told = limits(
            max_order_qty="5",
            max_order_notional="500",
            actions={"max_order_qty": quantity, "max_order_notional": notional},
        )
        assert judge(told, ask(), standing()).action is second


def test_who_asks_for_approval_is_asked_about_by_that_name() -> None:
    verdict = judge(limits(), ask(approval="an agent is not sure"), standing())
    assert (verdict.action, rule_of(verdict)) == (Action.APPROVE, "approval")
