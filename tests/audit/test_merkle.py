"""The tree is RFC 9162's: known roots, and the two ways to compute them agree at every size."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tradecore.audit.merkle import Frontier, inclusion

# The test inputs and roots of the Certificate Transparency reference implementation.
_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_are_those_of_the_reference() -> None:
    tree = Frontier()
    assert tree.root() == sha256().digest()
    for leaf, expected in zip(_LEAVES, _ROOTS, strict=True):
        tree.add(leaf)
        assert tree.root().hex() == expected


@pytest.mark.parametrize("size", range(1, 40))
def test_both_ways_to_the_root_agree_and_paths_are_short(size: int) -> None:
    links = [bytes([number]) * 32 for number in range(size)]
    tree = Frontier()
    for item in links:
        tree.add(item)
    for index in range(size):
        root, path = inclusion(iter(links), size, index)
        assert root == tree.root()
        assert len(path) <= (size - 1).bit_length()
    assert inclusion(iter(links), size, None) == (tree.root(), [])
