"""Opening a ledger for a verb, and reading views as of now or then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tradecore.cli.options import Options
from tradecore.cli.printing import show_note
from tradecore.domain.values import parse_instant
from tradecore.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from tradecore.journal import KeyRing
    from tradecore.journal.contract import Journal
    from tradecore.views.view import Row


@contextmanager
def open_existing(options: Options, keys: KeyRing | None = None) -> Iterator[Journal]:
    """The ledger, which must exist, read with `keys` or those of the environment.

    Raises `ConfigurationError` naming the path when it does not.
    """
    refuse_missing(options)
    with _opened(options, create=False, keys=keys) as journal:
        yield journal


def refuse_missing(options: Options) -> None:
    """Raises `ConfigurationError` when no ledger is where the options say."""
    path = _file(options)
    if path is not None and not path.exists():
        raise ConfigurationError(
            f"there is no ledger at {path}: name one with --ledger or TRADECORE_LEDGER, or begin one with "
            "`tradecore place` or `python -m tradecore.runner`"
        )


@contextmanager
def open_or_create(options: Options) -> Iterator[Journal]:
    """The ledger, created when it does not exist."""
    _file(options)
    with _opened(options, create=True) as journal:
        yield journal


def rows_now(journal: Journal, view: str) -> list[Row]:
    """The rows of a view, after folding what was appended since it was last folded; a note when it stopped."""
    from tradecore.views import ALL_VIEWS, read_rows
    from tradecore.views.parking import parked_views
    from tradecore.views.projector import Projector

    known = [item for item in ALL_VIEWS if item.name == view]
    Projector(journal, known, alarm=lambda _: None).catch_up()
    parked = parked_views(journal).get(view)
    if parked is not None:
        show_note(f"warning: {parked}")
    return read_rows(journal, view)


def rows_then(journal: Journal, view: str, as_of: str) -> list[Row]:
    """The rows of a view as of a position or a time. Raises `InputError` for what is neither."""
    from tradecore.views import read_rows

    return read_rows(journal, view, parse_as_of(as_of))


def parse_as_of(raw: str) -> int | dt.datetime:
    """A position, or a time with a zone such as 2026-02-03T14:30:00Z. Raises `InputError`."""
    if raw.isascii() and raw.isdigit():
        return int(raw)
    try:
        return parse_instant("as-of", dt.datetime.fromisoformat(raw))
    except ValueError:
        raise InputError("as-of", raw, "a position, or a time such as 2026-02-03T14:30:00Z") from None


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
def _opened(options: Options, *, create: bool, keys: KeyRing | None = None) -> Iterator[Journal]:
    from tradecore.journal import open_journal

    journal = open_journal(options.url, create=create, keys=keys)
    try:
        yield journal
    finally:
        journal.close()
