"""The figures equal quantstats' (and NumPy's) to 1e-9 relative wherever the formula is the same.

What differs, and how it is bridged: quantstats counts years as rows / periods, its information ratio is not
annualised, and its value at risk is the normal one.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest

from tests.research.curves import daily_closes, seeded_curve
from tradecore.metrics import Curve, Market, NotDefined, measure, probabilistic_sharpe
from tradecore.metrics import benchmark as against
from tradecore.metrics.performance import annual_return
from tradecore.metrics.year import YEAR

CLOSE = 1e-9
np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    qs = pytest.importorskip("quantstats").stats

pytestmark = pytest.mark.filterwarnings("ignore")


def prices(curve: Curve) -> Any:
    return pd.Series(
        [float(sample.equity) for sample in curve.samples],
        index=pd.DatetimeIndex([sample.at.date() for sample in curve.samples]),
    )


def curves() -> list[Any]:
    return [pytest.param(lambda seed=seed: seeded_curve(seed), id=f"seed {seed}") for seed in (1, 2, 3)] + [
        pytest.param(lambda: daily_closes("SPY"), id="SPY 1998-2021")
    ]


@pytest.mark.parametrize("made", curves())
def test_figures_equal_quantstats(made: Any) -> None:
    curve = made()
    report = measure(curve)
    price = prices(curve)
    returns = price.pct_change().dropna()
    periods = report.per_year
    details = qs.drawdown_details(qs.to_drawdown_series(price))
    expected = {
        "total_return": qs.comp(returns),
        "volatility": qs.volatility(returns, periods, prepare_returns=False),
        "sharpe": qs.sharpe(returns, periods=periods),
        "sortino": qs.sortino(returns, periods=periods),
        "max_drawdown": qs.max_drawdown(price),
        "skew": qs.skew(returns, prepare_returns=False),
        "kurtosis": qs.kurtosis(returns, prepare_returns=False),
        "normal_var_95": qs.value_at_risk(returns, confidence=0.95, prepare_returns=False),
        "ulcer_index": math.sqrt(float((np.minimum(price / price.cummax() - 1, 0) ** 2).mean())),
        "best_session": qs.best(returns, prepare_returns=False),
        "worst_session": qs.worst(returns, prepare_returns=False),
        "var_95": float(np.quantile(returns, 0.05)),
        "cvar_95": float(returns[returns <= np.quantile(returns, 0.05)].mean()),
    }
    for key, value in expected.items():
        assert report.value(key) == pytest.approx(value, rel=CLOSE), key
    years = curve.elapsed / YEAR
    assert annual_return(curve) == pytest.approx(qs.cagr(returns, periods=len(returns) / years), rel=1e-6)
    assert len(report.falls) == len(details)


def test_the_deepest_drawdown_has_the_dates_of_quantstats() -> None:
    curve = seeded_curve(5)
    report = measure(curve)
    details = qs.drawdown_details(qs.to_drawdown_series(prices(curve)))
    worst = details.sort_values("max drawdown").iloc[0]
    assert report.value("max_drawdown_to").date().isoformat() == str(worst["valley"])[:10]  # type: ignore[union-attr]
    assert report.value("max_drawdown") == pytest.approx(worst["max drawdown"] / 100, rel=1e-9)


def test_monthly_returns_equal_quantstats() -> None:
    curve = seeded_curve(6)
    table = qs.monthly_returns(prices(curve).pct_change().dropna(), eoy=False)
    months = measure(curve).months
    for year in table.index:
        for number, name in enumerate(table.columns[:12], start=1):
            assert months.get((int(year), number), 0.0) == pytest.approx(float(table.loc[year, name]), abs=1e-12)


def test_benchmark_figures_equal_quantstats() -> None:
    ours, theirs = seeded_curve(7), seeded_curve(8)
    report = measure(ours, benchmark=theirs)
    mine, other = (prices(curve).pct_change().dropna() for curve in (ours, theirs))
    greeks = qs.greeks(mine, other, periods=report.per_year, prepare_returns=False)
    assert report.value("beta") == pytest.approx(greeks["beta"], rel=CLOSE)
    assert report.value("alpha") == pytest.approx(greeks["alpha"], rel=1e-6)
    assert report.value("correlation") == pytest.approx(mine.corr(other), rel=CLOSE)
    ratio = qs.information_ratio(mine, other, prepare_returns=False) * math.sqrt(report.per_year)
    assert report.value("information_ratio") == pytest.approx(ratio, rel=CLOSE)
    pairs = against.paired(ours, theirs, Market.US_EQUITIES)
    assert not isinstance(pairs, NotDefined)
    assert len(pairs.ours) == len(mine)


def test_the_probabilistic_sharpe_ratio_equals_the_published_formula() -> None:
    scipy = pytest.importorskip("scipy.stats")
    curve = seeded_curve(9)
    returns = np.array(measure(curve).returns)
    ratio = returns.mean() / returns.std(ddof=1)
    skew = scipy.skew(returns, bias=False)
    tails = scipy.kurtosis(returns, fisher=False, bias=False)
    spread = math.sqrt((1 - skew * ratio + (tails - 1) / 4 * ratio**2) / (len(returns) - 1))
    assert probabilistic_sharpe(list(returns)) == pytest.approx(scipy.norm.cdf(ratio / spread), rel=1e-9)
