"""Free text in the ledger's file, in a table of its own, which is made when the first text is kept.

With the extra `encryption` every text that has a subject is sealed with the subject's key (`subject_keys`), and what is
in the file, in its log and in every copy is ciphertext. Without it texts are stored as they are, and erasing them
rewrites the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from tradecore.errors import CorruptLedger, InputError, StoreUnavailable
from tradecore.journal.sealing import can_seal, seal, unseal
from tradecore.journal.side_store import Erased, digest_of, hash_subject
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.log_size import cut_off
from tradecore.journal.sqlite.seal import has_texts
from tradecore.journal.subject_keys import SubjectKeys

TABLE = (
    "CREATE TABLE IF NOT EXISTS tradecore_texts ("
    "digest TEXT NOT NULL, subject TEXT NOT NULL, media_type TEXT NOT NULL, sealed INTEGER NOT NULL, content BLOB, "
    "PRIMARY KEY (digest, subject))"
)
_UPSERT = (
    "INSERT INTO tradecore_texts (digest, subject, media_type, sealed, content) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (digest, subject) DO UPDATE SET sealed = excluded.sealed, content = excluded.content"
)
_OWN = "SELECT sealed, content FROM tradecore_texts WHERE digest = ? AND subject = ?"
_NOBODY = ""


class SqliteTexts:
    """A `SideStore` in SQLite. An erased text leaves its hash, the hash of its subject and its media type."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore
        self._keys = SubjectKeys(datastore.path.with_name(datastore.path.name + ".keys"))

    def put(self, subject: str | None, media_type: str, content: bytes) -> str:
        """Keep a text for a subject."""
        return self.put_all(subject, media_type, (content,))[0]

    def put_all(self, subject: str | None, media_type: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Keep several texts for a subject."""
        digests = tuple(map(digest_of, contents))
        owner = _NOBODY if subject is None else hash_subject(subject)

        def is_kept(connection: sqlite3.Connection) -> bool:
            return all(_is_kept(connection, digest, owner) for digest in digests)

        with self._datastore.writing(is_kept) as cursor:
            # The key is looked up inside the transaction: nobody can erase the subject between that and the commit.
            is_sealed = subject is not None and can_seal()
            cursor.execute(TABLE)
            for digest, content in zip(digests, contents, strict=True):
                cursor.execute(_OWN, (digest, owner))
                if not self._can_read(cursor.fetchone(), owner):
                    stored = seal(self._keys.find_or_make(owner), content, digest, owner) if is_sealed else content
                    cursor.execute(_UPSERT, (digest, owner, media_type, is_sealed, stored))
        return digests

    def get(self, digest: str) -> bytes | Erased:
        """The text with this hash. Raises `InputError`, `CorruptLedger`, `MissingExtra`."""
        rows = self._rows("SELECT subject, sealed, content FROM tradecore_texts WHERE digest = ?", digest)
        for owner, is_sealed, stored in rows:
            content = self._opened(digest, owner, stored) if is_sealed and stored is not None else stored
            if content is None:
                continue
            if digest_of(content) != digest:
                raise CorruptLedger(f"{self._datastore.path}: the text {digest} is not what was kept under that hash")
            return bytes(content)
        return Erased(digest)

    def media_type(self, digest: str) -> str:
        """The media type that a text was kept with. Raises `InputError`."""
        return str(self._rows("SELECT media_type FROM tradecore_texts WHERE digest = ? LIMIT 1", digest)[0][0])

    def erase(self, subject: str) -> int:
        """Erase everything that is kept of a subject, from the file, its log, and the keys."""
        owner = hash_subject(subject)
        with self._datastore.writing(lambda connection: not _count(connection, owner)) as cursor:
            cursor.execute("PRAGMA secure_delete=1")
            cursor.execute(TABLE)
            count = _count(self._datastore.connection, owner)
            cursor.execute("UPDATE tradecore_texts SET content = NULL WHERE subject = ?", (owner,))
            self._keys.drop(owner)
        with self._datastore.maintaining() as connection:
            # Rows that moved within the file left pieces behind them: only writing it anew leaves none.
            connection.execute("VACUUM").close()
            if not cut_off(connection):
                raise StoreUnavailable(
                    f"{self._datastore.path}: erased, but a reader keeps traces of it in the log; erase again later"
                )
        return count

    def _can_read(self, row: tuple[Any, ...] | None, owner: str) -> bool:
        if row is None or row[1] is None:
            return False
        return not row[0] or self._keys.find(owner) is not None

    def _opened(self, digest: str, owner: str, stored: bytes) -> bytes | None:
        key = self._keys.find(owner)
        return None if key is None else unseal(key, stored, digest, owner)

    def _rows(self, statement: str, digest: str) -> list[tuple[Any, ...]]:
        with self._datastore.reading() as connection:
            rows = connection.execute(statement, (digest,)).fetchall() if has_texts(connection) else []
        if not rows:
            raise InputError("digest", digest, "the hash of a text that was kept")
        return rows


def _is_kept(connection: sqlite3.Connection, digest: str, owner: str) -> bool:
    statement = "SELECT 1 FROM tradecore_texts WHERE digest = ? AND subject = ? AND content IS NOT NULL"
    return has_texts(connection) and connection.execute(statement, (digest, owner)).fetchone() is not None


def _count(connection: sqlite3.Connection, owner: str) -> int:
    if not has_texts(connection):
        return 0
    statement = "SELECT count(*) FROM tradecore_texts WHERE subject = ? AND content IS NOT NULL"
    count: int = connection.execute(statement, (owner,)).fetchone()[0]
    return count
