"""The charts, with Bokeh (an extra, imported only here): equity, drawdown, exposure, and each symbol with its fills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tradecore.domain.values import Side
from tradecore.errors import MissingExtra
from tradecore.metrics import Dealt, NotDefined
from tradecore.metrics.drawdown import underwater
from tradecore.tearsheet.sheet import Sheet
from tradecore.tearsheet.thinning import thinned

SYMBOLS = 6
FILLS = 2000
"""How many symbols get a chart, and how many fills are marked on one; the page says what it leaves out."""

_BLUE, _GREY, _GREEN, _RED = "#1f5fa8", "#8a8f98", "#1a7f4b", "#b3261e"


def charts(sheet: Sheet) -> tuple[str, str, str]:
    """Bokeh's code, the data, and the places on the page. Raises `MissingExtra` without Bokeh."""
    try:
        from bokeh.embed import components
        from bokeh.layouts import column
        from bokeh.resources import Resources
    except ImportError:
        raise MissingExtra("drawing charts", "research") from None
    equity = _equity(sheet)
    plots = [equity]
    plots += [plot for plot in (_drawdown(sheet, equity.x_range), _exposure(sheet, equity.x_range)) if plot]
    plots += [_trades(sheet, symbol, equity.x_range) for symbol in charted(sheet)]
    script, place = components(column(plots, sizing_mode="stretch_width"))
    return Resources(mode="inline", components=["bokeh"]).render_js(), script, place


def charted(sheet: Sheet) -> list[str]:
    """The symbols with prices that have most fills, most first."""
    counts = {symbol: sum(deal.symbol == symbol for deal in sheet.dealt) for symbol in sheet.prices}
    return sorted((symbol for symbol in counts if counts[symbol]), key=lambda symbol: (-counts[symbol], symbol))[
        :SYMBOLS
    ]


def _figure(title: str, height: int, x_range: Any = None) -> Any:
    from bokeh.plotting import figure

    further = {} if x_range is None else {"x_range": x_range}
    plot = figure(
        title=title,
        height=height,
        x_axis_type="datetime",
        sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,box_zoom,reset",
        active_drag="box_zoom",
        output_backend="canvas",
        **further,
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.grid.grid_line_color = "#e8eaed"
    plot.outline_line_color = None
    return plot


def _equity(sheet: Sheet) -> Any:
    from bokeh.models import HoverTool, NumeralTickFormatter

    plot = _figure(f"Equity, {sheet.currency}", 280)
    at, equity = _thin([sample.at for sample in sheet.curve.samples], [sample.equity for sample in sheet.curve.samples])
    label = {"legend_label": "run"} if sheet.benchmark is not None else {}
    line = plot.line(at, equity, color=_BLUE, line_width=1.5, **label)
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    plot.add_tools(
        HoverTool(
            renderers=[line],
            mode="vline",
            tooltips=[("", "@x{%F %H:%M}"), ("equity", "@y{0,0.00}")],
            formatters={"@x": "datetime"},
        )
    )
    if sheet.benchmark is not None and sheet.benchmark.samples and sheet.curve.samples:
        scale = sheet.curve.first.equity / sheet.benchmark.first.equity
        samples = sheet.benchmark.samples
        at, equity = _thin([sample.at for sample in samples], [sample.equity * scale for sample in samples])
        plot.line(at, equity, color=_GREY, line_width=1, legend_label="benchmark, same start")
        plot.legend.location = "top_left"
    return plot


def _drawdown(sheet: Sheet, x_range: Any) -> Any:
    depths = underwater(sheet.curve) if sheet.curve.samples else ()
    if isinstance(depths, NotDefined) or not depths:
        return None
    plot = _figure("Drawdown, %", 150, x_range)
    at, depth = _thin([sample.at for sample in sheet.curve.samples], [100 * value for value in depths])
    plot.varea(at, depth, [0.0] * len(at), color=_RED, alpha=0.35)
    return plot


def _exposure(sheet: Sheet, x_range: Any) -> Any:
    known = [sample for sample in sheet.curve.samples if sample.exposure is not None and sample.equity > 0]
    if not known:
        return None
    plot = _figure("Exposure, % of equity", 130, x_range)
    shares = [100 * (sample.exposure or Decimal(0)) / sample.equity for sample in known]
    at, share = _thin([sample.at for sample in known], shares)
    plot.step(at, share, mode="after", color=_GREY)
    return plot


def _trades(sheet: Sheet, symbol: str, x_range: Any) -> Any:
    plot = _figure(f"{symbol}: closes and fills", 240, x_range)
    at, close = _thin([moment for moment, _ in sheet.prices[symbol]], [price for _, price in sheet.prices[symbol]])
    plot.line(at, close, color=_GREY)
    fills = [deal for deal in sheet.dealt if deal.symbol == symbol][:FILLS]
    for side, marker, color in ((Side.BUY, "triangle", _GREEN), (Side.SELL, "inverted_triangle", _RED)):
        _mark(plot, [deal for deal in fills if deal.side is side], marker, color)
    return plot


def _mark(plot: Any, fills: Sequence[Dealt], marker: str, color: str) -> None:
    from bokeh.models import ColumnDataSource, HoverTool

    source = ColumnDataSource(
        {
            "at": [_naive(deal.at) for deal in fills],
            "price": [float(deal.price) for deal in fills],
            "text": [f"{deal.side.value} {deal.quantity} at {deal.price}" for deal in fills],
        }
    )
    drawn = plot.scatter("at", "price", source=source, marker=marker, size=9, color=color, alpha=0.85)
    tips = [("", "@text"), ("", "@at{%F %H:%M}")]
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=tips, formatters={"@at": "datetime"}))


def _thin(at: Sequence[dt.datetime], values: Sequence[Decimal]) -> tuple[list[dt.datetime], list[float]]:
    kept = thinned(values)
    return [_naive(at[place]) for place in kept], [float(values[place]) for place in kept]


def _naive(at: dt.datetime) -> dt.datetime:
    """Bokeh draws naive times as they are: in UTC."""
    return at.astimezone(dt.UTC).replace(tzinfo=None)
