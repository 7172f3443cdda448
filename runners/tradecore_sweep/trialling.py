"""Running one trial: the function that is sent to other processes."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from tradecore.errors import ConfigurationError, InputError
from tradecore.metrics import Curve, NotDefined, Report
from tradecore.ports.strategy import Strategy
from tradecore.runner.plugins import load_strategy
from tradecore.tearsheet import Sheet
from tradecore_backtest.api import backtest
from tradecore_backtest.result import BacktestResult
from tradecore_backtest.sheet import sheet_of
from tradecore_backtest.table import BarTable
from tradecore_sweep.outcome import Outcome
from tradecore_sweep.sharing import shared_table
from tradecore_sweep.study import Inputs, Trial
from tradecore_sweep.windowed import before, table_of, windowed


def run_trial(trial: Trial) -> Outcome:
    """Run a trial and measure it. Raises what the backtest raises."""
    return outcome_of(trial, run(trial))


def run(trial: Trial) -> BacktestResult:
    """The backtest of a trial; the strategy has observed as many bars before the window as it asks for.

    Raises `ConfigurationError` when bars or code are not those of the study.
    """
    table = _bars_of(trial)
    quotes = "" if trial.quotes is None else file_digest(trial.quotes)
    if Inputs(table.digest, code_digest(trial.strategy), quotes) != trial.inputs:
        raise ConfigurationError("the bars, the quotes or the strategy's code are not what the study began with")
    strategy = strategy_of(trial)
    for bar in before(table, trial.window, strategy.warmup_bars):
        strategy.observe(bar)
    return backtest(
        windowed(table, trial.window),
        strategy,
        cash=trial.cash,
        parameters=dict(trial.parameters),
        market=trial.market,
        limits=trial.limits,
        exits=trial.exits,
        quotes=trial.quotes,
    )


def _bars_of(trial: Trial) -> BarTable:
    if trial.shared:
        try:
            return shared_table(trial.shared)
        except FileNotFoundError:  # another machine, or the sweep is over
            pass
    return table_of(trial.bars, trial.symbols, trial.bar_seconds)


def code_digest(strategy: str) -> str:
    """SHA-256 of the source file that a strategy is in."""
    is_file = ".py:" in strategy
    file = strategy.rpartition(":")[0] if is_file else inspect.getsourcefile(load_strategy(strategy))
    return hashlib.sha256(Path(file).read_bytes() if file else b"").hexdigest()


@lru_cache(maxsize=1)
def file_digest(path: str) -> str:
    """SHA-256 of a file, read once in each process. Raises `InputError`."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise InputError("quotes", path, "a file that exists") from None


def strategy_of(trial: Trial) -> Strategy:
    """The strategy with the trial's parameters. Raises `InputError` or `ConfigurationError` for others than its own."""
    factory = load_strategy(trial.strategy)
    try:
        made: Strategy = factory(**dict(trial.parameters))
    except TypeError as error:
        raise ConfigurationError(f"grid: {trial.strategy} does not take these parameters: {error}") from None
    return made


def outcome_of(trial: Trial, result: BacktestResult) -> Outcome:
    """What is kept of a result."""
    report = sheet_of(result, risk_free=trial.risk_free, charts=False).report()
    return Outcome(trial, figures_of(report), tuple(zip(report.dates, report.returns, strict=True)), result.config_hash)


def figures_of(report: Report) -> dict[str, float | None]:
    """Figures that are numbers, by key; None where not defined, seconds for durations."""
    found: dict[str, float | None] = {}
    for figure in report:
        value = figure.value
        if isinstance(value, dt.timedelta):
            found[figure.key] = value.total_seconds()
        elif isinstance(value, NotDefined):
            found[figure.key] = None
        elif isinstance(value, int | float | Decimal):
            found[figure.key] = float(value)
    return found


def sheet_of_returns(title: str, outcomes: list[Outcome], cash: Decimal) -> Sheet:
    """A sheet whose equity compounds the returns of outcomes that follow each other in time."""
    equity = cash
    samples: list[tuple[dt.datetime, Decimal]] = []
    for outcome in outcomes:
        for date, change in outcome.returns:
            at = dt.datetime.combine(date, dt.time(21), dt.UTC)
            if not samples:
                samples.append((at - dt.timedelta(days=1), equity))
            equity = (equity * (1 + Decimal(repr(change)))).quantize(Decimal("0.000001"))
            if samples[-1][0] < at:
                samples.append((at, equity))
            else:
                samples[-1] = (samples[-1][0], equity)
    return Sheet(title, "USD", Curve.of(samples))
