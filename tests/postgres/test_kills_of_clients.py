"""A client that is killed or forked leaves what it promised, and harms nobody."""

from __future__ import annotations

import signal

import pytest

from tests.journal.children import Child, hear
from tradecore.journal import open_journal
from tradecore.testing.journal_samples import run

_APPEND_FOR_EVER = """
journal = open_journal(sys.argv[1])
version = len(journal.load("a"))
position = journal.views.cursor("view", "shape")
while True:
    version = journal.append(run("a", version + 1, version + 2))[-1].envelope.version
    tell(version)
    unseen = [event.envelope.position for event in journal.read(position)]
    journal.views.write("view", "shape", position, unseen[-1], {str(each): b"seen" for each in unseen})
    position = unseen[-1]
"""


@pytest.mark.parametrize(
    ("name", "events", "cursor"),
    [
        ("journal.append.before_commit", 4, 4),
        ("journal.append.after_commit", 6, 4),
        ("journal.view.before_commit", 6, 4),
        ("journal.view.after_commit", 6, 6),
    ],
)
def test_a_kill_at_each_failpoint_leaves_what_it_promises(
    url: str, child: Child, name: str, events: int, cursor: int
) -> None:
    process = child(_APPEND_FOR_EVER, url, failpoints=f"{name}:3:kill")
    assert process.wait() == -signal.SIGKILL
    journal = open_journal(url)
    assert (journal.head(), journal.views.cursor("view", "shape")) == (events, cursor)
    assert len(dict(journal.views.rows("view"))) == cursor
    journal.append(run("b", 1, 1))
    journal.check()
    journal.close()


def test_a_forked_child_is_refused_and_harms_nobody(url: str, child: Child) -> None:
    process = child(
        """
from tradecore.errors import StoreUnavailable
journal = open_journal(sys.argv[1])
journal.append(run("a", 1, 1))
journal.read(0)
if os.fork() == 0:
    for use in (journal.head, lambda: journal.append(run("b", 1, 1))):
        try:
            use()
        except StoreUnavailable as error:
            tell("forked" in str(error))
    journal.close()
    os._exit(0)
os.wait()
journal.append(run("a", 2, 2))
tell(journal.head())
""",
        url,
    )
    assert [hear(process) for _ in range(3)] == ["True", "True", "2"]
