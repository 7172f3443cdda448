"""Prompts and answers in the side store, by hash. They belong to the month, so that a month can be erased."""

from __future__ import annotations

from tradecore.journal.side_store import SideStore, digest_of
from tradecore.ports.clock import Clock

_MEDIA_TYPE = "application/json"


class Texts:
    """Keeps texts, or only computes their hashes where the settings say so."""

    def __init__(self, store: SideStore, clock: Clock, *, keeps: bool) -> None:
        self._store = store
        self._clock = clock
        self._keeps = keeps

    def put(self, *contents: bytes) -> tuple[str, ...]:
        """Keep texts, all at once, and return their hashes."""
        if not self._keeps:
            return tuple(map(digest_of, contents))
        return self._store.put_all(f"models {self._clock.now():%Y-%m}", _MEDIA_TYPE, contents)
