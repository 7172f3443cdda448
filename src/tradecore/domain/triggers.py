"""Triggers: signs that stop trading by themselves. A sign is a figure with its evidence, a rule says where it stops.

Thresholds are what the figure must reach. Only a person lets trading go on; after that a trigger is quiet for its
cooldown, so that whoever looked into it is not stopped again by what has been seen already.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs

from tradecore.domain.values import TradingState
from tradecore.errors import InputError


class Trigger(enum.StrEnum):
    """What stops trading by itself."""

    DAY_LOSS = "day_loss"
    DRAWDOWN = "drawdown"
    CONSECUTIVE_LOSSES = "consecutive_losses"
    REJECT_RATE = "reject_rate"
    ERROR_RATE = "error_rate"
    BROKER_UNREACHABLE = "broker_unreachable"
    STALE_DATA = "stale_data"
    RECONCILE_MISMATCH = "reconcile_mismatch"
    REPEATED_EXECUTION = "repeated_execution"
    UNKNOWN_ORDERS = "unknown_orders"
    VOLATILITY = "volatility"
    CLOCK_JUMP = "clock_jump"
    CONTRADICTION = "contradiction"
    LEDGER_DAMAGED = "ledger_damaged"
    DISK_LOW = "disk_low"


@attrs.frozen
class Rule:
    """From which figure on a trigger stops trading, and how strictly.

    `window_s` is how far back events count, `least` how many of them there must be for a rate to mean anything.
    """

    trigger: Trigger
    at: Decimal
    state: TradingState = TradingState.REDUCE_ONLY
    window_s: Decimal = Decimal(300)
    least: int = 5
    cooldown_s: Decimal = Decimal(900)


@attrs.frozen
class Sign:
    """A figure that was seen, and where it comes from."""

    trigger: Trigger
    figure: Decimal
    evidence: str


_HALT = TradingState.HALTED
STANDARD = (
    Rule(Trigger.DAY_LOSS, Decimal("0.05"), _HALT),
    Rule(Trigger.CONSECUTIVE_LOSSES, Decimal(10), _HALT),
    Rule(Trigger.REJECT_RATE, Decimal("0.5")),
    Rule(Trigger.ERROR_RATE, Decimal(20)),
    Rule(Trigger.BROKER_UNREACHABLE, Decimal(120)),
    Rule(Trigger.STALE_DATA, Decimal(900)),
    Rule(Trigger.RECONCILE_MISMATCH, Decimal(3)),
    Rule(Trigger.REPEATED_EXECUTION, Decimal(10), _HALT, window_s=Decimal(60)),
    Rule(Trigger.UNKNOWN_ORDERS, Decimal(5), _HALT),
    Rule(Trigger.CLOCK_JUMP, Decimal(2)),
    Rule(Trigger.CONTRADICTION, Decimal(1), _HALT),
    Rule(Trigger.LEDGER_DAMAGED, Decimal(1), _HALT),
)
"""What holds for a live market where nobody said otherwise."""

FAILED = "runner_failed"
"""The halt of a runner that ended in a way that nobody foresaw, and its alert. No rule of it: it always holds."""

CRITICAL_ALERTS = ("order_halted", "ledger_damaged", "saga_manual", "unprotected", FAILED)
"""Kinds of alerts that hold new risk until a person has read them, where nobody said otherwise."""


@attrs.frozen
class Vigilance:
    """What is watched for. `critical` are the kinds of alerts that hold new risk until a person has read them.

    Raises `InputError` for a rule that cannot be meant, or two of one trigger.
    """

    rules: tuple[Rule, ...] = ()
    critical: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for rule in self.rules:
            _check(rule)
        if len({rule.trigger for rule in self.rules}) < len(self.rules):
            raise InputError("triggers", [rule.trigger.value for rule in self.rules], "one rule per trigger")


def _check(rule: Rule) -> None:
    name = f"triggers.{rule.trigger.value}"
    for field, value in (("at", rule.at), ("window_s", rule.window_s), ("cooldown_s", rule.cooldown_s)):
        if not (value.is_finite() and value > 0):
            raise InputError(f"{name}.{field}", value, "a number above zero")
    if rule.state is TradingState.ACTIVE:
        raise InputError(f"{name}.state", rule.state.value, "reduce_only or halted")


def sprung(rules: Iterable[Rule], signs: Iterable[Sign]) -> Iterator[tuple[Rule, Sign]]:
    """The rules whose figure is reached, each with the sign that did."""
    by_trigger = {rule.trigger: rule for rule in rules}
    for sign in signs:
        rule = by_trigger.get(sign.trigger)
        if rule is not None and sign.figure >= rule.at:
            yield rule, sign
