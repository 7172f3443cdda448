"""All figures of a run: what `measure` makes of an equity curve, closed trades and fills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs

from tradecore.metrics import benchmark as against
from tradecore.metrics import performance as perf
from tradecore.metrics.calendar_returns import Group, breakdown, by_month, by_year, returns_by
from tradecore.metrics.curve import Curve
from tradecore.metrics.dealing import ClosedTrade, Dealt, TradeFigures, turnover
from tradecore.metrics.drawdown import Drawdown, deepest, drawdowns, longest, ulcer_index
from tradecore.metrics.figure import Figure, NotDefined, Unit, Value
from tradecore.metrics.moments import kurtosis, skewness
from tradecore.metrics.overfitting import probabilistic_sharpe
from tradecore.metrics.year import Market, periods_per_year

_ANY_DAY = dt.date(2024, 1, 1)
_NO_FALL = NotDefined("there was no drawdown")


@attrs.frozen
class Report:
    """Figures by section, with the tables that charts are drawn from. `returns` are by session, `dates` those of
    their ends."""

    curve: Curve
    market: Market
    per_year: float
    sections: dict[str, tuple[Figure, ...]]
    falls: tuple[Drawdown, ...]
    returns: tuple[float, ...]
    dates: tuple[dt.date, ...]
    months: dict[tuple[int, ...], float]
    years: dict[tuple[int, ...], float]
    groups: tuple[Group, ...]

    def value(self, key: str) -> Value:
        """The value of a figure by its key. Raises `KeyError`."""
        for figure in self:
            if figure.key == key:
                return figure.value
        raise KeyError(key)

    def __iter__(self) -> Iterator[Figure]:
        return (figure for section in self.sections.values() for figure in section)


def measure(
    curve: Curve,
    trades: Iterable[ClosedTrade] = (),
    dealt: Iterable[Dealt] = (),
    *,
    market: Market = Market.US_EQUITIES,
    benchmark: Curve | None = None,
    risk_free: float = 0.0,
) -> Report:
    """Measure a run. `risk_free` is an annual rate, a fraction. What has no answer is `NotDefined`."""
    daily = curve.daily(market)
    found = daily.returns() if len(daily.samples) > 1 else ()
    lost = found if isinstance(found, NotDefined) else None
    returns = () if isinstance(found, NotDefined) else found
    per_year = _per_year(curve, market)
    falls = drawdowns(curve) if curve.samples else ()
    known = () if isinstance(falls, NotDefined) else falls
    closed = sorted(trades, key=lambda trade: (trade.closed_at, trade.trade_id))
    sections = {
        "returns": _returns(curve, returns, lost, per_year, risk_free, deepest(known)),
        "drawdown": _drawdowns(curve, falls),
        "risk": _risk(returns, lost),
        "trades": _trades(closed, curve),
        "activity": _activity(closed, list(dealt), curve),
    }
    if benchmark is not None:
        sections["benchmark"] = _benchmark(curve, benchmark, market, per_year, risk_free)
    dates = tuple(sample.at.astimezone(market.zone).date() for sample in daily.samples[1:]) if returns else ()
    months, years = (returns_by(dates, returns, way) for way in (by_month, by_year))
    return Report(curve, market, per_year, sections, known, returns, dates, months, years, breakdown(closed, market))


def _per_year(curve: Curve, market: Market) -> float:
    if not curve.samples:
        return periods_per_year(market, _ANY_DAY, _ANY_DAY)
    first, last = (sample.at.astimezone(market.zone).date() for sample in (curve.first, curve.last))
    return periods_per_year(market, first, last)


def _returns(
    curve: Curve,
    returns: tuple[float, ...],
    lost: NotDefined | None,
    per_year: float,
    risk_free: float,
    worst: Drawdown | None,
) -> tuple[Figure, ...]:
    annual = perf.annual_return(curve)
    begin, end = (curve.first, curve.last) if curve.samples else (None, None)
    none = NotDefined("the curve is empty")
    return (
        Figure("start", "Start", Unit.MOMENT, begin.at if begin else none),
        Figure("end", "End", Unit.MOMENT, end.at if end else none),
        Figure("start_equity", "Equity at the start", Unit.MONEY, begin.equity if begin else none),
        Figure("end_equity", "Equity at the end", Unit.MONEY, end.equity if end else none),
        Figure("total_return", "Total return", Unit.FRACTION, perf.total_return(curve)),
        Figure("annual_return", "Annual return (CAGR)", Unit.FRACTION, annual),
        Figure("volatility", "Volatility (annual)", Unit.FRACTION, lost or perf.volatility(returns, per_year)),
        Figure("sharpe", "Sharpe ratio", Unit.NUMBER, lost or perf.sharpe(returns, per_year, risk_free)),
        Figure("sortino", "Sortino ratio", Unit.NUMBER, lost or perf.sortino(returns, per_year, risk_free)),
        Figure("calmar", "Calmar ratio", Unit.NUMBER, perf.calmar(annual, worst.depth if worst else None)),
        Figure("probabilistic_sharpe", "P(true Sharpe > 0)", Unit.FRACTION, lost or probabilistic_sharpe(returns)),
    )


def _drawdowns(curve: Curve, falls: tuple[Drawdown, ...] | NotDefined) -> tuple[Figure, ...]:
    if isinstance(falls, NotDefined):
        worst = slowest = None
        none = falls
    else:
        worst, slowest, none = deepest(falls), longest(falls), _NO_FALL
    recovered: Value = none
    if worst:
        recovered = worst.recovered_at or NotDefined("not recovered by the end")
    return (
        Figure("max_drawdown", "Maximum drawdown", Unit.FRACTION, float(worst.depth) if worst else none),
        Figure("max_drawdown_from", "… from the peak of", Unit.MOMENT, worst.peak_at if worst else none),
        Figure("max_drawdown_to", "… to the trough of", Unit.MOMENT, worst.trough_at if worst else none),
        Figure("max_drawdown_recovered", "… recovered", Unit.MOMENT, recovered),
        Figure("max_drawdown_duration", "… duration", Unit.DURATION, worst.duration if worst else none),
        Figure("longest_drawdown", "Longest drawdown", Unit.DURATION, slowest.duration if slowest else none),
        Figure("ulcer_index", "Ulcer index", Unit.FRACTION, ulcer_index(curve) if curve.samples else none),
    )


def _risk(returns: tuple[float, ...], lost: NotDefined | None) -> tuple[Figure, ...]:
    none = NotDefined("no returns")
    return (
        Figure("var_95", "Value at risk, 1 session, 95 %", Unit.FRACTION, lost or perf.value_at_risk(returns, 0.95)),
        Figure("cvar_95", "Expected shortfall, 95 %", Unit.FRACTION, lost or perf.expected_shortfall(returns, 0.95)),
        Figure(
            "normal_var_95", "Value at risk if normal", Unit.FRACTION, lost or perf.normal_value_at_risk(returns, 0.95)
        ),
        Figure("skew", "Skewness", Unit.NUMBER, lost or skewness(returns)),
        Figure("kurtosis", "Excess kurtosis", Unit.NUMBER, lost or kurtosis(returns)),
        Figure("best_session", "Best session", Unit.FRACTION, lost or max(returns, default=none)),
        Figure("worst_session", "Worst session", Unit.FRACTION, lost or min(returns, default=none)),
    )


def _trades(closed: list[ClosedTrade], curve: Curve) -> tuple[Figure, ...]:
    of = TradeFigures(closed)
    per_month = of.per_month(curve.elapsed) if curve.samples else NotDefined("the curve is empty")
    return (
        Figure("trades", "Closed trades", Unit.COUNT, len(closed)),
        Figure("net_profit", "Profit of closed trades", Unit.MONEY, of.net),
        Figure("win_rate", "Win rate", Unit.FRACTION, of.win_rate),
        Figure("profit_factor", "Profit factor", Unit.NUMBER, of.profit_factor),
        Figure("expectancy", "Expectancy per trade", Unit.MONEY, of.expectancy),
        Figure("average_win", "Average win", Unit.MONEY, of.average_win),
        Figure("average_loss", "Average loss", Unit.MONEY, of.average_loss),
        Figure("payoff", "Payoff ratio", Unit.NUMBER, of.payoff),
        Figure("largest_win", "Largest win", Unit.MONEY, of.largest_win),
        Figure("largest_loss", "Largest loss", Unit.MONEY, of.largest_loss),
        Figure("most_wins", "Most wins in a row", Unit.COUNT, of.longest_run(lambda trade: trade.pnl > 0)),
        Figure("most_losses", "Most losses in a row", Unit.COUNT, of.longest_run(lambda trade: trade.pnl < 0)),
        Figure("trades_per_month", "Trades per month", Unit.NUMBER, per_month),
        Figure("holding_time", "Average holding time", Unit.DURATION, of.average_holding_time),
    )


def _activity(closed: list[ClosedTrade], dealt: list[Dealt], curve: Curve) -> tuple[Figure, ...]:
    if not curve.samples:
        return ()
    of = TradeFigures(closed)
    return (
        Figure("exposure", "Average exposure", Unit.FRACTION, perf.exposure(curve)),
        Figure(
            "time_in_market",
            "Time with a closed trade open",
            Unit.FRACTION,
            of.time_in_market(curve.first.at, curve.last.at),
        ),
        Figure("turnover", "Turnover (annual)", Unit.NUMBER, turnover(dealt, curve)),
        Figure("fills", "Fills", Unit.COUNT, len(dealt)),
        Figure("fees", "Fees", Unit.MONEY, sum((deal.fees for deal in dealt), Decimal(0)) if dealt else of.fees),
    )


def _benchmark(curve: Curve, other: Curve, market: Market, per_year: float, risk_free: float) -> tuple[Figure, ...]:
    pairs = against.paired(curve, other, market)
    if isinstance(pairs, NotDefined):
        return (Figure("beta", "Beta", Unit.NUMBER, pairs),)
    ours, theirs = perf.total_return(curve), perf.total_return(other)
    excess: Value = ours if isinstance(ours, NotDefined) else theirs
    if not isinstance(ours, NotDefined) and not isinstance(theirs, NotDefined):
        excess = ours - theirs
    return (
        Figure("benchmark_return", "Total return of the benchmark", Unit.FRACTION, theirs),
        Figure("excess_return", "Excess return", Unit.FRACTION, excess),
        Figure("beta", "Beta", Unit.NUMBER, against.beta(pairs)),
        Figure("alpha", "Alpha (annual)", Unit.FRACTION, against.alpha(pairs, per_year, risk_free)),
        Figure("correlation", "Correlation", Unit.NUMBER, against.correlation(pairs)),
        Figure("tracking_error", "Tracking error (annual)", Unit.FRACTION, against.tracking_error(pairs, per_year)),
        Figure("information_ratio", "Information ratio", Unit.NUMBER, against.information_ratio(pairs, per_year)),
        Figure("up_capture", "Up capture", Unit.NUMBER, against.capture(pairs, up=True)),
        Figure("down_capture", "Down capture", Unit.NUMBER, against.capture(pairs, up=False)),
    )
