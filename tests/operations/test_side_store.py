"""Both stores keep the contract, with and without encryption; and what else is to be said of encrypted texts."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tradecore.errors import CorruptLedger, MissingExtra
from tradecore.journal import Erased, Journal, open_journal, restore_ledger
from tradecore.journal.side_store import hash_subject
from tradecore.testing.side_store_contract import SideStoreContract

CAN_SEAL = "tradecore.journal.sqlite.texts.can_seal"


class TestMemoryTexts(SideStoreContract):
    @pytest.fixture
    def journal(self) -> Journal:
        return open_journal("memory:")


class TestPlainTexts(SideStoreContract):
    @pytest.fixture
    def journal(self, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
        monkeypatch.setattr(CAN_SEAL, lambda: False)
        with closing(open_journal(url)) as journal:
            yield journal


class TestEncryptedTexts(SideStoreContract):
    @pytest.fixture
    def journal(self, url: str) -> Iterator[Journal]:
        pytest.importorskip("cryptography")
        with closing(open_journal(url)) as journal:
            yield journal


@pytest.fixture
def sealed(url: str) -> Iterator[Journal]:
    """A ledger in a file, with encryption."""
    pytest.importorskip("cryptography")
    with closing(open_journal(url)) as journal:
        yield journal


def edit(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as vandal, vandal:
        assert vandal.execute(statement, parameters).rowcount > 0


def test_a_sealed_text_cannot_be_changed_or_put_in_another_place(sealed: Journal, path: Path) -> None:
    one, two = sealed.texts.put("ada", "text/plain", b"buy"), sealed.texts.put("ada", "text/plain", b"not")
    edit(path, "UPDATE tradecore_texts SET content = (SELECT content FROM tradecore_texts WHERE digest = ?)", two)
    assert sealed.texts.get(two) == b"not"
    with pytest.raises(CorruptLedger, match=one):
        sealed.texts.get(one)


def test_a_plain_text_that_was_changed_is_noticed(sealed: Journal, path: Path) -> None:
    digest = sealed.texts.put(None, "text/plain", b"buy")
    edit(path, "UPDATE tradecore_texts SET content = ?", b"sell")
    with pytest.raises(CorruptLedger, match=digest):
        sealed.texts.get(digest)


def test_what_was_kept_before_encryption_came_stays_readable(sealed: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(CAN_SEAL, lambda: False)
        plain = sealed.texts.put("ada", "text/plain", b"before")
    later = sealed.texts.put("ada", "text/plain", b"after")
    assert (sealed.texts.get(plain), sealed.texts.get(later)) == (b"before", b"after")
    assert sealed.texts.erase("ada") == 2


def test_an_encrypted_text_without_the_extra_names_it(sealed: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = sealed.texts.put("ada", "text/plain", b"secret")
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(MissingExtra, match=r"tradecore\[encryption\]"):
        sealed.texts.get(digest)


def test_erasing_reaches_every_copy_that_was_made_before(sealed: Journal, path: Path, tmp_path: Path) -> None:
    digest = sealed.texts.put("ada", "text/plain", b"secret")
    other = sealed.texts.put("bob", "text/plain", b"kept")
    sealed.backup(tmp_path / "copy.db")
    sealed.texts.erase("ada")
    restore_ledger(tmp_path / "copy.db", f"sqlite:///{tmp_path}/back.db")
    shutil.copytree(f"{path}.keys", tmp_path / "back.db.keys")
    with closing(open_journal(f"sqlite:///{tmp_path}/back.db", create=False)) as back:
        assert back.texts.get(digest) == Erased(digest)
        assert back.texts.get(other) == b"kept"


def test_a_text_that_lost_its_key_can_be_kept_again(sealed: Journal, path: Path) -> None:
    digest = sealed.texts.put("ada", "text/plain", b"secret")
    (Path(f"{path}.keys") / hash_subject("ada")).unlink()
    assert sealed.texts.get(digest) == Erased(digest)
    sealed.texts.put("ada", "text/plain", b"secret")
    assert sealed.texts.get(digest) == b"secret"


def test_keys_are_for_their_owner_only(sealed: Journal, path: Path) -> None:
    sealed.texts.put("ada", "text/plain", b"secret")
    keys = Path(f"{path}.keys")
    assert keys.stat().st_mode & 0o077 == 0
    assert [key.stat().st_mode & 0o077 for key in keys.iterdir()] == [0]
