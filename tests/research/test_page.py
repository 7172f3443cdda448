"""The tear sheet: one file that a browser draws without asking anybody for anything, and its tables."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.research.browser import asked_for, browse
from tests.research.curves import seeded_curve, seeded_trades
from tradecore.domain.values import Side
from tradecore.errors import ConfigurationError
from tradecore.metrics import Curve, Dealt
from tradecore.tearsheet import Sheet, export_tables, page, write_page
from tradecore.tearsheet.thinning import thinned

pytest.importorskip("bokeh")
HOSTILE = "</script><script>document.title = 'owned'</script>"


def sheet(title: str = "Run") -> Sheet:
    curve = seeded_curve(1)
    prices = [(sample.at, sample.equity / 1000) for sample in curve.samples]
    dealt = [
        Dealt(at, "SPY", Side.BUY if place % 2 else Side.SELL, Decimal(10), price)
        for place, (at, price) in enumerate(prices[::40])
    ]
    return Sheet(
        title,
        "USD",
        curve,
        tuple(seeded_trades(2)),
        tuple(dealt),
        {"SPY": prices},
        config={"strategy": title},
        config_hash="c0ffee",
        provenance={"source": "seeded"},
    )


def test_the_page_says_figures_provenance_and_configuration() -> None:
    text = page(sheet())
    report = sheet().report()
    assert f"{100 * float(report.value('total_return')):,.2f} %" in text  # type: ignore[arg-type]
    assert "c0ffee" in text
    assert "seeded" in text
    assert 'id="months"' in text


def test_a_browser_draws_the_charts_and_asks_nobody(tmp_path: Path) -> None:
    file, log = tmp_path / "sheet.html", tmp_path / "net.json"
    write_page(sheet(HOSTILE), file)
    done = browse(file, tmp_path / "a", "--dump-dom", f"--log-net-log={log}", "--enable-logging=stderr")
    assert "document idle" in done.stderr
    assert not [
        line for line in done.stderr.splitlines() if "CONSOLE" in line and ("Refused" in line or "rror" in line)
    ]
    assert asked_for(log) == []
    assert f"<title>{HOSTILE.replace('<', '&lt;').replace('>', '&gt;')}</title>" in done.stdout


def test_the_check_notices_a_page_that_asks(tmp_path: Path) -> None:
    file, log = tmp_path / "asks.html", tmp_path / "net.json"
    file.write_text('<img src="http://elsewhere.invalid/pixel.png">', encoding="utf-8")
    browse(file, tmp_path / "b", "--dump-dom", f"--log-net-log={log}")
    assert asked_for(log) == ["http://elsewhere.invalid/pixel.png"]


def test_a_page_of_nothing_is_a_page() -> None:
    assert "not defined" in page(Sheet("Nothing", "USD", Curve.of(())))


def test_what_charts_leave_out_is_said() -> None:
    made = sheet()
    assert "of 2,400 fills" in page(Sheet("Many", "USD", made.curve, dealt=made.dealt[:1] * 2400, prices=made.prices))


def test_the_tables_hold_what_the_sheet_holds(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    made = sheet()
    written = export_tables(made, tmp_path / "out")
    assert len(written) == 7
    with (tmp_path / "out" / "equity.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Decimal(row["equity"]) for row in rows] == [sample.equity for sample in made.curve.samples]
    table = parquet.read_table(tmp_path / "out" / "equity.parquet")
    assert table["equity"].to_pylist() == [sample.equity for sample in made.curve.samples]
    assert table["at"].to_pylist() == [sample.at for sample in made.curve.samples]
    trades = parquet.read_table(tmp_path / "out" / "trades.parquet")
    assert trades["realised_pnl"].to_pylist() == [trade.pnl for trade in made.trades]
    told = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    figures = {figure["key"]: figure for figures in told["figures"].values() for figure in figures}
    assert figures["sharpe"]["value"] == made.report().value("sharpe")
    assert figures["exposure"] == {
        "key": "exposure",
        "title": "Average exposure",
        "unit": "fraction",
        "value": None,
        "not_defined": "the curve does not say what was held",
    }


def test_a_place_that_cannot_be_written_to_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write"):
        export_tables(sheet(), tmp_path / "file" / "tables")
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_page(sheet(), tmp_path / "nowhere" / "sheet.html")


def test_thinning_keeps_ends_and_extremes() -> None:
    values = [float((place * 7919) % 10_007) for place in range(50_000)]
    kept = thinned(values, 400)
    assert len(kept) <= 400
    assert {0, 49_999, values.index(max(values)), values.index(min(values))} <= set(kept)
    assert thinned([1.0, 2.0], 400) == [0, 1]
