"""Writing a file so that nobody ever reads half of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradecore.errors import ConfigurationError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write beside `path`, which takes its place at the end; after an error everything is as before.

    Raises `ConfigurationError` for a place that cannot be written to, and for what is there and is no file (a device).
    """
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            raise ConfigurationError(f"cannot write {path}: something that is no file is there")
        draft = path.with_name(path.name + ".part")
        try:
            yield draft
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror or error}") from None
