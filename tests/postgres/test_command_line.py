"""The command line and the library's own verification work on a ledger in Postgres as on any other."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.postgres.server import PASSWORD
from tradecore.journal import open_journal
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
