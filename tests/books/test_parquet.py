"""Parquet files hold the rows, exactly."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.books.stories import PINNED, STORIES, Step, events_of, play
from tests.ledger.desk import Desk
from tests.views.folded import rows
from tests.views.vandal import trade_for_an_hour
from tradecore.books import export_parquet
from tradecore.books.tables import VIEWS, tables_of
from tradecore.errors import ConfigurationError, MissingExtra
from tradecore.views.plain import instant, text

parquet = pytest.importorskip("pyarrow.parquet")


def read(file: Path) -> Any:
    return parquet.read_table(file)


def plain(value: object) -> object:
    """A value as rows write it."""
    match value:
        case Decimal():
            return text(value)
        case dt.datetime():
            return instant(value)
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORIES, openings=PINNED)
def test_what_is_read_back_is_what_the_tables_hold(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]], tmp_path: Path
) -> None:
    desk = play(story, openings)
    counts = export_parquet(desk.ledger.journal, tmp_path)
    for name, table in tables_of(events_of(desk)).items():
        found = [plain(row) for row in read(tmp_path / f"{name}.parquet").to_pylist()]
        assert found == table
        assert counts[name] == len(table)


def test_the_tables_are_the_views(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    trade_for_an_hour(desk)
    tables = tables_of(events_of(desk))
    assert set(tables) == {*VIEWS, "entries"}
    for name in VIEWS:
        assert tables[name] == rows(desk, name)
        assert tables[name]


def test_columns_have_the_types_that_are_promised(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    trade_for_an_hour(desk)
    export_parquet(desk.ledger.journal, tmp_path)
    number = "decimal128(38, 9)"
    lot = f"list<element: struct<opened_by: string, qty: {number}, price: {number}>>"
    wanted = {
        "orders": {"qty": number, "created_at": "timestamp[us, tz=UTC]", "extended_hours": "bool", "status": "string"},
        "fills": {"price": number, "occurred_at": "timestamp[us, tz=UTC]", "position": "int64"},
        "trades": {"realised_pnl": number, "orders": "list<element: string>"},
        "positions": {"cost": number, "lots": lot},
        "entries": {"amount": number, "leg": "int64", "lot_closes": "bool", "time": "timestamp[us, tz=UTC]"},
    }
    for name, columns in wanted.items():
        schema = read(tmp_path / f"{name}.parquet").schema
        assert {column: str(schema.field(column).type) for column in columns} == columns


def test_a_column_with_more_than_nine_places_is_text(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.done("buy", "0.000000001", "0.000000001")
    export_parquet(desk.ledger.journal, tmp_path)
    entries = read(tmp_path / "entries.parquet")
    assert str(entries.schema.field("amount").type) == "string"
    assert str(entries.schema.field("qty").type) == "decimal128(38, 9)"
    assert "-0.000000000000000001" in entries["amount"].to_pylist()


def test_a_ledger_without_trades_is_tables_without_rows(tmp_path: Path) -> None:
    assert set(export_parquet(Desk.in_memory().ledger.journal, tmp_path / "new" / "place").values()) == {0}
    assert read(tmp_path / "new" / "place" / "orders.parquet").num_rows == 0


def test_a_second_export_takes_the_place_of_the_first(tmp_path: Path) -> None:
    desk = Desk.in_memory()
    export_parquet(desk.ledger.journal, tmp_path)
    trade_for_an_hour(desk)
    export_parquet(desk.ledger.journal, tmp_path)
    assert read(tmp_path / "fills.parquet").num_rows == 4
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".parquet"] * 5


def test_without_pyarrow_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"tradecore\[parquet\]"):
        export_parquet(Desk.in_memory().ledger.journal, tmp_path)


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ConfigurationError, match="taken"):
        export_parquet(Desk.in_memory().ledger.journal, tmp_path / "taken")
    (tmp_path / "orders.parquet").mkdir()
    with pytest.raises(ConfigurationError, match="no file is there"):
        export_parquet(Desk.in_memory().ledger.journal, tmp_path)
