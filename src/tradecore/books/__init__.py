"""The ledger in the accountant's sense: a pure fold from events to double entry, statements and exports."""

from __future__ import annotations

from tradecore.books.as_of import AsOf, parse_as_of
from tradecore.books.reading import Book, books_of, read_books
from tradecore.books.writing import export_beancount, export_parquet

__all__ = ["AsOf", "Book", "books_of", "export_beancount", "export_parquet", "parse_as_of", "read_books"]
