"""Copies of a ledger file: taken online by SQLite itself, checked, and durable before they get their name."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tradecore.errors import CorruptLedger, InputError, StoreUnavailable
from tradecore.journal.sqlite.connection import connect
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.failures import as_journal_error
from tradecore.journal.sqlite.schema import recognise

_PATIENCE_S = 5.0
_BESIDE = ("-wal", "-shm", "-journal")


def back_up(datastore: LedgerDatastore, target: Path) -> int:
    """Copy an open ledger to `target` and return the copy's head; see `Journal.backup`."""
    with datastore.reading():  # refuses what is closed or belongs to another process
        pass
    # A connection of its own: the journal's serves others meanwhile. It only reads, so it never checkpoints.
    with closing(connect(datastore.path, _PATIENCE_S)) as source:
        return _copy(source, datastore.path, target)


def restore(file: Path, target: Path) -> int:
    """Make a ledger at `target` out of a copy, and return its head.

    Raises `InputError` when `target` is taken or `file` cannot be a copy, `CorruptLedger`, `StoreUnavailable`.
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
        return _copy(source, file, target)


def _copy(source: sqlite3.Connection, path: Path, target: Path) -> int:
    _refuse_taken(target)
    try:
        with _drafting(target) as draft:
            try:
                with closing(sqlite3.connect(draft)) as copy:
                    # In one step: it is one moment of the ledger, and writers of other processes do not start it over.
                    source.backup(copy, pages=-1)
            except sqlite3.Error as error:
                damage = as_journal_error(error, path)
                raise (damage if isinstance(damage, CorruptLedger) else as_journal_error(error, target)) from error
            head = _check(draft)
            _sync(draft)
            _name(draft, target)
            return head
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error


def _refuse_taken(target: Path) -> None:
    if not target.parent.is_dir():
        raise InputError("file", str(target), "a place in a directory that exists")
    for taken in (target, *(_beside(target, kind) for kind in _BESIDE)):
        if os.path.lexists(taken):
            raise InputError("file", str(target), f"a name that is free, and {taken.name} is there")


@contextmanager
def _drafting(target: Path) -> Iterator[Path]:
    """A place on the same file system for the copy and all that SQLite puts beside it."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        yield Path(folder) / target.name


def _check(draft: Path) -> int:
    """Open the copy as what it is going to be, and go through all of it."""
    from tradecore.journal.sqlite.opening import open_ledger

    with closing(open_ledger(f"sqlite:///{draft}", draft, create=False, patience_s=_PATIENCE_S)) as journal:
        journal.check()
        head = journal.head()
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
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(path.name + kind)
