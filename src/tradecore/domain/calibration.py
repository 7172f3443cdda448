"""A calibration: a map from the confidence that somebody states to the one that their outcomes bear out.

Pure and exact to nine places: the same confidence gives the same number on every machine, so a replay decides alike.
"""

from __future__ import annotations

import enum
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise

import attrs

from tradecore.domain.values import canonical
from tradecore.errors import InputError

_WIDE = Context(prec=34, rounding=ROUND_HALF_EVEN)
_NINE_PLACES = Decimal("1e-9")
_CLIP = Decimal("1e-9")
_ONE = Decimal(1)


class CalibrationKind(enum.StrEnum):
    """The form of a map. Identity is there to take another one back."""

    IDENTITY = "identity"
    PLATT = "platt"
    ISOTONIC = "isotonic"


@attrs.frozen
class Knot:
    """A point of an isotonic map; between points it is linear, beyond the last ones it is flat."""

    stated: Decimal
    calibrated: Decimal


@attrs.frozen
class CalibrationMap:
    """Platt's map is a line on the log-odds (`slope`, `intercept`), an isotonic one its knots in ascending order."""

    kind: CalibrationKind = CalibrationKind.IDENTITY
    slope: Decimal = _ONE
    intercept: Decimal = Decimal(0)
    knots: tuple[Knot, ...] = ()


def check_map(calibration: CalibrationMap) -> None:
    """Raises `InputError` for a map that would turn an order around: more confidence must never become less."""
    if not (calibration.slope.is_finite() and calibration.intercept.is_finite()) or calibration.slope < 0:
        raise InputError("slope", calibration.slope, "a finite number, zero or above")
    if calibration.kind is CalibrationKind.ISOTONIC and not calibration.knots:
        raise InputError("knots", calibration.knots, "at least one point")
    for low, high in pairwise(calibration.knots):
        if low.stated >= high.stated or low.calibrated > high.calibrated:
            raise InputError("knots", f"{low} before {high}", "points that ascend")


def calibrated(calibration: CalibrationMap, confidence: Decimal) -> Decimal:
    """The confidence that a stated one is worth, from 0 to 1."""
    match calibration.kind:
        case CalibrationKind.IDENTITY:
            return confidence
        case CalibrationKind.PLATT:
            value = _platt(calibration, confidence)
        case CalibrationKind.ISOTONIC:
            value = _isotonic(calibration.knots, confidence)
    return canonical(min(max(value, Decimal(0)), _ONE).quantize(_NINE_PLACES, context=_WIDE))


def _platt(calibration: CalibrationMap, confidence: Decimal) -> Decimal:
    stated = min(max(confidence, _CLIP), _ONE - _CLIP)
    odds = _WIDE.ln(_WIDE.divide(stated, _WIDE.subtract(_ONE, stated)))
    moved = _WIDE.fma(calibration.slope, odds, calibration.intercept)
    return _WIDE.divide(_ONE, _WIDE.add(_ONE, _WIDE.exp(-moved)))


def _isotonic(knots: tuple[Knot, ...], confidence: Decimal) -> Decimal:
    if confidence <= knots[0].stated:
        return knots[0].calibrated
    for low, high in pairwise(knots):
        if confidence <= high.stated:
            part = _WIDE.divide(confidence - low.stated, high.stated - low.stated)
            return _WIDE.fma(part, high.calibrated - low.calibrated, low.calibrated)
    return knots[-1].calibrated
