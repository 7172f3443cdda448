"""A curve against a benchmark: both by sessions, on the days that they share."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence

import attrs

from tradecore.metrics.curve import Curve
from tradecore.metrics.figure import NotDefined, Real
from tradecore.metrics.moments import deviation, mean
from tradecore.metrics.performance import periodic
from tradecore.metrics.year import Market


@attrs.frozen
class Pairs:
    """Returns of the same days: ours and the benchmark's."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def differences(self) -> tuple[float, ...]:
        """Ours less the benchmark's."""
        return tuple(a - b for a, b in zip(self.ours, self.theirs, strict=True))


def paired(curve: Curve, benchmark: Curve, market: Market) -> Pairs | NotDefined:
    """Returns between the days that both curves have."""
    ours, theirs = _by_date(curve, market), _by_date(benchmark, market)
    dates = sorted(ours.keys() & theirs.keys())
    if len(dates) < 3:
        return NotDefined(f"{len(dates)} days are shared with the benchmark, three are needed")
    return Pairs(_steps([ours[date] for date in dates]), _steps([theirs[date] for date in dates]))


def _by_date(curve: Curve, market: Market) -> dict[dt.date, float]:
    daily = curve.daily(market)
    index = daily.index
    if isinstance(index, NotDefined):
        return {}
    moments = zip(daily.samples, index, strict=True)
    return {sample.at.astimezone(market.zone).date(): float(value) for sample, value in moments}


def _steps(index: Sequence[float]) -> tuple[float, ...]:
    return tuple(after / before - 1 for before, after in itertools.pairwise(index))


def beta(pairs: Pairs) -> Real:
    """Covariance with the benchmark over its variance (Sharpe 1964)."""
    spread = deviation(pairs.theirs)
    return spread if isinstance(spread, NotDefined) else _covariance(pairs) / spread**2


def alpha(pairs: Pairs, per_year: float, risk_free: float = 0.0) -> Real:
    """Jensen's alpha (1968): mean return beyond what beta explains, times the periods per year."""
    slope, rate = beta(pairs), periodic(risk_free, per_year)
    if isinstance(slope, NotDefined):
        return slope
    ours, theirs = _mean(pairs.ours), _mean(pairs.theirs)
    return (ours - rate - slope * (theirs - rate)) * per_year


def correlation(pairs: Pairs) -> Real:
    """Pearson's coefficient."""
    ours, theirs = deviation(pairs.ours), deviation(pairs.theirs)
    if isinstance(ours, NotDefined):
        return ours
    return theirs if isinstance(theirs, NotDefined) else _covariance(pairs) / (ours * theirs)


def tracking_error(pairs: Pairs, per_year: float) -> Real:
    """Deviation of the differences, annualised (Grinold and Kahn 1999)."""
    spread = deviation(pairs.differences)
    return 0.0 if isinstance(spread, NotDefined) else spread * math.sqrt(per_year)


def information_ratio(pairs: Pairs, per_year: float) -> Real:
    """Mean of the differences over their deviation, annualised (Grinold and Kahn 1999)."""
    spread, middle = deviation(pairs.differences), mean(pairs.differences)
    if isinstance(spread, NotDefined):
        return NotDefined("the curve follows the benchmark exactly")
    return middle if isinstance(middle, NotDefined) else middle / spread * math.sqrt(per_year)


def capture(pairs: Pairs, *, up: bool) -> Real:
    """Mean return over the benchmark's, on days on which the benchmark rose (`up`) or fell."""
    chosen = [(a, b) for a, b in zip(pairs.ours, pairs.theirs, strict=True) if (b > 0 if up else b < 0)]
    if not chosen:
        return NotDefined(f"the benchmark never {'rose' if up else 'fell'}")
    return math.fsum(a for a, _ in chosen) / math.fsum(b for _, b in chosen)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _covariance(pairs: Pairs) -> float:
    ours, theirs = _mean(pairs.ours), _mean(pairs.theirs)
    products = ((a - ours) * (b - theirs) for a, b in zip(pairs.ours, pairs.theirs, strict=True))
    return math.fsum(products) / (len(pairs.ours) - 1)
