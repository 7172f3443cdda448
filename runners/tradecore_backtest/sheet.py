"""The tear sheet of a backtest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from tradecore.domain.values import ZERO, Side
from tradecore.metrics import ClosedTrade, Curve, Dealt, Sample, market_of
from tradecore.tearsheet import Sheet
from tradecore_backtest.result import BacktestResult
from tradecore_backtest.rows import FillRow

_CHARTED = 6


def sheet_of(
    result: BacktestResult,
    *,
    title: str | None = None,
    benchmark: Curve | None = None,
    risk_free: float = 0.0,
    charts: bool = True,
) -> Sheet:
    """What to show of a run. Without `charts` neither exposure nor prices are looked up, which is quick."""
    config = result.config
    fills = sorted(result.fills, key=lambda fill: fill.at)
    symbols = frozenset(config.symbols)
    return Sheet(
        title=title or f"{config.strategy} on {', '.join(config.symbols)}",
        currency="USD",
        curve=Curve.of(_exposed(result, fills) if charts else result.equity),
        trades=tuple(
            ClosedTrade(
                trade.trade_id,
                trade.symbol,
                trade.side,
                trade.quantity,
                trade.opened_at,
                trade.closed_at,
                trade.realised_pnl,
                trade.fees,
            )
            for trade in result.trades
            if trade.opened_at is not None and trade.closed_at is not None
        ),
        dealt=tuple(Dealt(fill.at, fill.symbol, fill.side, fill.quantity, fill.price, fill.fees) for fill in fills),
        prices=_prices(result, fills) if charts else {},
        market=market_of(symbols),
        benchmark=benchmark,
        risk_free=risk_free,
        config={
            "strategy": config.strategy,
            **{f"strategy.{name}": value for name, value in config.parameters.items()},
            "symbols": ", ".join(config.symbols),
            "cash": config.cash,
            "bar": f"{config.bar_seconds} s",
            **{f"market.{name}": value for name, value in config.market.items()},
            "limits": config.limits,
            "version": config.version,
        },
        config_hash=result.config_hash,
        provenance=_provenance(result),
        notes=(*result.provenance.warnings, *result.warnings),
    )


def _provenance(result: BacktestResult) -> dict[str, str]:
    known = result.provenance
    return {
        "source": known.source,
        "sha256": known.digest,
        "first bar": "none" if known.first is None else known.first.isoformat(),
        "last bar": "none" if known.last is None else known.last.isoformat(),
        "bars": ", ".join(f"{symbol} {count:,}" for symbol, count in known.counts.items()),
        "gaps": ", ".join(f"{symbol} {count:,}" for symbol, count in known.gaps.items()) or "none",
        "runtime": f"{result.runtime_s:.2f} s",
    }


def _prices(result: BacktestResult, fills: list[FillRow]) -> dict[str, list[tuple[dt.datetime, Decimal]]]:
    """Closes of the symbols with most fills, at the end of their bars."""
    counts: dict[str, int] = {}
    for fill in fills:
        counts[fill.symbol] = counts.get(fill.symbol, 0) + 1
    chosen = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))[: _CHARTED + 1]
    length = dt.timedelta(seconds=result.config.bar_seconds)
    return {symbol: [(bar.start + length, bar.close) for bar in result.bars.of(symbol)] for symbol in chosen}


def _exposed(result: BacktestResult, fills: list[FillRow]) -> Iterator[Sample]:
    """Equity with the gross value of what was held, at the last close of each symbol."""
    if not _is_told_by_fills(result, fills):
        yield from (Sample(at, equity) for at, equity in result.equity)
        return
    length = dt.timedelta(seconds=result.config.bar_seconds)
    bars = {symbol: result.bars.of(symbol) for symbol in {fill.symbol for fill in fills}}
    ahead = {symbol: next(found, None) for symbol, found in bars.items()}
    closes: dict[str, Decimal] = {}
    held: dict[str, Decimal] = {}
    place = 0
    for at, equity in result.equity:
        while place < len(fills) and fills[place].at <= at:
            fill = fills[place]
            signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
            held[fill.symbol] = held.get(fill.symbol, ZERO) + signed
            place += 1
        for symbol, following in bars.items():
            while (bar := ahead[symbol]) is not None and bar.start + length <= at:
                closes[symbol] = bar.close
                ahead[symbol] = next(following, None)
        gross = sum((abs(quantity) * closes.get(symbol, ZERO) for symbol, quantity in held.items() if quantity), ZERO)
        yield Sample(at, equity, gross)


def _is_told_by_fills(result: BacktestResult, fills: list[FillRow]) -> bool:
    """Whether what is held follows from the fills; a split changes it without one."""
    held: dict[str, Decimal] = {}
    for fill in fills:
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        held[fill.symbol] = held.get(fill.symbol, ZERO) + signed
    return {symbol: quantity for symbol, quantity in held.items() if quantity} == {
        symbol: quantity for symbol, quantity in result.positions.items() if quantity
    }
