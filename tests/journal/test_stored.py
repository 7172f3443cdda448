"""What a process just appended is at hand for whoever follows, and hides nothing that others appended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.follower import Follower
from tradecore.journal import open_journal
from tradecore.testing.journal_samples import run


def test_a_follower_misses_nothing_that_another_process_appended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ours, theirs = open_journal(url), open_journal(url)
    heard: list[Recorded[Event]] = []
    follower = Follower(ours)
    follower.listen(heard.extend)
    for number in range(40):
        ours.append(run(f"ours{number}", 1, 2))
        if number % 3 == 0:
            theirs.append(run(f"theirs{number}", 1, 3))
        if number % 7 == 0:
            follower.catch_up()
    follower.catch_up()
    assert tuple(heard) == ours.read(0)
    assert theirs.fresh(0) == ()
    ours.close()
    theirs.close()


def test_what_is_far_behind_is_read(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/ledger.db")
    for number in range(30):
        journal.append(run(f"stream{number}", 1, 1))
    journal.append(run("long", 1, 1001))
    assert journal.fresh(0) == journal.fresh(30) == ()
    assert len(journal.read(0, 2000)) == 1031
    journal.close()


def test_what_failed_to_be_appended_is_not_fresh() -> None:
    journal = open_journal("memory:")
    journal.append(run("a", 1, 2))
    with pytest.raises(WrongVersion):
        journal.append(run("a", 1, 2))
    assert [item.envelope.position for item in journal.fresh(0)] == [1, 2]
    journal.close()
