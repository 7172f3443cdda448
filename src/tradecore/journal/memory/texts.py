"""Free text in memory, by hash."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tradecore.errors import InputError, StoreUnavailable
from tradecore.journal.side_store import Erased, digest_of, hash_subject


class MemoryTexts:
    """A `SideStore` in memory; nothing in it needs encryption."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._texts: dict[str, dict[str, bytes | None]] = {}  # digest -> subject's hash -> content
        self._media_types: dict[str, str] = {}

    def put(self, subject: str | None, media_type: str, content: bytes) -> str:
        """Keep a text for a subject."""
        return self.put_all(subject, media_type, (content,))[0]

    def put_all(self, subject: str | None, media_type: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Keep several texts for a subject."""
        digests = tuple(map(digest_of, contents))
        with self._open():
            for digest, content in zip(digests, contents, strict=True):
                self._texts.setdefault(digest, {})["" if subject is None else hash_subject(subject)] = content
                self._media_types.setdefault(digest, media_type)
        return digests

    def get(self, digest: str) -> bytes | Erased:
        """The text with this hash. Raises `InputError`."""
        with self._open():
            kept = self._texts.get(digest)
            if kept is None:
                raise InputError("digest", digest, "the hash of a text that was kept")
            return next((content for content in kept.values() if content is not None), Erased(digest))

    def media_type(self, digest: str) -> str:
        """The media type that a text was kept with. Raises `InputError`."""
        with self._open():
            if digest not in self._media_types:
                raise InputError("digest", digest, "the hash of a text that was kept")
            return self._media_types[digest]

    def erase(self, subject: str) -> int:
        """Erase everything that is kept of a subject."""
        owner = hash_subject(subject)
        with self._open():
            mine = [kept for kept in self._texts.values() if kept.get(owner) is not None]
            for kept in mine:
                kept[owner] = None
            return len(mine)

    def close(self) -> None:
        """Refuse everything from here on."""
        self._closed = True

    def _open(self) -> threading.Lock:
        if self._closed:
            raise StoreUnavailable("the journal is closed")
        return self._lock
