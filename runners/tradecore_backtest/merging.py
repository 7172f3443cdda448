"""Bars of several symbols by time. A chunk holds whole moments: all bars of one trade before any is decided on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tradecore.domain.nanos import NANO
from tradecore_backtest.columns import CHUNK, Chunk, Columns

_AT_ONCE = 65_536


def chunks_of_one(columns: Columns) -> Iterator[Chunk]:
    """The bars of the only symbol."""
    for piece in slices(columns, CHUNK):
        yield Chunk(
            None, list(piece.starts), list(piece.opens), list(piece.highs), list(piece.lows), list(piece.closes),
            list(piece.volumes),
        )  # fmt: skip


def slices(columns: Columns, count: int) -> Iterator[Columns]:
    """Columns in pieces of so many bars."""
    for begin in range(0, len(columns), count):
        yield columns.between(begin, begin + count)


def slice_size(symbols: int) -> int:
    """How many bars of each of so many symbols are looked at together."""
    return max(64, _AT_ONCE // max(1, symbols))


def merged(streams: Sequence[Iterator[Columns]]) -> Iterator[Chunk]:
    """All bars by (start, symbol); each stream has those of one symbol by time, in pieces of any size."""
    waiting: dict[int, Columns] = {}
    open_streams = dict(enumerate(streams))
    while True:
        for code in [code for code in open_streams if code not in waiting]:
            piece = next((piece for piece in open_streams[code] if len(piece)), None)
            if piece is None:
                del open_streams[code]
            else:
                waiting[code] = piece
        if not waiting:
            return
        border = min(piece.starts[-1] for piece in waiting.values())
        taken: dict[int, Columns] = {}
        for code, piece in tuple(waiting.items()):
            behind = bisect_right(piece.starts, border)
            if behind:
                taken[code] = piece.between(0, behind)
            if behind == len(piece):
                del waiting[code]
            else:
                waiting[code] = piece.between(behind, len(piece))
        yield from _together(taken, len(streams))


def _together(pieces: dict[int, Columns], count: int) -> Iterator[Chunk]:
    """Every symbol's bars are in order already, so sorting is a merge."""
    keys = [start // NANO * count + code for code, columns in pieces.items() for start in columns.starts]
    keys.sort()
    following = {
        code: zip(c.starts, c.opens, c.highs, c.lows, c.closes, c.volumes, strict=True) for code, c in pieces.items()
    }
    begin = 0
    while begin < len(keys):
        behind = min(begin + CHUNK, len(keys))
        while behind < len(keys) and keys[behind] // count == keys[behind - 1] // count:
            behind += 1  # a moment is never cut in two
        codes = [key % count for key in keys[begin:behind]]
        rows = [next(following[code]) for code in codes]
        starts, opens, highs, lows, closes, volumes = map(list, zip(*rows, strict=True))
        yield Chunk(codes, starts, opens, highs, lows, closes, volumes)
        begin = behind
