"""`[exits]`: how trades are left whose strategy does not say."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, model_validator

from tradecore.domain.exit_plan import ExitPlan, Rung, check_plan
from tradecore.errors import InputError


class RungSettings(BaseModel):
    """At a gain of `gain`, `share` of what was entered is closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: Decimal
    share: Decimal


class ExitSettings(BaseModel):
    """`[exits]`: absent means that strategies leave their trades themselves. Shares of a price, and seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop_loss: Decimal | None = None
    trail: Decimal | None = None
    trail_arm: Decimal = Decimal("0.05")
    ladder: tuple[RungSettings, ...] = ()
    max_holding_s: Decimal | None = None
    break_even: Decimal | None = None

    @model_validator(mode="after")
    def _can_be_meant(self) -> ExitSettings:
        try:
            self.plan()
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def plan(self) -> ExitPlan | None:
        """The plan that follows, None without any. Raises `InputError`."""
        if not self.model_fields_set:
            return None
        ladder = tuple(Rung(rung.gain, rung.share) for rung in self.ladder)
        plan = ExitPlan(self.stop_loss, self.trail, self.trail_arm, ladder, self.max_holding_s, self.break_even)
        check_plan(plan)
        return plan
