"""Return and risk of a curve: what is said of its sessions' returns, annualised by the market's calendar."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from statistics import NormalDist

from tradecore.metrics.curve import Curve
from tradecore.metrics.figure import NotDefined, Real
from tradecore.metrics.moments import deviation, mean, quantile
from tradecore.metrics.year import YEAR

_LEAST_TIME = dt.timedelta(days=30)


def total_return(curve: Curve) -> Real:
    """Last over first equity less one; time-weighted over what was paid in or out (GIPS 2020, 2.A.2)."""
    if len(curve.samples) < 2:
        return NotDefined("fewer than two samples")
    index = curve.index
    return index if isinstance(index, NotDefined) else float(index[-1] - 1)


def annual_return(curve: Curve) -> Real:
    """Compound annual growth rate: growth to the power of (365.25 days / elapsed time), less one.

    Not defined below 30 days: a short range to a high power says nothing (GIPS 2020, 2.A.10 forbids it below a year).
    """
    total = total_return(curve)
    if isinstance(total, NotDefined):
        return total
    if curve.elapsed < _LEAST_TIME:
        return NotDefined(f"{curve.elapsed.days} days are too few to annualise, 30 are needed")
    if total <= -1:
        return NotDefined("everything was lost")
    return math.expm1(math.log1p(total) * (YEAR / curve.elapsed))


def volatility(returns: Sequence[float], per_year: float) -> Real:
    """Sample standard deviation of the returns times the root of the periods per year; 0 without variance."""
    if len(returns) < 2:
        return NotDefined(f"{len(returns)} returns are fewer than two")
    spread = deviation(returns)
    return 0.0 if isinstance(spread, NotDefined) else spread * math.sqrt(per_year)


def periodic(risk_free: float, per_year: float) -> float:
    """The rate per period that compounds to an annual rate."""
    return math.expm1(math.log1p(risk_free) / per_year)


def sharpe(returns: Sequence[float], per_year: float, risk_free: float = 0.0) -> Real:
    """Mean excess return over its deviation, times the root of the periods per year (Sharpe 1994)."""
    spread, middle = deviation(returns), mean(returns)
    if isinstance(spread, NotDefined):
        return spread
    if isinstance(middle, NotDefined):
        return middle
    return (middle - periodic(risk_free, per_year)) / spread * math.sqrt(per_year)


def sortino(returns: Sequence[float], per_year: float, risk_free: float = 0.0) -> Real:
    """Mean excess return over the downside deviation, over all periods (Sortino and Price 1994)."""
    if len(returns) < 2:
        return NotDefined(f"{len(returns)} returns are fewer than two")
    least = periodic(risk_free, per_year)
    downside = math.sqrt(math.fsum(min(value - least, 0.0) ** 2 for value in returns) / len(returns))
    if not downside:
        return NotDefined("no return was below the risk-free rate")
    return (math.fsum(returns) / len(returns) - least) / downside * math.sqrt(per_year)


def calmar(annual: Real, depth: Decimal | None) -> Real:
    """Annual return over the deepest drawdown, over the whole curve (Young 1991 takes 36 months)."""
    if isinstance(annual, NotDefined):
        return annual
    return NotDefined("there was no drawdown") if not depth else annual / abs(float(depth))


def value_at_risk(returns: Sequence[float], level: float) -> Real:
    """The return that is undercut in 1 - `level` of the periods, as it was in the past (Jorion 2006, ch. 10)."""
    return quantile(returns, 1 - level) if len(returns) > 1 else NotDefined("fewer than two returns")


def normal_value_at_risk(returns: Sequence[float], level: float) -> Real:
    """The same if returns were normal: mean plus the quantile of the normal distribution times the deviation."""
    spread, middle = deviation(returns), mean(returns)
    if isinstance(spread, NotDefined):
        return spread
    if isinstance(middle, NotDefined):
        return middle
    return NormalDist(middle, spread).inv_cdf(1 - level)


def expected_shortfall(returns: Sequence[float], level: float) -> Real:
    """CVaR: the mean of the returns at or below the historical value at risk (Rockafellar and Uryasev 2000)."""
    limit = value_at_risk(returns, level)
    return limit if isinstance(limit, NotDefined) else mean([value for value in returns if value <= limit])


def exposure(curve: Curve) -> Real:
    """Gross value of the positions over equity, averaged over time: a sample holds until the next."""
    weighed, total = 0.0, 0.0
    for before, after in zip(curve.samples, curve.samples[1:], strict=False):
        if before.exposure is None:
            return NotDefined("the curve does not say what was held")
        if before.equity <= 0:
            return NotDefined("equity was not above zero")
        seconds = (after.at - before.at).total_seconds()
        weighed += float(before.exposure / before.equity) * seconds
        total += seconds
    return weighed / total if total else NotDefined("fewer than two samples")
