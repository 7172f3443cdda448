"""Limits: everything that the risk gate holds an order against, as one versioned object per account.

None means that a limit is not set; zero means zero. Shares are of equity: 0.1 is ten percent. Amounts are in account
currency, times in seconds. Whoever changes them is on record with a reason.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.errors import InputError


class Action(enum.StrEnum):
    """What follows when an order is outside a limit."""

    BLOCK = "block"
    WARN = "warn"
    REDUCE = "reduce"
    APPROVE = "approve"


class Hours(enum.StrEnum):
    """When orders that add risk may be placed."""

    REGULAR = "regular"
    EXTENDED = "extended"
    ANY = "any"


@attrs.frozen
class ScopeLimits:
    """Limits of one symbol, strategy or agent, beside those of the account."""

    max_order_qty: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_position_qty: Decimal | None = None
    max_position_notional: Decimal | None = None
    max_open_orders: int | None = None
    max_orders_per_minute: int | None = None
    max_orders_per_day: int | None = None


@attrs.frozen
class Step:
    """From `at` on, limits on amounts hold at `factor` of what they say."""

    at: Decimal
    factor: Decimal


@attrs.frozen
class Limits:
    """The limits of an account.

    `volatility_steps` (average true range as a share of the price), `loss_steps` (loss of the day as a share of the
    equity that it began with) and `extended_hours_factor` make those on amounts smaller.
    """

    version: int = 0
    max_order_qty: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_open_orders: int | None = None
    max_position_qty: Decimal | None = None
    max_position_notional: Decimal | None = None
    max_position_share: Decimal | None = None
    max_gross_exposure: Decimal | None = None
    max_gross_exposure_share: Decimal | None = None
    max_net_exposure_share: Decimal | None = None
    max_sector_share: Decimal | None = None
    max_open_positions: int | None = None
    max_daily_loss: Decimal | None = None
    max_daily_loss_share: Decimal | None = None
    max_orders_per_minute: int | None = None
    max_orders_per_day: int | None = None
    max_notional_per_day: Decimal | None = None
    price_collar: Decimal | None = None
    max_price_age_s: Decimal | None = None
    duplicate_window_s: Decimal | None = None
    max_repeats: int | None = None
    repeat_window_s: Decimal = Decimal(60)
    min_confidence: Decimal | None = None
    hours: Hours = Hours.ANY
    must_be_tradable: bool = False
    no_self_cross: bool = False
    approve_all: bool = False
    approval_s: Decimal = Decimal(900)
    symbols: tuple[str, ...] | None = None
    prohibited: tuple[str, ...] = ()
    principals: tuple[str, ...] | None = None
    volatility_steps: tuple[Step, ...] = ()
    loss_steps: tuple[Step, ...] = ()
    extended_hours_factor: Decimal | None = None
    sectors: Mapping[str, str] = attrs.field(factory=dict)
    per_symbol: Mapping[str, ScopeLimits] = attrs.field(factory=dict)
    per_strategy: Mapping[str, ScopeLimits] = attrs.field(factory=dict)
    per_agent: Mapping[str, ScopeLimits] = attrs.field(factory=dict)
    actions: Mapping[str, Action] = attrs.field(factory=dict)

    def action(self, rule: str) -> Action:
        """What follows when an order is outside the limit `rule`."""
        return self.actions.get(rule, Action.APPROVE if rule == "approve_all" else Action.BLOCK)


REDUCIBLE = frozenset(
    {
        "max_order_qty",
        "max_order_notional",
        "max_position_qty",
        "max_position_notional",
        "max_position_share",
        "max_gross_exposure",
        "max_gross_exposure_share",
    }
)
"""Rules that a smaller order keeps; the others know no smaller."""


STANDARD = Limits(
    max_position_share=Decimal("0.10"),
    max_gross_exposure_share=Decimal("0.50"),
    max_open_positions=15,
    max_daily_loss_share=Decimal("0.05"),
    max_sector_share=Decimal("0.25"),
    min_confidence=Decimal("0.6"),
)
"""What holds for an account of which nobody said otherwise."""


def check_limits(limits: Limits) -> None:
    """Refuse limits that cannot be meant; raises `InputError` naming the limit."""
    for field in attrs.fields(Limits):
        _check_number(field.name, getattr(limits, field.name))
    for scope in ("per_symbol", "per_strategy", "per_agent"):
        for key, scoped in getattr(limits, scope).items():
            for field in attrs.fields(ScopeLimits):
                _check_number(f"{scope}.{key}.{field.name}", getattr(scoped, field.name))
    for name in ("volatility_steps", "loss_steps"):
        _check_steps(name, getattr(limits, name))
    known = {field.name for field in attrs.fields(Limits)}
    for rule, action in limits.actions.items():
        if rule not in known:
            raise InputError(f"actions.{rule}", rule, "the name of a limit")
        if action is Action.REDUCE and rule not in REDUCIBLE:
            raise InputError(f"actions.{rule}", action.value, "block, warn or approve: no smaller order would keep it")


def _check_steps(name: str, steps: tuple[Step, ...]) -> None:
    for before, step in zip((None, *steps), steps, strict=False):
        if not (step.at.is_finite() and step.at >= 0) or (before is not None and step.at <= before.at):
            raise InputError(name, step.at, "numbers, zero or above, each larger than the one before")
        if not (step.factor.is_finite() and 0 <= step.factor <= 1):
            raise InputError(name, step.factor, "a factor from 0 to 1")


def _check_number(name: str, value: object) -> None:
    if isinstance(value, Decimal):
        if not value.is_finite() or value < 0:
            raise InputError(name, value, "a number, zero or above")
        if name == "approval_s" and not value > 0:
            raise InputError(name, value, "seconds, above zero")
        if name in ("price_collar", "min_confidence", "extended_hours_factor") and value > 1:
            raise InputError(name, value, "a share from 0 to 1")
    elif isinstance(value, int) and value < 0:
        raise InputError(name, value, "a whole number, zero or above")
