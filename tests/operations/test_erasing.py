"""Erased is gone from every byte of the ledger's files, and the ledger still verifies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.views.vandal import trade_for_an_hour
from tradecore.domain.events import SubjectErased
from tradecore.errors import StoreUnavailable
from tradecore.journal import Journal, open_journal, open_lease
from tradecore.journal.side_store import hash_subject
from tradecore.testing.journal_samples import run


@pytest.fixture(params=["plain", "sealed"])
def kept(request: pytest.FixtureRequest, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """A ledger in a file, without and with encryption."""
    if request.param == "plain":
        monkeypatch.setattr("tradecore.journal.sqlite.texts.can_seal", lambda: False)
    else:
        pytest.importorskip("cryptography")
    with closing(open_journal(url)) as journal:
        yield journal


def files_with(folder: Path, content: bytes) -> list[str]:
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and content in path.read_bytes()]


def test_erased_texts_are_in_no_byte_of_any_file(kept: Journal, tmp_path: Path) -> None:
    version = 0
    for number in range(300):  # small and large ones, in between others, so that pages split and rows move
        mark = b"ADA-%04d-" % number
        kept.texts.put("ada", "text/plain", mark * (1 + number * 7 % 900))
        kept.texts.put("bob", "text/plain", b"BOB-%04d-" % number * (1 + number * 11 % 700))
        kept.append(run("a", version + 1, version + 3))
        version += 3
    mine = kept.texts.put("ada", "text/plain", b"of both of us")
    kept.texts.put("bob", "text/plain", b"of both of us")
    assert bool(files_with(tmp_path, b"ADA-")) == bool(files_with(tmp_path, b"BOB-"))
    assert kept.texts.erase("ada") == 301
    assert files_with(tmp_path, b"ADA-") == []
    assert kept.texts.get(mine) == b"of both of us"
    assert kept.head() == version
    kept.check()
    kept.append(run("a", version + 1, version + 1))


def test_plain_texts_are_really_looked_for(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is not blind: a plain text is found before it is erased."""
    monkeypatch.setattr("tradecore.journal.sqlite.texts.can_seal", lambda: False)
    with closing(open_journal(url)) as journal:
        journal.texts.put("ada", "text/plain", b"ADA-0001")
        assert files_with(tmp_path, b"ADA-0001")


def test_a_reader_that_keeps_traces_is_an_error_and_erasing_again_ends_it(
    kept: Journal, path: Path, tmp_path: Path, url: str
) -> None:
    kept.texts.put("ada", "text/plain", b"ADA-0001")
    kept.close()
    with closing(open_journal(url, patience_s=0.1)) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()
            with pytest.raises(StoreUnavailable, match="erase again"):
                journal.texts.erase("ada")
        journal.append(run("a", 1, 1))
        assert journal.texts.erase("ada") == 0
        assert files_with(tmp_path, b"ADA-") == []


def test_the_verb_erases_records_it_without_the_name_and_verify_stays_green(terminal: Terminal, tmp_path: Path) -> None:
    terminal.trade(trade_for_an_hour)
    with closing(open_journal(f"sqlite:///{terminal.path}")) as journal:
        digest = journal.texts.put("ada lovelace", "text/plain", b"her own words")
    (said,) = terminal.json("erase", "ada lovelace", "--reason", "request 17")
    assert said == {"subject_hash": hash_subject("ada lovelace"), "texts": 1}
    assert terminal.run("verify").code == 0
    assert terminal.run("check").code == 0
    with closing(open_journal(f"sqlite:///{terminal.path}")) as journal:
        (event,) = [item.event for item in journal.load(f"subject-{hash_subject('ada lovelace')}")]
        assert event == SubjectErased(hash_subject("ada lovelace"), 1, "request 17")
        assert journal.texts.get(digest) != b"her own words"
    assert files_with(tmp_path, b"lovelace") == files_with(tmp_path, b"her own words") == []
    assert terminal.run("erase", "ada lovelace", "--reason", "request 17").code == 0


def test_the_verb_waits_for_nobody_who_works_on_the_ledger(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    lease = open_lease(f"sqlite:///{terminal.path}")
    lease.acquire("a runner")
    for words in (("erase", "ada"), ("new-epoch",)):
        said = terminal.run(*words, "--reason", "x")
        assert (said.code, said.out) == (1, "")
        assert "a runner" in said.err
    lease.release()
