"""A rebuild swaps each view in whole, or not at all."""

from __future__ import annotations

import itertools
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.desk import Desk
from tests.views.folded import stored
from tests.views.vandal import Vandal
from tradecore import failpoints
from tradecore.journal import Journal, open_journal
from tradecore.views import ALL_VIEWS
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector

BUILDING = 2
"""Commits of a rebuild before it swaps the first view in: it begins, and folds all events in one batch."""

REBUILD = "import sys; from tradecore.cli import main; sys.exit(main(['rebuild', '--ledger', sys.argv[1]]))"


@pytest.fixture
def url(vandal: Vandal) -> str:
    return f"sqlite:///{vandal.path}"


def spoil(journal: Journal) -> None:
    for view in ALL_VIEWS:
        journal.views.replace(view.name, view.shape, journal.head(), {"old": b'{"old":true}'})


@pytest.mark.parametrize("hit", range(1, BUILDING + len(ALL_VIEWS) + 1))
def test_an_error_in_the_middle_leaves_every_view_old_or_new(
    url: str, monkeypatch: pytest.MonkeyPatch, hit: int
) -> None:
    with closing(open_journal(url)) as journal:
        Projector(journal, ALL_VIEWS).catch_up()
        right = stored(journal)
        spoil(journal)
        old = stored(journal)
        monkeypatch.setattr(failpoints, "_armed", {"journal.view.before_commit": [(hit, "raise")]})
        monkeypatch.setattr(failpoints, "_hits", {})
        with pytest.raises(failpoints.FailpointRaised):
            Projector(journal, ALL_VIEWS).rebuild()
        for number, view in enumerate(ALL_VIEWS, 1):
            assert stored(journal)[view.name] == (right if number < hit - BUILDING else old)[view.name]


@pytest.mark.parametrize(
    ("point", "hit"), [("before_commit", 1), ("before_commit", 2), ("before_commit", 6), ("after_commit", 6)]
)
def test_a_killed_rebuild_leaves_every_view_old_or_new_and_can_be_repeated(url: str, point: str, hit: int) -> None:
    with closing(open_journal(url)) as journal:
        Projector(journal, ALL_VIEWS).catch_up()
        right = stored(journal)
        spoil(journal)
        old = stored(journal)
    environment = {"TRADECORE_FAILPOINTS": f"journal.view.{point}:{hit}:kill", "PYTHONPATH": ":".join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", REBUILD, url], env=environment, check=False, capture_output=True)
    assert killed.returncode == -9
    swapped = (hit if point == "after_commit" else hit - 1) - BUILDING
    with closing(open_journal(url)) as journal:
        for number, view in enumerate(ALL_VIEWS, 1):
            assert stored(journal)[view.name] == (right if number <= swapped else old)[view.name]
        Projector(journal, ALL_VIEWS).rebuild()
        assert stored(journal) == right


def test_what_a_killed_rebuild_leaves_behind_is_removed_by_the_next(url: str, vandal: Vandal) -> None:
    environment = {"TRADECORE_FAILPOINTS": "journal.view.after_commit:4:kill", "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", REBUILD, url], env=environment, check=False, capture_output=True)
    assert len(vandal.read("SELECT view FROM tradecore_views WHERE view LIKE '% (building)'")) > 0
    assert len(vandal.read("SELECT DISTINCT slot FROM tradecore_view_rows")) > len(ALL_VIEWS)
    with closing(open_journal(url)) as journal:
        Projector(journal, kept_views(journal)).rebuild(batch=5)
        right = stored(journal)
        filled = sum(1 for view in kept_views(journal) if list(journal.views.rows(view.name)))
    assert len(vandal.read("SELECT DISTINCT slot FROM tradecore_view_rows")) == filled
    with closing(open_journal(url)) as journal:
        Projector(journal, ALL_VIEWS).rebuild()
        assert stored(journal) == right


def test_a_follower_takes_up_the_rows_of_a_rebuild(url: str) -> None:
    with closing(open_journal(url)) as journal:
        follower = Projector(journal, ALL_VIEWS)
        follower.catch_up()
        before = [journal.views.edition(view.name) for view in ALL_VIEWS]
        Projector(journal, ALL_VIEWS).rebuild()
        assert all(journal.views.edition(view.name) not in before for view in ALL_VIEWS)
        desk = Desk.over(journal)
        desk.ids._next = itertools.count(10_000)
        desk.done("buy", "1", "50")
        assert follower.catch_up() == journal.head()
        caught_up = stored(journal)
        Projector(journal, ALL_VIEWS).rebuild()
        assert stored(journal) == caught_up


def test_a_log_that_cannot_be_read_leaves_every_view_old(vandal: Vandal, url: str) -> None:
    with closing(open_journal(url)) as journal:
        spoil(journal)
        old = stored(journal)
    vandal.run("UPDATE events SET state = 'nonsense' WHERE position = 20")
    killed = subprocess.run(
        [sys.executable, "-c", REBUILD, url], env={"PYTHONPATH": ":".join(sys.path)}, check=False, capture_output=True
    )
    assert killed.returncode == 1
    assert b"position 20" in killed.stderr
    with closing(open_journal(url)) as journal:
        assert stored(journal) == old


def test_events_that_come_during_a_rebuild_are_folded_behind_it(url: str, tmp_path: Path) -> None:
    """The swapped view stands where the rebuild ended; the next catching up goes on from there."""
    with closing(open_journal(url)) as journal:
        ahead = Projector(journal, ALL_VIEWS)
        ahead.catch_up()
        right = stored(journal)
        shorter = journal.head() - 5
        for view in ALL_VIEWS:
            from tradecore.views.time_travel import rows_as_of

            journal.views.replace(view.name, view.shape, shorter, rows_as_of(journal, view, shorter))
        assert Projector(journal, ALL_VIEWS).catch_up() == journal.head()
        assert stored(journal) == right
