"""Verb `tearsheet`: one page with the figures, charts and trades of an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tradecore.cli.opening import open_existing, rows_now
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore.tearsheet import Sheet


def tearsheet(
    file: Path = Path("tearsheet.html"),
    /,
    *,
    account: str = "main",
    bars: Path | None = None,
    tables: Path | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Write figures, charts and trades of an account as one HTML file that needs no network (needs the extra research).

    Parameters
    ----------
    file
        the file to write; what was there goes
    account
        the trading account
    bars
        minute bars, .csv or .parquet, that value positions between fills; without them they are valued at cost
    tables
        a directory for report.json and for equity, trades and fills as CSV and Parquet
    """
    from tradecore.tearsheet import export_tables, write_page

    sheet = _sheet(account, bars, options)
    write_page(sheet, file)
    written = [file, *(export_tables(sheet, tables) if tables is not None else [])]
    if options.json:
        show_json([{"file": str(path)} for path in written])
    else:
        for path in written:
            show_line(str(path))
    return 0


def _sheet(account: str, bars: Path | None, options: Options) -> Sheet:
    from tradecore.books import read_books
    from tradecore.runner.plugins import load_plugin
    from tradecore.tearsheet import sheet_of_ledger

    with open_existing(options) as journal:
        books = read_books(journal)
        if account not in books:
            raise InputError("account", account, f"one of {', '.join(sorted(books)) or 'none: no entries yet'}")
        trades, fills = rows_now(journal, "trades"), rows_now(journal, "fills")
    postings = (posting for entry in books[account].entries for posting in entry.postings)
    symbols = {posting.lot.symbol for posting in postings if posting.lot is not None}
    read = load_plugin("market_data", "file", "bars")(bars) if bars is not None else ()
    return sheet_of_ledger(books[account], trades, fills, [bar for bar in read if bar.symbol in symbols])
