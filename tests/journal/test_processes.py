"""Several processes on one ledger: they take turns, skip nothing, notice each other, and may be killed anywhere."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess

import pytest

from tests.journal.children import Child, hear, say
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreUnavailable
from tradecore.journal import Journal, open_journal
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run

_APPEND_TOGETHER = """
from tradecore.errors import WrongVersion
name, rounds = sys.argv[2], int(sys.argv[3])
journal = open_journal(sys.argv[1])
tell("ready")
told()
won = lost = 0
while won < rounds:
    version = len(journal.load("shared"))
    try:
        journal.append([recorded("shared", version + 1), *run(f"{name}-{won}", 1, 2)])
        won += 1
    except WrongVersion:
        lost += 1
tell(lost)
"""

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


def _drain(journal: Journal, after: int, seen: list[Recorded[Event]]) -> int:
    while page := journal.read(after, 7):
        seen.extend(page)
        after = page[-1].envelope.position
    return after


def test_two_writers_clash_properly_and_a_reader_never_skips(journal: SqliteJournal, url: str, child: Child) -> None:
    rounds = 60
    writers = [child(_APPEND_TOGETHER, url, name, str(rounds)) for name in ("x", "y")]
    for writer in writers:
        assert hear(writer) == "ready"
    for writer in writers:
        say(writer)
    seen: list[Recorded[Event]] = []
    after = 0
    while any(writer.poll() is None for writer in writers):
        after = _drain(journal, after, seen)
    _drain(journal, after, seen)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [item.envelope.position for item in seen] == list(range(1, 2 * rounds * 3 + 1))
    shared = [item.envelope.version for item in seen if item.envelope.stream == "shared"]
    assert shared == list(range(1, 2 * rounds + 1))
    journal.check()


def test_the_same_ledger_created_by_many_at_once_is_one(url: str, child: Child) -> None:
    script = "journal = open_journal(sys.argv[1]); journal.append(run(sys.argv[2], 1, 1)); tell('done')"
    for process in [child(script, url, str(number)) for number in range(5)]:
        assert hear(process) == "done"
    journal = open_journal(url, create=False)
    assert journal.head() == 5
    journal.close()


def test_kill_9_loses_nothing_acknowledged_and_leaves_nothing_half_done(url: str, child: Child) -> None:
    chance = random.Random(20_260_203)
    acknowledged = 0
    open_journal(url).close()
    for _ in range(20):
        process = child(_APPEND_FOR_EVER, url)
        for _ in range(chance.randint(1, 40)):
            acknowledged = int(hear(process))
        process.send_signal(signal.SIGKILL)
        assert process.stdout is not None
        rest = process.stdout.read()  # not `communicate`, which passes over what was read ahead
        acknowledged = max([acknowledged, *map(int, rest.split("\n")[:-1])])
        process.communicate()
        journal = open_journal(url, create=False)
        journal.check()
        assert journal.head() in {acknowledged, acknowledged + 2}
        assert len(dict(journal.views.rows("view"))) == journal.views.cursor("view", "shape")
        acknowledged = journal.head()
        journal.close()


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


def test_another_process_in_the_middle_of_a_write_is_waited_for(journal: SqliteJournal, url: str, child: Child) -> None:
    process = child(_APPEND_FOR_EVER, url, failpoints="journal.append.before_commit:2:stop")
    assert hear(process) == "2"
    _until_stopped(process)
    hasty = open_journal(url, patience_s=0.02)
    with pytest.raises(StoreUnavailable, match="locked by another process"):
        hasty.append(run("b", 1, 1))
    assert len(hasty.read(0)) == 2
    process.kill()
    process.wait()
    hasty.append(run("b", 1, 1))
    hasty.close()
    journal.check()


def _until_stopped(process: subprocess.Popen[str]) -> None:
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def test_waiting_notices_another_process(journal: SqliteJournal, url: str, child: Child) -> None:
    process = child("journal = open_journal(sys.argv[1]); tell('ready'); told(); journal.append(run('a', 1, 1))", url)
    assert hear(process) == "ready"

    async def scene() -> bool:
        waiter = asyncio.create_task(journal.wait(0, 60))
        await asyncio.sleep(0)
        say(process)
        return await asyncio.wait_for(waiter, 20)

    assert asyncio.run(scene())
    assert journal.head() == 1


def test_an_append_of_this_process_wakes_without_the_net(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradecore.journal.sqlite.journal._NET_S", 60)
    journal = open_journal(url)

    async def scene() -> bool:
        waiter = asyncio.create_task(journal.wait(0, 60))
        await asyncio.sleep(0)
        journal.append(run("a", 1, 1))
        return await asyncio.wait_for(waiter, 20)

    assert asyncio.run(scene())
    journal.close()
