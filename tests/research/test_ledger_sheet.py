"""A tear sheet out of a ledger: equity is what the books say, at cost or at closes; money paid in is no return."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.books.stories import PINNED, STORIES, Step, book_of, play
from tests.cli.conftest import terminal
from tests.cli.terminal import Terminal
from tests.views.vandal import trade_for_an_hour
from tradecore.books.standing import Standing
from tradecore.domain.values import ZERO
from tradecore.tearsheet.ledger import samples_of

__all__ = ["terminal"]


@given(STORIES, PINNED)
@settings(max_examples=25, deadline=None)
def test_equity_at_cost_is_what_the_statement_says(
    story: Sequence[Step], openings: Sequence[tuple[str, str, str]]
) -> None:
    book = book_of(play(story, openings))
    first = next(iter(samples_of(book.entries)))
    last = list(samples_of(book.entries))[-1]
    statement = book.statement()
    cost = sum((lot.quantity * lot.price for held in statement.positions.values() for lot in held.lots), ZERO)
    assert last.equity == statement.closing_cash + cost
    assert first.flow == 0
    opened = -Standing.after(book.entries).balance("equity:opening")
    assert last.equity == opened + statement.realised_pnl


def test_the_verb_writes_a_page_and_tables(terminal: Terminal, tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    terminal.trade(trade_for_an_hour)
    said = terminal.run("tearsheet", str(tmp_path / "t.html"), "--tables", str(tmp_path / "tables"))
    assert (said.code, said.err) == (0, "")
    assert "valued at cost" in (tmp_path / "t.html").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "tables" / "report.json").read_text(encoding="utf-8"))
    figures = {figure["key"]: figure["value"] for figures in told["figures"].values() for figure in figures}
    assert Decimal(figures["start_equity"]) == Decimal(10_300)
    assert Decimal(figures["end_equity"]) == Decimal("9870.49") + 300 + 140
    assert figures["fees"] == "0.01"


def test_bars_value_what_is_held(terminal: Terminal, tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    terminal.trade(trade_for_an_hour)
    (statement,) = terminal.json("statement")
    last = statement["movements"][-1]["time"][:10]
    bars = tmp_path / "bars.csv"
    rows = [f"IBM,{last}T20:5{n}:00+00:00,1,{110 + n},1,{110 + n},9" for n in range(3)]
    bars.write_text("\n".join(["symbol,timestamp,open,high,low,close,volume", *rows]), encoding="utf-8")
    said = terminal.run("tearsheet", str(tmp_path / "t.html"), "--bars", str(bars), "--tables", str(tmp_path / "x"))
    assert (said.code, said.err) == (0, "")
    told = json.loads((tmp_path / "x" / "report.json").read_text(encoding="utf-8"))
    figures = {figure["key"]: figure["value"] for figures in told["figures"].values() for figure in figures}
    assert Decimal(figures["end_equity"]) == Decimal("9870.49") + 3 * 112 + 140


def test_an_account_that_is_not_there_is_named(terminal: Terminal, tmp_path: Path) -> None:
    terminal.trade(trade_for_an_hour)
    said = terminal.run("tearsheet", str(tmp_path / "t.html"), "--account", "other")
    assert said.code == 2
    assert "expected one of main" in said.err
