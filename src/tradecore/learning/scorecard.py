"""Scorecards: what may be said of how good decisions were, and no more than their number allows."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from tradecore.learning.cases import Case
from tradecore.learning.corp import Corp, Step, decompose, reliability
from tradecore.learning.guards import SCORES_NEED, effective_size
from tradecore.learning.jeffreys import jeffreys
from tradecore.learning.resampling import Interval, block_interval, null_calibration_error
from tradecore.learning.scores import (
    Forecast,
    LogLoss,
    base_rate,
    brier,
    calibration_error,
    log_loss,
    overconfidence,
    skill,
)
from tradecore.ports.ids import Rng


@attrs.frozen
class Scores:
    """How good confidences were. `null_error` is what calibrated ones stay below in 95 of 100 cases."""

    brier: float
    brier_interval: Interval
    log_loss: LogLoss
    skill: float | None
    corp: Corp
    calibration_error: float
    null_error: float
    overconfidence: float


@attrs.frozen
class Scorecard:
    """Of one group: counts always, scores only from enough independent outcomes on (`needed`)."""

    group: str
    outcomes: int
    size: int
    needed: int
    came_true: int
    base_rate: float
    base_interval: Interval
    pnl: Decimal
    model_cost: Decimal
    scores: Scores | None
    curve: tuple[Step, ...]


def scorecard(group: str, cases: Sequence[Case], rng: Rng, *, as_stated: bool = False) -> Scorecard:
    """The card of a group that has at least one case; by the confidence that counted, or as it was stated."""
    said = [(case, forecast) for case in cases if (forecast := case.forecast(as_stated=as_stated)) is not None]
    size = effective_size(case.window for case, _ in said)
    hits = sum(case.came_true for case in cases)
    forecasts = [forecast for _, forecast in said]
    return Scorecard(
        group=group,
        outcomes=len(cases),
        size=size,
        needed=SCORES_NEED,
        came_true=hits,
        base_rate=base_rate([Forecast(0.5, case.came_true) for case in cases]),
        base_interval=jeffreys(hits, len(cases)),
        pnl=sum((case.pnl for case in cases), Decimal(0)),
        model_cost=sum((case.model_cost for case in cases), Decimal(0)),
        scores=_scores(said, rng) if size >= SCORES_NEED else None,
        curve=reliability(forecasts) if forecasts and size >= SCORES_NEED else (),
    )


def _scores(said: Sequence[tuple[Case, Forecast]], rng: Rng) -> Scores:
    forecasts = [forecast for _, forecast in said]
    days = [case.window.opened_at.date() for case, _ in said]
    return Scores(
        brier=brier(forecasts),
        brier_interval=block_interval(forecasts, days, brier, rng),
        log_loss=log_loss(forecasts),
        skill=skill(forecasts),
        corp=decompose(forecasts),
        calibration_error=calibration_error(forecasts),
        null_error=null_calibration_error(forecasts, rng),
        overconfidence=overconfidence(forecasts),
    )
