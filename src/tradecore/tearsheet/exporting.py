"""Figures and tables as files: `report.json`, and `equity`, `trades` and `fills` as CSV and Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tradecore.books.replacing import replacing
from tradecore.errors import ConfigurationError, MissingExtra
from tradecore.tearsheet.sheet import Sheet
from tradecore.tearsheet.wording import plain

Columns = Mapping[str, Sequence[Any]]
_PLACES, _DIGITS = 9, 38


def tables(sheet: Sheet) -> dict[str, Columns]:
    """The tables of a run, column by column."""
    samples, trades, dealt = sheet.curve.samples, sheet.trades, sheet.dealt
    return {
        "equity": {
            "at": [sample.at for sample in samples],
            "equity": [sample.equity for sample in samples],
            "exposure": [sample.exposure for sample in samples],
            "flow": [sample.flow for sample in samples],
        },
        "trades": {
            "trade_id": [trade.trade_id for trade in trades],
            "symbol": [trade.symbol for trade in trades],
            "side": [trade.side.value for trade in trades],
            "qty": [trade.quantity for trade in trades],
            "opened_at": [trade.opened_at for trade in trades],
            "closed_at": [trade.closed_at for trade in trades],
            "realised_pnl": [trade.pnl for trade in trades],
            "fees": [trade.fees for trade in trades],
        },
        "fills": {
            "at": [deal.at for deal in dealt],
            "symbol": [deal.symbol for deal in dealt],
            "side": [deal.side.value for deal in dealt],
            "qty": [deal.quantity for deal in dealt],
            "price": [deal.price for deal in dealt],
            "fees": [deal.fees for deal in dealt],
        },
    }


def export_tables(sheet: Sheet, directory: Path, *, parquet: bool = True) -> list[Path]:
    """Write the figures and tables into a directory, which is made; returns the files. What was there goes.

    Raises `MissingExtra` for Parquet without pyarrow, `ConfigurationError` for a place that cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        written = [directory / "report.json"]
        text = json.dumps(summary(sheet), indent=1, ensure_ascii=False) + "\n"
        with replacing(written[0]) as draft:
            draft.write_text(text, encoding="utf-8")
        for name, columns in tables(sheet).items():
            written.append(directory / f"{name}.csv")
            with replacing(written[-1]) as draft:
                _write_csv(draft, columns)
            if parquet:
                written.append(directory / f"{name}.parquet")
                with replacing(written[-1]) as draft:
                    _write_parquet(draft, columns)
    except OSError as error:
        raise ConfigurationError(f"cannot write to {directory}: {error.strerror or error}") from None
    return written


def summary(sheet: Sheet) -> dict[str, Any]:
    """Everything but the long tables, for JSON."""
    report = sheet.report()
    return {
        "title": sheet.title,
        "currency": sheet.currency,
        "config": dict(sheet.config),
        "config_hash": sheet.config_hash,
        "provenance": dict(sheet.provenance),
        "sessions_per_year": report.per_year,
        "figures": {name: [plain(figure) for figure in figures] for name, figures in report.sections.items()},
        "months": [{"year": year, "month": month, "return": value} for (year, month), value in report.months.items()],
        "years": [{"year": year, "return": value} for (year,), value in report.years.items()],
        "drawdowns": [
            {
                "depth": float(fall.depth),
                "peak_at": fall.peak_at.isoformat(),
                "trough_at": fall.trough_at.isoformat(),
                "recovered_at": fall.recovered_at.isoformat() if fall.recovered_at else None,
            }
            for fall in report.falls
        ],
        "groups": [
            {
                "by": group.by,
                "name": group.name,
                "trades": len(group.figures.trades),
                "net_profit": format(group.figures.net, "f"),
            }
            for group in report.groups
        ],
    }


def _write_csv(path: Path, columns: Columns) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_text(value) for value in row] for row in zip(*columns.values(), strict=True))


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case dt.datetime():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def _write_parquet(path: Path, columns: Columns) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra("writing Parquet files", "research") from None
    arrays = {name: _array(pa, list(values)) for name, values in columns.items()}
    pq.write_table(pa.table(arrays), path)


def _array(pa: Any, values: list[Any]) -> Any:
    known = next((value for value in values if value is not None), None)
    if isinstance(known, dt.datetime):
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    if isinstance(known, Decimal):
        fits = all(value is None or _fits(value) for value in values)
        return pa.array(values, pa.decimal128(_DIGITS, _PLACES)) if fits else pa.array(map(_text, values), pa.string())
    return pa.array(values, pa.string())


def _fits(number: Decimal) -> bool:
    return -int(number.as_tuple().exponent) <= _PLACES and number.adjusted() < _DIGITS - _PLACES
