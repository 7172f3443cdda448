"""What every side store must do, as tests. Subclass `SideStoreContract` and override its fixture."""

from __future__ import annotations

import hashlib

import pytest

from tradecore.errors import InputError, StoreUnavailable
from tradecore.journal import Erased, Journal


class SideStoreContract:
    """The promises of `tradecore.journal.side_store`."""

    @pytest.fixture
    def journal(self) -> Journal:
        """An empty journal with the side store. To be overridden."""
        raise NotImplementedError

    @pytest.mark.parametrize("subject", [None, "ada", ""])
    @pytest.mark.parametrize("content", [b"", b"a prompt", "ü€𝄞\0".encode(), b"\xff" * 100_000])
    def test_a_text_comes_back_by_its_hash(self, journal: Journal, subject: str | None, content: bytes) -> None:
        digest = journal.texts.put(subject, "text/plain", content)
        assert digest == hashlib.sha256(content).hexdigest()
        assert journal.texts.get(digest) == content
        assert journal.texts.media_type(digest) == "text/plain"

    def test_several_texts_are_kept_at_once(self, journal: Journal) -> None:
        journal.texts.put("ada", "text/plain", b"two")
        digests = journal.texts.put_all("ada", "text/plain", (b"one", b"two", b"one"))
        assert [journal.texts.get(digest) for digest in digests] == [b"one", b"two", b"one"]
        assert journal.texts.put_all("ada", "text/plain", ()) == ()
        assert journal.texts.erase("ada") == 2

    def test_keeping_a_text_again_does_nothing(self, journal: Journal) -> None:
        first = journal.texts.put("ada", "text/plain", b"hello")
        assert journal.texts.put("ada", "text/html", b"hello") == first
        assert journal.texts.media_type(first) == "text/plain"
        assert journal.texts.erase("ada") == 1

    def test_a_hash_that_nobody_kept_is_refused(self, journal: Journal) -> None:
        for ask in (journal.texts.get, journal.texts.media_type):
            with pytest.raises(InputError, match="digest"):
                ask("0" * 64)

    def test_an_erased_text_is_gone_and_its_hash_stays(self, journal: Journal) -> None:
        one, two = journal.texts.put("ada", "text/plain", b"one"), journal.texts.put("ada", "text/plain", b"two")
        other = journal.texts.put("bob", "text/plain", b"three")
        nobody = journal.texts.put(None, "text/plain", b"four")
        assert journal.texts.erase("ada") == 2
        assert journal.texts.get(one) == Erased(one)
        assert journal.texts.get(two) == Erased(two)
        assert journal.texts.media_type(one) == "text/plain"
        assert journal.texts.get(other) == b"three"
        assert journal.texts.get(nobody) == b"four"
        assert journal.texts.erase("ada") == 0
        assert journal.texts.erase("somebody unknown") == 0

    def test_the_same_text_of_two_subjects_goes_when_both_are_erased(self, journal: Journal) -> None:
        digest = journal.texts.put("ada", "text/plain", b"the same")
        assert journal.texts.put("bob", "text/plain", b"the same") == digest
        assert journal.texts.erase("ada") == 1
        assert journal.texts.get(digest) == b"the same"
        assert journal.texts.erase("bob") == 1
        assert journal.texts.get(digest) == Erased(digest)

    def test_a_text_can_be_kept_again_after_it_was_erased(self, journal: Journal) -> None:
        digest = journal.texts.put("ada", "text/plain", b"again")
        journal.texts.erase("ada")
        assert journal.texts.put("ada", "text/plain", b"again") == digest
        assert journal.texts.get(digest) == b"again"

    def test_a_closed_journal_keeps_no_texts(self, journal: Journal) -> None:
        texts = journal.texts
        journal.close()
        with pytest.raises(StoreUnavailable):
            texts.put("ada", "text/plain", b"late")
        with pytest.raises(StoreUnavailable):
            texts.erase("ada")
