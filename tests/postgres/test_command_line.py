"""The command line and the library's own verification work on a ledger in Postgres as on any other."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.postgres.server import PASSWORD
from tradecore.domain.events import SubjectErased
from tradecore.journal import open_journal
from tradecore.journal.side_store import hash_subject
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.verify import verify


def _tradecore(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tradecore.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_a_ledger_in_postgres_is_used_like_one_in_a_file(url: str) -> None:
    missing = _tradecore("orders", "--ledger", url)
    assert missing.returncode != 0
    assert "there is no ledger" in missing.stderr
    assert PASSWORD not in missing.stdout + missing.stderr
    journal = open_journal(url)
    Ledger(journal, SystemClock(), SystemIds())
    assert verify(journal).ok
    journal.close()
    for verb in ("events", "orders", "verify"):
        done = _tradecore(verb, "--ledger", url)
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr


def test_texts_are_erased_and_copies_made_and_brought_back_by_verbs(url: str, tmp_path: Path) -> None:
    with closing(open_journal(url)) as journal:
        Ledger(journal, SystemClock(), SystemIds())
        journal.texts.put("ada", "text/plain", b"her words")
    copy, back = str(tmp_path / "copy.db"), url + "_back"
    said = [
        _tradecore("erase", "ada", "--reason", "request 17", "--ledger", url),
        _tradecore("backup", copy, "--ledger", url, "--json"),
        _tradecore("restore", copy, "--to", back, "--json"),
        _tradecore("restore", copy, "--to", f"sqlite:///{tmp_path}/back.db"),
        _tradecore("verify", "--ledger", back),
        _tradecore("restore", copy, "--to", back),
    ]
    assert [each.returncode for each in said] == [0, 0, 0, 0, 0, 2], [each.stderr for each in said]
    assert said[0].stdout.startswith("1 texts are gone")
    assert not [each for each in said if PASSWORD in each.stdout + each.stderr]
    with closing(open_journal(back, create=False)) as journal:
        assert [item.event for item in journal.load(f"subject-{hash_subject('ada')}")] == [
            SubjectErased(hash_subject("ada"), 1, "request 17")
        ]
