"""`bean-check`, the real one, called in this process: a new process for every random story would be slow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from beancount.scripts.check import main
from click.testing import CliRunner

from tradecore.books import Book
from tradecore.books.beancount import beancount_lines


def written(books: Iterable[Book]) -> str:
    """The export as text."""
    return "".join(f"{line}\n" for line in beancount_lines(books))


def complaints(text: str, directory: Path) -> str | None:
    """What bean-check says against a file, None when it accepts it."""
    file = directory / "books.beancount"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["--no-cache", str(file)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return None if result.exit_code == 0 else result.output or "refused"
