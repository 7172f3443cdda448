"""A copy of a ledger as a file: a ledger of its own, whatever store it came from, checked, sealed and durable."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tradecore.errors import CorruptLedger, InputError, StoreUnavailable
from tradecore.journal.codec import EventCodec
from tradecore.journal.directory import sync_directory
from tradecore.journal.sqlite.failures import DATABASE_ERRORS, as_journal_error
from tradecore.journal.sqlite.head_file import SUFFIX
from tradecore.journal.sqlite.schema import recognise
from tradecore.journal.sqlite.seal import hold_against_seal, seal

PATIENCE_S = 5.0
_BESIDE = ("-wal", "-shm", "-journal")


def make_file(target: Path, fill: Callable[[Path], None], *, sealed: bool, codec: EventCodec | None = None) -> int:
    """Let `fill` write a ledger somewhere, check it, and only then give it its name; returns its head.

    Its events are read with `codec`, or else with the keys that the environment names.

    Raises `InputError` when `target` is taken, `CorruptLedger` for what is no whole ledger, `StoreUnavailable`.
    """
    _refuse_taken(target)
    try:
        with _drafting(target) as draft:
            fill(draft)
            head = _check(draft, codec, sealed=sealed)
            _sync(draft)
            _name(draft, target)
            return head
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error


@contextmanager
def opened_copy(file: Path) -> Iterator[sqlite3.Connection]:
    """A copy to read from, which was gone through and is what it was when it was made.

    Raises `InputError` when `file` cannot be a copy, `CorruptLedger`, `NewerLedger`.
    """
    if not file.is_file():
        raise InputError("file", str(file), "a copy of a ledger, made by `tradecore backup`")
    if any(_beside(file, kind).exists() for kind in _BESIDE):
        raise InputError(
            "file", str(file), "a copy made by `tradecore backup`; this is a ledger with its log beside it"
        )
    try:
        # Immutable: nobody writes to a copy, and reading it must leave nothing beside it.
        source = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise as_journal_error(error, file) from error
    with closing(source):
        recognise(source, file)
        try:
            verdict = source.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if verdict != "ok":
                raise CorruptLedger(f"{file}: {verdict}")
            hold_against_seal(source, file)
        except DATABASE_ERRORS as error:
            raise as_journal_error(error, file) from error
        yield source


def _refuse_taken(target: Path) -> None:
    if not target.parent.is_dir():
        raise InputError("file", str(target), "a place in a directory that exists")
    for taken in (target, *(_beside(target, kind) for kind in (*_BESIDE, SUFFIX))):
        if os.path.lexists(taken):
            raise InputError("file", str(target), f"a name that is free, and {taken.name} is there")


@contextmanager
def _drafting(target: Path) -> Iterator[Path]:
    """A place on the same file system for the copy and all that SQLite puts beside it."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        yield Path(folder) / target.name


def _check(draft: Path, codec: EventCodec | None, *, sealed: bool) -> int:
    """Open the copy as what it is going to be, and go through all of it."""
    from tradecore.journal.sqlite.opening import open_ledger

    url = f"sqlite:///{draft}"
    with closing(open_ledger(url, draft, create=False, patience_s=PATIENCE_S, codec=codec)) as journal:
        journal.check()
        head = journal.head()
    if sealed:
        try:
            with closing(sqlite3.connect(draft)) as connection:
                seal(connection, draft)
        except DATABASE_ERRORS as error:
            raise as_journal_error(error, draft) from error
    if any(_beside(draft, kind).exists() for kind in _BESIDE):
        raise CorruptLedger(f"the copy of {draft.name} did not close into one file")
    return head


def _name(draft: Path, target: Path) -> None:
    """Give the copy its name, and never the place of what somebody put there meanwhile."""
    try:
        # Claimed first, because a rename alone would replace; and not linked, because not every file system can.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise InputError("file", str(target), "a name that is free") from None
    draft.replace(target)
    sync_directory(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(path.name + kind)
