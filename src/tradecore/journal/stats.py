"""What a store says of its own size."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class ViewStanding:
    """A view and the position up to which it is folded."""

    name: str
    position: int


@attrs.frozen
class StoreStats:
    """Counts, and sizes in bytes. `log_size_bytes` is what was written and not yet moved into the file (the WAL)."""

    events: int
    streams: int
    head: int
    size_bytes: int
    log_size_bytes: int
    by_name: Mapping[str, int]
    views: tuple[ViewStanding, ...]
