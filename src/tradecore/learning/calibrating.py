"""Calibrating: from the outcomes of an agent to the calibration that counts for its next decisions."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain import streams
from tradecore.domain.calibration import CalibrationKind, CalibrationMap, check_map
from tradecore.domain.events import CalibrationCompleted
from tradecore.domain.messages import Cause
from tradecore.errors import InputError
from tradecore.learning.active import calibrations_of
from tradecore.learning.cases import cases_of
from tradecore.learning.fitting import apply_to, fit_guarded
from tradecore.learning.guards import effective_size
from tradecore.learning.scores import brier, overconfidence
from tradecore.ledger import Ledger

_PLACES = Decimal("1e-9")


def calibrate(
    ledger: Ledger, agent: str, model: str | None, kind: CalibrationKind, who: str, reason: str, cause: Cause
) -> CalibrationCompleted:
    """Learn from every resolved decision so far, and let the result count from here on.

    Raises `InputError` where the agent decided nothing, `TooFewOutcomes`, `CalibrationRefused`, `MissingExtra`.
    Identity needs no outcomes: it takes back what was learned.
    """
    if kind is CalibrationKind.IDENTITY:
        return _record(ledger, agent, model, CalibrationMap(), [0, 0], (None, None, None), who, reason, cause)
    cases = [case for case in cases_of(ledger.journal, agent, model) if case.stated is not None]
    if not cases:
        raise InputError("agent", agent if model is None else f"{agent} with {model}", "one with resolved decisions")
    forecasts = [forecast for case in cases if (forecast := case.forecast(as_stated=True)) is not None]
    size = effective_size(case.window for case in cases)
    fitted = fit_guarded(kind, forecasts, size)
    check_map(fitted)
    scores = (brier(forecasts), brier(apply_to(fitted, forecasts)), overconfidence(forecasts))
    return _record(ledger, agent, model, fitted, [len(cases), size], scores, who, reason, cause)


def _record(
    ledger: Ledger,
    agent: str,
    model: str | None,
    fitted: CalibrationMap,
    counts: list[int],
    scores: tuple[float | None, float | None, float | None],
    who: str,
    reason: str,
    cause: Cause,
) -> CalibrationCompleted:
    version = len(calibrations_of(ledger.journal, agent)) + 1
    before, after, z = (None if score is None else _exact(score) for score in scores)
    event = CalibrationCompleted(
        calibration_id=f"{agent}@{version}",
        agent=agent,
        model=model,
        version=version,
        calibration=fitted,
        outcomes=counts[0],
        size=counts[1],
        brier_before=before,
        brier_after=after,
        z=z,
        fitted_through=ledger.journal.head(),
        who=who,
        reason=reason,
    )
    ledger.note(streams.calibration(agent), event, cause)
    return event


def _exact(score: float) -> Decimal:
    return Decimal(f"{score:.9f}").quantize(_PLACES).normalize()
