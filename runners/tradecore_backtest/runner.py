"""`python -m tradecore.runner backtest`: a backtest from settings, and its outcome in a few lines."""

from __future__ import annotations

import sys
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

from tradecore.domain.values import OrderStatus
from tradecore.runner.plugins import load_plugin
from tradecore.runner.wiring import make_strategy
from tradecore.settings import Settings
from tradecore.tearsheet import export_tables, write_page
from tradecore_backtest.api import Bars, backtest
from tradecore_backtest.factors import read_factors
from tradecore_backtest.market import FillAt, Hours, MarketModel
from tradecore_backtest.result import BacktestResult
from tradecore_backtest.sheet import sheet_of

_BUILT_IN_SYMBOLS = ("AAA", "BBB")


class Backtest:
    """Runs over `market_data.bars`, or over the built-in bars when there are none, as fast as it can."""

    def run_alone(self, settings: Settings) -> int:
        """Run, print, and return 0. The ledger is kept only where the settings name one."""
        result = run_settings(settings)
        if settings.backtest.sheet:
            write_page(sheet_of(result), Path(settings.backtest.sheet))
        if settings.backtest.tables:
            has_parquet = find_spec("pyarrow") is not None
            export_tables(sheet_of(result), Path(settings.backtest.tables), parquet=has_parquet)
        sys.stdout.write(summary_of(result))
        return 0


def run_settings(settings: Settings) -> BacktestResult:
    """The backtest that settings describe. Raises `InputError`, `ConfigurationError`, and what the strategy raises."""
    chosen = settings.market_data
    bars: Bars = chosen.bars
    if not chosen.bars:
        names = chosen.symbols or _BUILT_IN_SYMBOLS
        bars = load_plugin("market_data", "seeded", "market_data")(names, chosen.days, chosen.seed)
    return backtest(
        bars,
        make_strategy(settings),
        chosen.symbols or None,
        settings.backtest.cash,
        parameters=settings.strategy.parameters,
        market=model_of(settings),
        limits=settings.risk.limits(of_a_day=False),
        journal=settings.ledger if "ledger" in settings.model_fields_set else "memory:",
        account=settings.account,
        exits=settings.exits.plan(),
        quotes=settings.backtest.quotes or None,
        bar_seconds=settings.backtest.bar_seconds,
    )


def model_of(settings: Settings) -> MarketModel:
    """The market that settings assume. Raises `InputError`."""
    told = settings.backtest
    actions = read_factors(told.factors, settings.market_data.symbols or None) if told.factors else ()
    same = told.model_dump(exclude={"cash", "factors", "fill_at", "hours", "sheet", "tables", "quotes", "bar_seconds"})
    return MarketModel(fill_at=FillAt(told.fill_at), hours=Hours(told.hours), actions=actions, **same)


def summary_of(result: BacktestResult) -> str:
    """What a run came to, for a terminal."""
    final = result.equity[-1][1] if len(result.equity) else result.cash
    gained = (final / result.starting_cash - 1) * 100
    first, last = result.provenance.first, result.provenance.last
    span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if first and last else "no time"
    held = ", ".join(f"{quantity:f} {symbol}" for symbol, quantity in result.positions.items()) or "nothing"
    rejected = sum(order.status is OrderStatus.REJECTED for order in result.orders)
    refused = f" ({rejected} rejected)" if rejected else ""
    lines = [
        f"{result.config.strategy}: {result.bar_count} bars of {', '.join(result.config.symbols)}, {span}",
        f"orders {len(result.orders)}{refused}, fills {len(result.fills)}, trades {len(result.trades)}",
        f"equity {final:.2f} after {result.starting_cash:.2f} ({gained:+.2f} %), cash {result.cash:.2f}",
        f"fees {sum((fill.fees for fill in result.fills), Decimal(0)):.2f}, still held: {held}",
        f"terms {result.config_hash[:12]}, bars {result.provenance.digest[:12]}, {result.runtime_s:.2f} s",
        *(f"warning: {warning}" for warning in (*result.provenance.warnings, *result.warnings)),
    ]
    return "\n".join(lines) + "\n"
