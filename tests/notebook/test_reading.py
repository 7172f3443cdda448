"""Looking at a ledger: exact numbers, escaped texts, time travel, and nothing written."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from tests.runner.process import LEDGER, rows
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered
from tradecore.domain.messages import Cause
from tradecore.errors import ConfigurationError, InputError
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.views.plain import text
from tradecore_notebook import ReadOnlyLedger, Table, open_ledger
from tradecore_notebook.frames import NUMBERS, is_instant

VIEWS = ("orders", "trades", "fills", "positions", "balances", "outbox", "sagas", "decisions", "outcomes", "cycles")


@pytest.fixture
def ledger(hour: Path) -> Iterator[ReadOnlyLedger]:
    """It, opened to look at."""
    with open_ledger(f"sqlite:///{hour / LEDGER}") as opened:
        yield opened


def table(ledger: ReadOnlyLedger, view: str) -> Table:
    found = getattr(ledger, view)
    assert isinstance(found, Table)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_a_table_has_the_rows_of_the_view(view: str, hour: Path, ledger: ReadOnlyLedger) -> None:
    stored = rows(hour, view)
    shown = list(table(ledger, view))
    assert len(shown) == len(stored)
    for row, right in zip(shown, stored, strict=True):
        for column, value in row.items():
            told = text(value) if isinstance(value, Decimal) else value
            if isinstance(value, dt.datetime):
                assert value == dt.datetime.fromisoformat(right[column])
            else:
                assert told == right[column]


@pytest.mark.parametrize("view", VIEWS)
def test_every_number_and_moment_of_a_view_is_known_as_one(view: str, hour: Path) -> None:
    """A new column that holds a decimal or a moment as text would reach frames as text."""
    for row in rows(hour, view):
        for column, value in row.items():
            if isinstance(value, str) and not column.endswith("_id"):
                assert not _is_number(value) or column in NUMBERS, column
                assert not _is_moment(value) or is_instant(column), column


def _is_number(value: str) -> bool:
    return value.removeprefix("-").replace(".", "", 1).isdigit()


def _is_moment(value: str) -> bool:
    return value.endswith("Z") and value[:2] == "20" and "T" in value


@pytest.mark.parametrize("view", VIEWS)
def test_frames_hold_exact_numbers_unless_floats_are_asked_for(view: str, ledger: ReadOnlyLedger) -> None:
    shown = table(ledger, view)
    polars, pandas = shown.polars(), shown.pandas()
    assert polars.height == len(pandas) == len(shown)
    for column in NUMBERS & set(polars.columns):
        exact = [row[column] for row in shown]
        assert isinstance(polars.schema[column], pl.Decimal)
        assert polars[column].to_list() == exact
        assert [None if value is None else Decimal(value) for value in pandas[column]] == exact
        assert shown.polars(floats=True).schema[column] == pl.Float64
        assert shown.pandas(floats=True)[column].dtype == "float64"
    for column in (name for name in polars.columns if is_instant(name) and len(shown)):
        assert polars.schema[column] == pl.Datetime("us", "UTC")
        assert isinstance(pandas[column].dtype, pd.DatetimeTZDtype)


def _table(**row: Any) -> Table:
    return Table("made up", [row], tuple(row), 1)


def test_many_digits_stay_in_frames_and_too_many_are_refused() -> None:
    fine = "1234567890.1234567890123456789"
    assert _table(qty=fine).polars()["qty"].to_list() == [Decimal(fine)]
    assert _table(qty=fine).pandas()["qty"].to_list() == [Decimal(fine)]
    with pytest.raises(InputError, match="38 digits, or floats=True"):
        _table(qty="1" * 30 + "." + "1" * 9).polars()


def test_every_text_is_escaped_in_a_page_and_long_ones_are_cut() -> None:
    shown = _table(reason="<script>alert('x')</script>", why="y" * 1000)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;alert(&#x27;x&#x27;)" in shown
    assert "y" * 200 not in shown


def test_a_page_shows_the_end_of_a_long_table_and_says_so() -> None:
    long = Table("long", [{"n": n} for n in range(100)], ("n",), 100)
    assert "80 before these are not shown" in long._repr_html_()
    assert ">99<" in long._repr_html_()
    assert ">79<" not in long._repr_html_()
    assert len(long) == 100


def test_every_position_of_the_log_can_be_gone_back_to(ledger: ReadOnlyLedger) -> None:
    known = [fill["position"] for fill in ledger.fills]
    for count, position in enumerate(known):
        assert len(ledger.as_of(position - 1).fills) == count
        assert len(ledger.as_of(position).fills) == count + 1
    at = ledger.fills[3]["position"]
    then = ledger.as_of(at)
    assert len(then.trace(ledger.fills[3]["fill_id"])) < len(ledger.trace(ledger.fills[3]["fill_id"]))
    assert max(row["position"] for row in then.events(10_000)) == at
    assert [row["position"] for row in then.equity()] == [
        row["position"] for row in ledger.equity() if row["position"] <= at
    ]


def test_a_moment_may_be_a_time_and_must_be_one(ledger: ReadOnlyLedger) -> None:
    order = ledger.orders[2]
    at = order["created_at"]
    assert [row["order_id"] for row in ledger.as_of(at).orders][2] == order["order_id"]
    assert len(ledger.as_of(at.isoformat()).orders) == len(ledger.as_of(at).orders)
    for wrong in ("yesterday", "2026-01-01", 10**9, -1):
        with pytest.raises(InputError):
            ledger.as_of(wrong)


def test_the_equity_of_the_last_row_is_that_of_the_books(ledger: ReadOnlyLedger) -> None:
    curve = ledger.equity()
    last, (balance,) = curve[len(curve) - 1], ledger.balances
    assert last["cash"] == balance["cash"]
    assert last["realised_pnl"] == balance["realised_pnl"]
    assert last["equity"] == last["cash"] + last["positions_value"]
    assert sum(row["market_time"] is not None for row in curve) >= len(ledger.fills) - 1
    assert "<svg" in curve._repr_html_()


def test_looking_writes_nothing_where_the_stored_views_are_behind(hour: Path, tmp_path: Path) -> None:
    shutil.copytree(hour, tmp_path / "copy")
    file = tmp_path / "copy" / LEDGER
    with closing(open_journal(f"sqlite:///{file}", create=False)) as journal:
        alert = AlertTriggered("made_up", "<b>look</b>")
        Ledger(journal, SystemClock(), SystemIds()).note(streams.BROKER, alert, Cause("0" * 31 + "1", actor="test"))
    before = content(file)
    with open_ledger(f"sqlite:///{file}") as opened:
        for view in VIEWS:
            repr(table(opened, view))
        assert "&lt;b&gt;look" in opened.alerts._repr_html_()
        assert len(opened.trace("0" * 31 + "1")) == 1
        assert opened._repr_html_().endswith(opened.as_of(opened.position)._repr_html_())
        opened.trace(opened.orders[0]["order_id"])
    assert content(file) == before


def content(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no ledger at"):
        open_ledger(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(InputError, match="that others can open"):
        open_ledger("memory:")
    assert list(tmp_path.iterdir()) == []
