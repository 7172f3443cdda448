"""Free text in the ledger's schema, in a table of its own.

With a directory of keys in the URL (`keys=`) and the extra `encryption`, every text that has a subject is sealed with
the subject's key, and the server, its write-ahead log and all backups hold ciphertext. Without it texts are stored as
they are: erasing rewrites the table, and what the server has in its log and archives stays there until they go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg

from tradecore.errors import ConfigurationError, CorruptLedger, InputError, MissingExtra, StoreUnavailable
from tradecore.journal.postgres.address import Address
from tradecore.journal.postgres.connection import Line, connect
from tradecore.journal.postgres.failures import as_typed_error, is_lost
from tradecore.journal.postgres.turns import Turns
from tradecore.journal.sealing import can_seal, seal, unseal
from tradecore.journal.side_store import Erased, digest_of, hash_subject
from tradecore.journal.subject_keys import SubjectKeys

# Around every change of rows and keys together, on every machine.
_LOCK = "SELECT pg_advisory_xact_lock(3072854620270000000 + 'tradecore_texts'::regclass::oid::bigint)"
_OWN = "SELECT sealed, content FROM tradecore_texts WHERE digest = %s AND subject = %s"
_UPSERT = (
    "INSERT INTO tradecore_texts (digest, subject, media_type, sealed, content) VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (digest, subject) DO UPDATE SET sealed = excluded.sealed, content = excluded.content"
)
_ERASE = "UPDATE tradecore_texts SET content = NULL WHERE subject = %s AND content IS NOT NULL"
_ALL = "SELECT subject, sealed, content FROM tradecore_texts WHERE digest = %s ORDER BY subject"
_MEDIA_TYPE = "SELECT media_type FROM tradecore_texts WHERE digest = %s ORDER BY subject LIMIT 1"
_STILL_SEEN = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND age(backend_xmin) >= age((%s %% 4294967296)::text::xid)"
)
_NOBODY = ""
_PAUSE_S = 0.05

Answer = TypeVar("Answer")


class PostgresTexts:
    """A `SideStore` in Postgres. An erased text leaves its hash, the hash of its subject and its media type."""

    def __init__(self, address: Address, patience_s: float) -> None:
        """Raises `MissingExtra` when keys are named and nothing can seal with them."""
        self._address = address
        self._patience_s = patience_s
        self._turns = Turns(address)
        self._line: Line | None = None
        self._keys = None if address.keys is None else SubjectKeys(address.keys)
        if self._keys is not None and not can_seal():
            raise MissingExtra("a ledger with keys", "encryption")

    def put(self, subject: str | None, media_type: str, content: bytes) -> str:
        """Keep a text for a subject."""
        return self.put_all(subject, media_type, (content,))[0]

    def put_all(self, subject: str | None, media_type: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Keep several texts for a subject."""
        digests = tuple(map(digest_of, contents))
        owner = _NOBODY if subject is None else hash_subject(subject)

        def keep(connection: psycopg.Connection) -> None:
            with connection.transaction():
                connection.execute(_LOCK)
                for digest, content in zip(digests, contents, strict=True):
                    if self._can_read(connection.execute(_OWN, (digest, owner)).fetchone(), owner):
                        continue
                    is_sealed = subject is not None and self._keys is not None
                    stored = content
                    if is_sealed:
                        assert self._keys is not None, "there is no seal without keys"
                        stored = seal(self._keys.find_or_make(owner), content, digest, owner)
                    connection.execute(_UPSERT, (digest, owner, media_type, is_sealed, stored))

        self._run(keep)
        return digests

    def get(self, digest: str) -> bytes | Erased:
        """The text with this hash. Raises `InputError`, `CorruptLedger`, `MissingExtra`, `ConfigurationError`."""
        for owner, is_sealed, stored in self._rows(_ALL, digest):
            content = self._opened(digest, owner, stored) if is_sealed and stored is not None else stored
            if content is None:
                continue
            if digest_of(content) != digest:
                raise CorruptLedger(f"{self._address.shown}: the text {digest} is not what was kept under that hash")
            return bytes(content)
        return Erased(digest)

    def media_type(self, digest: str) -> str:
        """The media type that a text was kept with. Raises `InputError`."""
        return str(self._rows(_MEDIA_TYPE, digest)[0][0])

    def erase(self, subject: str) -> int:
        """Erase everything that is kept of a subject, from the table's files and the keys."""
        owner = hash_subject(subject)
        counts = [0]

        def erase(connection: psycopg.Connection) -> None:
            with connection.transaction():
                connection.execute(_LOCK)
                counts.append(connection.execute(_ERASE, (owner,)).rowcount)
                erased_by = connection.execute("SELECT txid_current()").fetchone()
                if self._keys is not None:
                    self._keys.drop(owner)
            # Rows that were changed stay in the table's file: only writing it anew leaves none of them, and also that
            # keeps what somebody may still see.
            patient_until = time.monotonic() + self._patience_s
            connection.execute("VACUUM (FULL) tradecore_texts")
            while connection.execute(_STILL_SEEN, erased_by).fetchone() is not None:  # most are gone in a moment
                if time.monotonic() >= patient_until:
                    raise StoreUnavailable(
                        f"{self._address.shown}: erased, but a reader keeps traces of it in the table; "
                        "erase again later"
                    )
                time.sleep(_PAUSE_S)
                connection.execute("VACUUM (FULL) tradecore_texts")

        self._run(erase)
        return max(counts)  # when the first try was done and its answer lost, the second finds nothing

    def close(self) -> None:
        """Hang up for good; harmless when repeated."""
        with self._turns.last() as is_first:
            if is_first:
                self._hang_up()

    def _can_read(self, row: tuple[Any, ...] | None, owner: str) -> bool:
        if row is None or row[1] is None:
            return False
        return not row[0] or self._named_keys().find(owner) is not None

    def _opened(self, digest: str, owner: str, stored: bytes) -> bytes | None:
        key = self._named_keys().find(owner)
        return None if key is None else unseal(key, stored, digest, owner)

    def _named_keys(self) -> SubjectKeys:
        """Keys that nobody named are not keys that were dropped: without them a text only seems to be erased."""
        if self._keys is None:
            raise ConfigurationError(f"{self._address.shown} has sealed texts: name their keys by keys= in its URL")
        return self._keys

    def _rows(self, statement: str, digest: str) -> list[tuple[Any, ...]]:
        rows = self._run(lambda connection: connection.execute(statement.encode(), (digest,), binary=True).fetchall())
        if not rows:
            raise InputError("digest", digest, "the hash of a text that was kept")
        return rows

    def _run(self, act: Callable[[psycopg.Connection], Answer]) -> Answer:
        """Do what may be done twice; a lost connection is replaced for `patience_s` seconds."""
        deadline: float | None = None
        with self._turns.turn():
            while True:
                try:
                    if self._line is None or self._line.is_broken:
                        self._line = connect(self._address, self._patience_s)
                    return act(self._line.connection)
                except psycopg.Error as error:
                    if not is_lost(error):
                        raise as_typed_error(error, self._address) from error
                    self._hang_up()
                    deadline = deadline or time.monotonic() + self._patience_s
                    if time.monotonic() >= deadline:
                        raise as_typed_error(error, self._address) from error
                except StoreUnavailable:
                    if deadline is None or time.monotonic() >= deadline:
                        raise
                time.sleep(_PAUSE_S)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
