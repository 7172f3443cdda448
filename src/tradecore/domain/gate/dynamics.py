"""Limits that move: by how a market swings, by what the day has cost, and by the session, never above what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from tradecore.domain.gate.figures import Ask, Standing
from tradecore.domain.limits import Hours, Limits, ScopeLimits, Step
from tradecore.domain.values import ZERO, plus, times

ONE = Decimal(1)


@attrs.frozen
class Scale:
    """What limits on amounts are multiplied by, and why."""

    factor: Decimal = ONE
    reasons: tuple[str, ...] = ()

    def by(self, factor: Decimal, reason: str) -> Scale:
        """With one more factor; 1 says nothing."""
        return self if factor == ONE else Scale(times(self.factor, factor), (*self.reasons, reason))


def scale_of(limits: Limits, ask: Ask, standing: Standing) -> Scale:
    """The factors that hold now. What is not known counts as the worst."""
    scale = Scale()
    if limits.volatility_steps:
        factor = _step(limits.volatility_steps, ask.volatility, ONE)
        scale = scale.by(factor, f"volatility {_said(ask.volatility)}: {factor}")
    if limits.loss_steps:
        loss, equity = standing.day_loss, standing.equity
        start = None if loss is None or equity is None else max(ZERO, plus(equity, loss))
        factor = _step(limits.loss_steps, loss, start)
        scale = scale.by(factor, f"loss of the day {_said(loss)} of {_said(start)}: {factor}")
    if limits.extended_hours_factor is not None and ask.session is not Hours.REGULAR:
        scale = scale.by(limits.extended_hours_factor, f"outside regular hours: {limits.extended_hours_factor}")
    return scale


def _step(steps: tuple[Step, ...], found: Decimal | None, whole: Decimal | None) -> Decimal:
    """The factor of the last step that is reached; steps are shares of `whole`."""
    if found is None or whole is None:
        return min(step.factor for step in steps)
    reached = [step.factor for step in steps if found >= times(step.at, whole)]
    return reached[-1] if reached else ONE


def _said(figure: Decimal | None) -> str:
    return "not known" if figure is None else format(figure, "f")


_AMOUNTS = (
    "max_order_qty",
    "max_order_notional",
    "max_position_qty",
    "max_position_notional",
    "max_position_share",
    "max_gross_exposure",
    "max_gross_exposure_share",
    "max_net_exposure_share",
    "max_sector_share",
)
_SCOPED = _AMOUNTS[:4]
_SCOPES = ("per_symbol", "per_strategy", "per_agent")


def scaled(limits: Limits, factor: Decimal) -> Limits:
    """The limits with those on amounts at `factor` of what they say."""
    if factor == ONE:
        return limits
    changes: dict[str, Any] = {name: _times(getattr(limits, name), factor) for name in _AMOUNTS}
    changes |= {name: {key: _scaled(scope, factor) for key, scope in getattr(limits, name).items()} for name in _SCOPES}
    return attrs.evolve(limits, **changes)


def _scaled(scope: ScopeLimits, factor: Decimal) -> ScopeLimits:
    changes: dict[str, Any] = {name: _times(getattr(scope, name), factor) for name in _SCOPED}
    return attrs.evolve(scope, **changes)


def _times(limit: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if limit is None else times(limit, factor)
