"""The HTML page: figures and tables readable without JavaScript, charts with it, and nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradecore.books.replacing import replacing
from tradecore.errors import MissingExtra
from tradecore.metrics import Figure, NotDefined, Report
from tradecore.metrics.calendar_returns import Group
from tradecore.tearsheet.charts import FILLS, SYMBOLS, charted, charts
from tradecore.tearsheet.sheet import Sheet
from tradecore.tearsheet.wording import duration, percent, shown

_TRADES = 200
_FALLS = 5
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def page(sheet: Sheet) -> str:
    """The whole page as one text. Raises `MissingExtra` without Bokeh and Jinja."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("writing a tear sheet", "research") from None
    report = sheet.report()
    library, script, place = charts(sheet)
    environment = Environment(
        loader=PackageLoader("tradecore.tearsheet", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html.j2").render(
        sheet=sheet,
        sections={name: [_line(figure) for figure in figures] for name, figures in report.sections.items()},
        months=_month_table(report),
        month_names=_MONTHS,
        falls=_falls(report),
        groups=_groups(report.groups, "symbol", "side", "weekday"),
        trades=_trades(sheet),
        notes=[*sheet.notes, *_left_out(sheet)],
        library=library,
        script=script,
        place=place,
    )


def write_page(sheet: Sheet, path: Path) -> None:
    """Write the page; what was there goes. Raises `MissingExtra`, and `ConfigurationError` for a place like that."""
    text = page(sheet)
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _line(figure: Figure) -> Mapping[str, Any]:
    value = figure.value
    reason = value.reason if isinstance(value, NotDefined) else None
    return {"key": figure.key, "title": figure.title, "text": shown(figure.unit, value), "reason": reason}


def _month_table(report: Report) -> list[Mapping[str, Any]]:
    """A row per year, last first: twelve cells of (text, colour), None for a month outside the run, and the year."""
    rows: list[Mapping[str, Any]] = []
    for (year,), total in sorted(report.years.items(), reverse=True):
        found = [report.months.get((year, month)) for month in range(1, 13)]
        rows.append({"year": year, "cells": [_cell(value) for value in found], "total": _cell(total)})
    return rows


def _cell(value: float | None) -> tuple[str, str] | None:
    if value is None:
        return None
    strength = min(abs(value) / 0.10, 1.0) * 0.55
    red, green, blue = (26, 127, 75) if value >= 0 else (179, 38, 30)
    return f"{100 * value:z.1f}", f"rgba({red},{green},{blue},{strength:.2f})"


def _falls(report: Report) -> list[Mapping[str, str]]:
    worst = sorted(report.falls, key=lambda fall: fall.depth)[:_FALLS]
    return [
        {
            "depth": percent(float(fall.depth)),
            "peak": f"{fall.peak_at:%Y-%m-%d}",
            "trough": f"{fall.trough_at:%Y-%m-%d}",
            "recovered": f"{fall.recovered_at:%Y-%m-%d}" if fall.recovered_at else "not yet",
            "duration": duration(fall.duration),
        }
        for fall in worst
    ]


def _groups(groups: tuple[Group, ...], *ways: str) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for group in groups:
        if group.by in ways:
            rate = group.figures.win_rate
            won = rate.reason if isinstance(rate, NotDefined) else percent(rate)
            rows.append(
                {
                    "by": group.by,
                    "name": group.name,
                    "count": len(group.figures.trades),
                    "won": won,
                    "net": f"{group.figures.net:,.2f}",
                }
            )
    return rows


def _trades(sheet: Sheet) -> list[Mapping[str, str]]:
    last = sorted(sheet.trades, key=lambda trade: (trade.closed_at, trade.trade_id))[-_TRADES:]
    return [
        {
            "symbol": trade.symbol,
            "side": "long" if trade.side.value == "buy" else "short",
            "quantity": format(trade.quantity, "f"),
            "opened": f"{trade.opened_at:%Y-%m-%d %H:%M}",
            "closed": f"{trade.closed_at:%Y-%m-%d %H:%M}",
            "pnl": f"{trade.pnl:,.2f}",
            "fees": f"{trade.fees:,.2f}",
        }
        for trade in reversed(last)
    ]


def _left_out(sheet: Sheet) -> list[str]:
    notes = []
    symbols = {deal.symbol for deal in sheet.dealt} & set(sheet.prices)
    if len(symbols) > SYMBOLS:
        notes.append(f"Charts show the {SYMBOLS} symbols with most fills, of {len(symbols)}.")
    for symbol in charted(sheet):
        count = sum(deal.symbol == symbol for deal in sheet.dealt)
        if count > FILLS:
            notes.append(f"The chart of {symbol} marks the first {FILLS:,} of {count:,} fills.")
    if len(sheet.trades) > _TRADES:
        notes.append(f"The table lists the last {_TRADES} of {len(sheet.trades):,} trades; the export has all.")
    return notes
