"""The Merkle tree of RFC 9162 (section 2.1) over the links of a ledger; leaf `n` is the link of position `n + 1`."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256


def leaf(link: bytes) -> bytes:
    """The hash of a leaf. The first byte keeps leaves and nodes apart."""
    return sha256(b"\0" + link).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree that only grows, and knows its root at every size; holds one hash per bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, link: bytes) -> None:
        """The next leaf."""
        grown, size = leaf(link), self.size
        while size & 1:
            grown = node(self._peaks.pop(), grown)
            size >>= 1
        self._peaks.append(grown)
        self.size += 1

    def root(self) -> bytes:
        """The root over everything added."""
        if not self._peaks:
            return sha256().digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node(peak, root)
        return root


def inclusion(links: Iterator[bytes], size: int, index: int | None) -> tuple[bytes, list[bytes]]:
    """Root of the next `size` links, and the audit path of leaf `index` (RFC 9162 section 2.1.3.1), nearest first."""
    if size == 1:
        return leaf(next(links)), []
    split = 1 << (size - 1).bit_length() - 1
    is_left = index is not None and index < split
    left, path = inclusion(links, split, index if is_left else None)
    right, other = inclusion(links, size - split, index - split if index is not None and not is_left else None)
    if index is not None:
        path = [*path, right] if is_left else [*other, left]
    return node(left, right), path
