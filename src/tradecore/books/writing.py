"""Exports of a ledger to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tradecore.books.beancount import beancount_lines
from tradecore.books.parquet import write_parquet
from tradecore.books.reading import events_of, read_books
from tradecore.books.replacing import replacing
from tradecore.books.tables import tables_of

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


def export_beancount(journal: Journal, path: Path) -> int:
    """Write the books as a beancount file; returns the number of entries.

    Raises `CorruptLedger`, `InputError` for what beancount cannot hold, `ConfigurationError` for where it cannot be
    written.
    """
    books = read_books(journal)
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in beancount_lines(books.values()))
    return sum(len(book.entries) for book in books.values())


def export_parquet(journal: Journal, directory: Path) -> dict[str, int]:
    """Write `orders`, `fills`, `trades`, `positions` and `entries` as Parquet files; returns their numbers of rows.

    Raises `CorruptLedger`, `MissingExtra`, `ConfigurationError` for where they cannot be written.
    """
    tables = tables_of(events_of(journal))
    write_parquet(directory, tables)
    return {name: len(rows) for name, rows in tables.items()}
