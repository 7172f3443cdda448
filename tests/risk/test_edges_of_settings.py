"""Edges of what a file may say of limits and triggers: the ends of every range, and names that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tradecore.domain.limits import Limits
from tradecore.settings_risk import RiskSettings, ScopeSettings, StepSettings
from tradecore.settings_triggers import TriggerSettings, TriggersSettings

AMOUNT, COUNT, SHARE, WINDOW = "max_order_notional", "max_open_orders", "price_collar", "repeat_window_s"


def step(**changes: Any) -> dict[str, Any]:
    return {"at": "0.5", "factor": "0.5", **changes}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (RiskSettings, {AMOUNT: "0"}),
        (RiskSettings, {AMOUNT: "0.5"}),
        (RiskSettings, {AMOUNT: "none"}),
        (RiskSettings, {COUNT: 0}),
        (RiskSettings, {COUNT: "none"}),
        (RiskSettings, {SHARE: "0"}),
        (RiskSettings, {SHARE: "0.5"}),
        (RiskSettings, {SHARE: "1"}),
        (RiskSettings, {WINDOW: "0.5"}),
        (RiskSettings, {"approval_s": "0.5"}),
        (StepSettings, step(at="0", factor="0")),
        (StepSettings, step(factor="1")),
        (TriggerSettings, {"at": "0.5", "window_s": "0.5", "cooldown_s": "0.5", "least": 1}),
    ],
)
def test_the_ends_of_a_range_may_be_said(kind: type[BaseModel], told: dict[str, Any]) -> None:
    kind.model_validate(told)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (RiskSettings, {AMOUNT: "-0.000000001"}),
        (RiskSettings, {COUNT: -1}),
        (RiskSettings, {COUNT: "0.5"}),
        (RiskSettings, {SHARE: "-0.000000001"}),
        (RiskSettings, {SHARE: "1.000000001"}),
        (RiskSettings, {WINDOW: "0"}),
        (RiskSettings, {"approval_s": "0"}),
        (RiskSettings, {"no_such_limit": 1}),
        (ScopeSettings, {"price_collar": 1}),
        (StepSettings, step(at="-0.000000001")),
        (StepSettings, step(factor="-0.000000001")),
        (StepSettings, step(factor="1.000000001")),
        (StepSettings, step(until="1")),
        (TriggerSettings, {"at": "0"}),
        (TriggerSettings, {"window_s": "0"}),
        (TriggerSettings, {"cooldown_s": "0"}),
        (TriggerSettings, {"least": 0}),
        (TriggerSettings, {"no_such_word": 1}),
        (TriggersSettings, {"no_such_trigger": 1}),
    ],
)
def test_just_behind_them_and_what_nobody_knows_is_refused(kind: type[BaseModel], told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(told)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (RiskSettings(), AMOUNT),
        (ScopeSettings(), "max_order_qty"),
        (StepSettings.model_validate(step()), "factor"),
        (TriggerSettings(), "at"),
        (TriggersSettings(), "drawdown"),
    ],
)
def test_what_was_read_is_not_changed_any_more(told: BaseModel, field: str) -> None:
    with pytest.raises(ValidationError):
        setattr(told, field, 1)


def test_what_is_not_said_is_no_limit() -> None:
    """Each field stands for its default: what is said of it as it is by default changes nothing."""
    told = RiskSettings()
    said = {name: getattr(told, name) for name in RiskSettings.model_fields if name != "defaults"}
    assert RiskSettings(defaults="none", **said).limits() == Limits()
    assert told.defaults == "standard"
