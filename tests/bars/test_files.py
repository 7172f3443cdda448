"""Bars from files: exact, merged, and one clear error for whatever a file may hold instead."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tradecore.errors import InputError, MissingExtra
from tradecore_bars import read_bars

HEADER = "symbol,timestamp,open,high,low,close,volume\n"
ROW = "AAPL,2024-01-02T14:30:00Z,10.00,10.50,9.50,10.25,100\n"


def written(tmp_path: Path, text: str, name: str = "bars.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_numbers_are_read_as_they_are_written(tmp_path: Path) -> None:
    bar = read_bars(written(tmp_path, HEADER + ROW))[0]
    assert (bar.open, bar.high, bar.low, bar.close) == tuple(map(Decimal, ("10.00", "10.50", "9.50", "10.25")))
    assert bar.start == dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)


def test_offsets_become_utc(tmp_path: Path) -> None:
    text = HEADER + ROW.replace("14:30:00Z", "09:30:00-05:00")
    assert read_bars(written(tmp_path, text))[0].start == dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("by_symbol", [True, False])
def test_bars_come_merged_by_start_and_symbol(tmp_path: Path, by_symbol: bool) -> None:
    rows = [
        (symbol, f"{symbol},2024-01-02T14:3{minute}:00Z,10,10,10,10,1\n") for minute in (0, 1) for symbol in ("B", "A")
    ]
    if by_symbol:
        rows.sort(key=lambda row: row[0])
    bars = read_bars(written(tmp_path, HEADER + "".join(row for _, row in rows)))
    assert [(bar.start.minute, bar.symbol) for bar in bars] == [(30, "A"), (30, "B"), (31, "A"), (31, "B")]


def test_only_the_wanted_symbols_are_returned(tmp_path: Path) -> None:
    text = HEADER + ROW + ROW.replace("AAPL", "MSFT")
    assert [bar.symbol for bar in read_bars(written(tmp_path, text), ["MSFT"])] == ["MSFT"]


def test_an_unknown_symbol_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="AAPL, MSFT") as error:
        read_bars(written(tmp_path, HEADER + ROW + ROW.replace("AAPL", "MSFT")), ["IBM"])
    assert error.value.value == "IBM"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "path"),
        (HEADER, "path"),
        ("symbol,timestamp\nAAPL,x\n", "columns"),
        (HEADER + ROW.replace("14:30:00Z", "14:30:00"), "row 2: timestamp"),
        (HEADER + ROW.replace("2024-01-02T14:30:00Z", "yesterday"), "row 2: timestamp"),
        (HEADER + ROW + ROW, "row 3: timestamp"),
        (HEADER + ROW + ROW.replace("14:30", "14:29"), "row 3: timestamp"),
        (HEADER + ROW.replace("10.00", "nan"), "row 2: open"),
        (HEADER + ROW.replace("10.50", "inf"), "row 2: high"),
        (HEADER + ROW.replace("9.50", "0"), "row 2: low"),
        (HEADER + ROW.replace("10.25", "-1"), "row 2: close"),
        (HEADER + ROW.replace("10.25", "cheap"), "row 2: close"),
        (HEADER + ROW.replace("10.50", "9.00"), "row 2: high"),
        (HEADER + ROW.replace("10.00", "11.00"), "row 2: open"),
        (HEADER + ROW.replace("10.25", "9.25"), "row 2: close"),
        (HEADER + ROW.replace(",100\n", ",-1\n"), "row 2: volume"),
        (HEADER + "AAPL,2024-01-02T14:30:00Z,10\n", "row 2"),
        (HEADER + ROW.replace("AAPL", "apple"), "row 2: symbol"),
    ],
)
def test_each_wrong_csv_is_one_input_error_naming_the_place(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(InputError) as error:
        read_bars(written(tmp_path, text))
    assert error.value.field == field


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file that exists"):
        read_bars(tmp_path / "none.csv")


def test_an_unknown_extension_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        read_bars(written(tmp_path, HEADER + ROW, "bars.txt"))


@pytest.mark.parametrize("name", ["bars.csv", "bars.parquet"])
def test_garbage_is_an_input_error(tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00garbage\x80")
    with pytest.raises(InputError):
        read_bars(path)


def parquet(tmp_path: Path, *, zone: str | None = "UTC", price: float = 0.1, name: str = "close") -> Path:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    start = dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC if zone else None)
    columns = {column: pa.array([0.1]) for column in ("open", "high", "low", "close")}
    columns[name] = pa.array([price])
    table = pa.table(
        {
            "symbol": pa.array(["AAPL"]),
            "timestamp": pa.array([start], pa.timestamp("us", zone)),
            **columns,
            "volume": pa.array([100], pa.int64()),
        }
    )
    path = tmp_path / "bars.parquet"
    pq.write_table(table, path)
    return path


def test_doubles_become_their_shortest_decimal(tmp_path: Path) -> None:
    bar = read_bars(parquet(tmp_path))[0]
    assert (bar.close, bar.volume) == (Decimal("0.1"), Decimal(100))
    assert bar.start == dt.datetime(2024, 1, 2, 14, 30, tzinfo=dt.UTC)


def test_naive_parquet_times_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="time zone"):
        read_bars(parquet(tmp_path, zone=None))


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -0.1])
def test_parquet_prices_that_no_market_prints_are_refused(tmp_path: Path, price: float) -> None:
    with pytest.raises(InputError) as error:
        read_bars(parquet(tmp_path, price=price))
    assert error.value.field == "row 1: close"


def test_parquet_without_a_column_is_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"symbol": ["AAPL"]}), tmp_path / "bars.parquet")
    with pytest.raises(InputError, match="a header with symbol, timestamp"):
        read_bars(tmp_path / "bars.parquet")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "bars.parquet").write_bytes(b"")
    with pytest.raises(MissingExtra, match=r"tradecore\[parquet\]"):
        read_bars(tmp_path / "bars.parquet")
