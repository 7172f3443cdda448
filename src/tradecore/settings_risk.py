"""`[risk]`: every limit of an account as settings say it."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Annotated, Any, Literal

import attrs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from tradecore.domain.limits import STANDARD, Action, Hours, Limits, ScopeLimits, Step, check_limits
from tradecore.domain.values import parse_symbol
from tradecore.errors import InputError


def _unset(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


def _listed(value: object) -> object:
    value = _unset(value)
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Amount = Annotated[Annotated[Decimal, Field(ge=0)] | None, BeforeValidator(_unset)]
Count = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_unset)]
Share = Annotated[Annotated[Decimal, Field(ge=0, le=1)] | None, BeforeValidator(_unset)]
Names = Annotated[tuple[str, ...] | None, BeforeValidator(_listed)]


class StepSettings(BaseModel):
    """From `at` on, limits on amounts hold at `factor`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Decimal = Field(ge=0)
    factor: Decimal = Field(ge=0, le=1)


class ScopeSettings(BaseModel):
    """Limits of one symbol, strategy or agent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_order_qty: Amount = None
    max_order_notional: Amount = None
    max_position_qty: Amount = None
    max_position_notional: Amount = None
    max_open_orders: Count = None
    max_orders_per_minute: Count = None
    max_orders_per_day: Count = None


class RiskSettings(BaseModel):
    """`[risk]`: limits of the account. Absent means the standard where there is one, `none` not set, zero zero."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    defaults: Literal["standard", "none"] = "standard"
    max_order_qty: Amount = None
    max_order_notional: Amount = None
    max_open_orders: Count = None
    max_position_qty: Amount = None
    max_position_notional: Amount = None
    max_position_share: Amount = None
    max_gross_exposure: Amount = None
    max_gross_exposure_share: Amount = None
    max_net_exposure_share: Amount = None
    max_sector_share: Amount = None
    max_open_positions: Count = None
    max_daily_loss: Amount = None
    max_daily_loss_share: Amount = None
    max_orders_per_minute: Count = None
    max_orders_per_day: Count = None
    max_notional_per_day: Amount = None
    price_collar: Share = None
    max_price_age_s: Amount = None
    duplicate_window_s: Amount = None
    max_repeats: Count = None
    repeat_window_s: Decimal = Field(Decimal(60), gt=0)
    min_confidence: Share = None
    hours: Hours = Hours.ANY
    must_be_tradable: bool = False
    no_self_cross: bool = False
    approve_all: bool = False
    approval_s: Decimal = Field(Decimal(900), gt=0)
    symbols: Names = None
    prohibited: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    principals: Names = None
    volatility_steps: tuple[StepSettings, ...] = ()
    loss_steps: tuple[StepSettings, ...] = ()
    extended_hours_factor: Share = None
    sectors: dict[str, str] = Field(default_factory=dict)
    per_symbol: dict[str, ScopeSettings] = Field(default_factory=dict)
    per_strategy: dict[str, ScopeSettings] = Field(default_factory=dict)
    per_agent: dict[str, ScopeSettings] = Field(default_factory=dict)
    actions: dict[str, Action] = Field(default_factory=dict)

    @field_validator("symbols", "prohibited")
    @classmethod
    def _known_form(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else tuple(dict.fromkeys(parse_symbol("risk", symbol) for symbol in value))

    @field_validator("volatility_steps", "loss_steps")
    @classmethod
    def _rising(cls, value: tuple[StepSettings, ...]) -> tuple[StepSettings, ...]:
        if any(after.at <= before.at for before, after in itertools.pairwise(value)):
            raise ValueError("each `at` must be larger than the one before")
        return value

    @field_validator("actions")
    @classmethod
    def _can_be_done(cls, value: dict[str, Action]) -> dict[str, Action]:
        try:
            check_limits(Limits(actions=value))
        except InputError as error:
            raise ValueError(str(error)) from None
        return value

    def limits(self, *, of_a_day: bool = True) -> Limits:
        """The limits that follow. Not `of_a_day`: the standard loss of a day does not hold, as in a replayed market."""
        standard = STANDARD if self.defaults == "standard" else Limits()
        if not of_a_day:
            standard = attrs.evolve(standard, max_daily_loss_share=None)
        said: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set - {"defaults"}}
        for steps in ("volatility_steps", "loss_steps"):
            if steps in said:
                said[steps] = tuple(Step(step.at, step.factor) for step in said[steps])
        for table in ("per_symbol", "per_strategy", "per_agent"):
            if table in said:
                said[table] = {key: ScopeLimits(**scope.model_dump()) for key, scope in said[table].items()}
        return attrs.evolve(standard, **said)
