"""Fitting a calibration, by scikit-learn (extra `learning`): only here, and only when somebody asks for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from tradecore.domain.calibration import CalibrationKind, CalibrationMap, Knot, calibrated
from tradecore.errors import CalibrationRefused, MissingExtra
from tradecore.learning.guards import NEEDED, folds, improves, is_miscalibrated, require
from tradecore.learning.scores import Forecast, overconfidence

_CLIP = 1e-9
_PLACES = Decimal("1e-12")
_LARGE_C = 1e9  # no ridge to speak of: the guards are what keeps a fit from following chance

Fit = Callable[[Sequence[Forecast]], CalibrationMap]


def fit_guarded(kind: CalibrationKind, forecasts: Sequence[Forecast], size: int) -> CalibrationMap:
    """A map that may be used: enough outcomes (`size` independent ones), a real error, and better on later data.

    `forecasts` are in the order of time. Raises `TooFewOutcomes` with the size that is needed, `CalibrationRefused`
    where calibrating would not help, `MissingExtra` without scikit-learn.
    """
    require(f"a {kind} calibration", size, NEEDED[kind])
    if not is_miscalibrated(forecasts):
        z = overconfidence(forecasts)
        raise CalibrationRefused(f"confidence is not off by more than chance ({z:+.2f} standard errors)")
    fit = FITS[kind]
    before: list[Forecast] = []
    after: list[Forecast] = []
    for earlier, later in folds(forecasts):
        if len({one.came_true for one in earlier}) < 2:
            continue  # a single outcome teaches nothing
        before += later
        after += apply_to(fit(earlier), later)
    if not before or not improves(before, after):
        raise CalibrationRefused("learned from earlier decisions it does not improve later ones")
    return fit(forecasts)


def fit_platt(forecasts: Sequence[Forecast]) -> CalibrationMap:
    """A line on the log-odds (Platt 1999). Raises `MissingExtra`."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise MissingExtra("fitting a calibration", "learning") from None
    model = LogisticRegression(C=_LARGE_C, tol=1e-10, max_iter=1000)
    model.fit([[_log_odds(one.probability)] for one in forecasts], [int(one.came_true) for one in forecasts])
    slope, intercept = float(model.coef_[0][0]), float(model.intercept_[0])
    if slope < 0:  # who is more often wrong the surer they are: only the base rate is left
        model.fit([[0.0]] * len(forecasts), [int(one.came_true) for one in forecasts])
        slope, intercept = 0.0, float(model.intercept_[0])
    return CalibrationMap(CalibrationKind.PLATT, _exact(slope), _exact(intercept))


def fit_isotonic(forecasts: Sequence[Forecast]) -> CalibrationMap:
    """The best non-decreasing map. Raises `MissingExtra`."""
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError:
        raise MissingExtra("fitting a calibration", "learning") from None
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit([one.probability for one in forecasts], [float(one.came_true) for one in forecasts])
    pairs = zip(model.X_thresholds_, model.y_thresholds_, strict=True)
    return CalibrationMap(CalibrationKind.ISOTONIC, knots=tuple(Knot(_exact(x), _exact(y)) for x, y in pairs))


FITS: dict[CalibrationKind, Fit] = {CalibrationKind.PLATT: fit_platt, CalibrationKind.ISOTONIC: fit_isotonic}


def apply_to(calibration: CalibrationMap, forecasts: Sequence[Forecast]) -> list[Forecast]:
    """The forecasts as they would have been."""
    stated = {one.probability: float(calibrated(calibration, _exact(one.probability))) for one in forecasts}
    return [Forecast(stated[one.probability], one.came_true) for one in forecasts]


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, _CLIP), 1.0 - _CLIP)
    return math.log(clipped / (1.0 - clipped))


def _exact(number: float) -> Decimal:
    return Decimal(float(number)).quantize(_PLACES).normalize()
