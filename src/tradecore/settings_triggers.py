"""`[triggers]`: what stops trading by itself, from which figure on, how strictly, and how long it is quiet after."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import attrs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tradecore.domain.triggers import CRITICAL_ALERTS, STANDARD, Rule, Trigger, Vigilance
from tradecore.domain.values import TradingState

_BY_TRIGGER = {rule.trigger: rule for rule in STANDARD}


class TriggerSettings(BaseModel):
    """One trigger. What is not said is the standard's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Decimal | None = Field(None, gt=0)
    state: Literal["reduce_only", "halted"] | None = None
    window_s: Decimal | None = Field(None, gt=0)
    least: int | None = Field(None, ge=1)
    cooldown_s: Decimal | None = Field(None, gt=0)


def _told(value: object) -> object:
    """`none` switches a trigger off, a number is where it stops."""
    if isinstance(value, str) and value.strip().lower() == "none":
        return None
    return {"at": value} if isinstance(value, str | int | float | Decimal) else value


Told = Annotated[TriggerSettings | None, BeforeValidator(_told)]


class TriggersSettings(BaseModel):
    """`[triggers]`: absent means the standard, and nothing where a market is replayed; `none` switches one off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day_loss: Told = None
    drawdown: Told = None
    consecutive_losses: Told = None
    reject_rate: Told = None
    error_rate: Told = None
    broker_unreachable: Told = None
    stale_data: Told = None
    reconcile_mismatch: Told = None
    repeated_execution: Told = None
    unknown_orders: Told = None
    volatility: Told = None
    clock_jump: Told = None
    contradiction: Told = None
    ledger_damaged: Told = None
    disk_low: Told = None
    critical_alerts: tuple[str, ...] | None = None

    def vigilance(self, *, is_replayed: bool) -> Vigilance:
        """What is watched for. In a replayed market only what is named: its losses and its clock are not ours."""
        rules = []
        for trigger in Trigger:
            if trigger.value not in self.model_fields_set:
                rule = None if is_replayed else _BY_TRIGGER.get(trigger)
            else:
                rule = _rule(trigger, getattr(self, trigger.value))
            if rule is not None:
                rules.append(rule)
        critical = () if is_replayed else CRITICAL_ALERTS
        return Vigilance(tuple(rules), critical if self.critical_alerts is None else self.critical_alerts)


def _rule(trigger: Trigger, told: TriggerSettings | None) -> Rule | None:
    if told is None:
        return None
    said: dict[str, Any] = {name: value for name, value in told.model_dump().items() if value is not None}
    if "state" in said:
        said["state"] = TradingState(said["state"])
    standard = _BY_TRIGGER.get(trigger)
    if standard is not None:
        return attrs.evolve(standard, **said)
    return Rule(trigger, **({"at": Decimal(1)} | said))
