"""Verb `export`: the books for other programs."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line

export = App(name="export", help="Write the books to files, for other programs.")


@export.command
def beancount(file: Path, /, *, options: Options = DEFAULTS) -> int:
    """Write the books as a beancount file that bean-check accepts.

    Parameters
    ----------
    file
        the file to write; what was there goes
    """
    from tradecore.books import export_beancount

    with open_existing(options) as journal:
        entries = export_beancount(journal, file)
    if options.json:
        show_json([{"file": str(file), "entries": entries}])
    else:
        show_line(f"{entries} entries in {file}")
    return 0


@export.command
def parquet(directory: Path, /, *, options: Options = DEFAULTS) -> int:
    """Write orders, fills, trades, positions and entries as Parquet files (needs the extra parquet).

    Parameters
    ----------
    directory
        the directory to write into; made when it is not there, and files of these names go
    """
    from tradecore.books import export_parquet

    with open_existing(options) as journal:
        tables = export_parquet(journal, directory)
    files = [{"file": str(directory / f"{name}.parquet"), "rows": rows} for name, rows in tables.items()]
    if options.json:
        show_json(files)
    else:
        for written in files:
            show_line(f"{written['rows']} rows in {written['file']}")
    return 0
