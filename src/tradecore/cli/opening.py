"""Opening a ledger for a verb, and reading views as of now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tradecore.cli.options import Options
from tradecore.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from tradecore.journal.contract import Journal
    from tradecore.views.view import Row


@contextmanager
def open_existing(options: Options) -> Iterator[Journal]:
    """The ledger, which must exist. Raises `ConfigurationError` naming the path when it does not."""
    path = _file(options)
    if path is not None and not path.exists():
        raise ConfigurationError(
            f"there is no ledger at {path}: name one with --ledger or TRADECORE_LEDGER, or begin one with "
            "`tradecore place` or `python -m tradecore.runner`"
        )
    with _opened(options, create=False) as journal:
        yield journal


@contextmanager
def open_or_create(options: Options) -> Iterator[Journal]:
    """The ledger, created when it does not exist."""
    _file(options)
    with _opened(options, create=True) as journal:
        yield journal


def rows_now(journal: Journal, view: str) -> list[Row]:
    """The rows of a view, after folding what was appended since it was last folded."""
    from tradecore.views import ALL_VIEWS, read_rows
    from tradecore.views.projector import Projector

    Projector(journal, [known for known in ALL_VIEWS if known.name == view]).catch_up()
    return read_rows(journal, view)


def _file(options: Options) -> Path | None:
    """Where the ledger is; None for one in a database, of which opening it will tell."""
    from tradecore.journal.url import ledger_path

    path = ledger_path(options.url)
    if options.url == "memory:":
        raise ConfigurationError(
            "ledger: memory: lives and dies inside one process, so there is nothing here to look at or to add to; "
            "name a file, such as --ledger sqlite:///tradecore.db"
        )
    return path


@contextmanager
def _opened(options: Options, *, create: bool) -> Iterator[Journal]:
    from tradecore.journal import open_journal

    journal = open_journal(options.url, create=create)
    try:
        yield journal
    finally:
        journal.close()
