"""Guards: how many decisions it takes before anything may be said, or changed, because of their outcomes.

The numbers are measured: below 50 even a perfectly calibrated agent shows an error above 0.1, below 100 a recalibration
does more harm than good, and isotonic regression never beat Platt's below 1,000.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import attrs

from tradecore.domain.calibration import CalibrationKind
from tradecore.errors import TooFewOutcomes
from tradecore.learning.scores import Forecast, brier, overconfidence

SCORES_NEED = 50
NEEDED = {CalibrationKind.PLATT: 100, CalibrationKind.ISOTONIC: 1000}
SIGNIFICANT = 1.96
_FOLDS = 5


@attrs.frozen
class Window:
    """The time over which a decision's outcome came about, from `opened_at` to `closed_at` (UTC)."""

    symbol: str
    opened_at: dt.datetime
    closed_at: dt.datetime


def effective_size(windows: Iterable[Window]) -> int:
    """How many independent outcomes these are at most: windows of one symbol that overlap count once."""
    count = 0
    free_from: dict[str, dt.datetime] = {}
    for one in sorted(windows, key=lambda window: (window.closed_at, window.opened_at)):
        if one.symbol not in free_from or one.opened_at >= free_from[one.symbol]:
            free_from[one.symbol] = one.closed_at
            count += 1
    return count


def require(what: str, size: int, needed: int) -> None:
    """Raises `TooFewOutcomes` naming the size that it takes."""
    if size < needed:
        raise TooFewOutcomes(what, size, needed)


def is_miscalibrated(forecasts: Sequence[Forecast]) -> bool:
    """Whether what was said differs from what came true by more than chance."""
    return abs(overconfidence(forecasts)) > SIGNIFICANT


def folds(forecasts: Sequence[Forecast]) -> list[tuple[Sequence[Forecast], Sequence[Forecast]]]:
    """Rolling origin: learn from the first part, try on what came next. `forecasts` are in the order of time."""
    step = len(forecasts) // (_FOLDS + 1)
    return [
        (forecasts[: step * number], forecasts[step * number : step * (number + 1)]) for number in range(1, _FOLDS + 1)
    ]


def improves(before: Sequence[Forecast], after: Sequence[Forecast]) -> bool:
    """Whether forecasts got better, by the Brier score."""
    return brier(after) < brier(before)
