"""Many callers who append one event each, through group commit: threads, tasks, and several processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from journal_append import made, new_stream

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal import GroupCommit, open_journal

CALLERS = 64
_APPENDS = 100
_PER_STREAM = 10

_HERE = str(Path(__file__).parent)
Work = list[list[Recorded[Event]]]


def works(callers: int = CALLERS, appends: int = _APPENDS) -> list[Work]:
    """For each caller its appends: ten events per stream, as an order has."""
    rounds = [[new_stream() for _ in range(callers)] for _ in range(appends // _PER_STREAM)]
    return [
        [[made(streams[caller], version)] for streams in rounds for version in range(1, _PER_STREAM + 1)]
        for caller in range(callers)
    ]


def from_threads(grouped: GroupCommit) -> float:
    """Events per second of 64 threads."""
    todo, start = works(), threading.Barrier(CALLERS + 1)

    def caller(work: Work) -> None:
        start.wait()
        for events in work:
            grouped.append(events)

    threads = [threading.Thread(target=caller, args=(work,)) for work in todo]
    for thread in threads:
        thread.start()
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return CALLERS * _APPENDS / (time.perf_counter() - begun)


def from_tasks(grouped: GroupCommit) -> float:
    """Events per second of 64 tasks on one event loop."""
    todo = works()

    async def caller(work: Work) -> None:
        for events in work:
            await grouped.append_soon(events)

    async def scene() -> float:
        begun = time.perf_counter()
        await asyncio.gather(*map(caller, todo))
        return CALLERS * _APPENDS / (time.perf_counter() - begun)

    return asyncio.run(scene())


_PROCESS = """
import sys, time
sys.path.insert(0, sys.argv[1])
from appenders import works
from tradecore.journal import open_journal
journal = open_journal(sys.argv[2], patience_s=60)
todo = works(1, 500)[0]
journal.head()
print("ready", flush=True)
sys.stdin.readline()
for events in todo:
    journal.append(events)
print("done", flush=True)
"""


def from_processes(command: Callable[[], list[str]], count: int, appends: int = 500) -> float:
    """Events per second in all, of processes that say a line, wait for one, append, and say another."""
    started: list[subprocess.Popen[str]] = []
    for _ in range(count):  # one after the other: the stock library alters its table at each start
        process = subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begun = time.perf_counter()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
    took = time.perf_counter() - begun
    for process in started:
        process.communicate()
    return count * appends / took


def our_process(url: str) -> list[str]:
    """The command of a process that appends 500 events, one per commit."""
    return [sys.executable, "-c", _PROCESS, _HERE, url]


def grouped_lines(url: str, rounds: int, single: Callable[[], float]) -> list[list[str]]:
    """Rows of a table: threads and tasks through group commit, against `single`, the raw commits per second."""
    from machine import in_turn

    grouped = GroupCommit(open_journal(url))
    raw, threads, tasks = in_turn(rounds, single, lambda: from_threads(grouped), lambda: from_tasks(grouped))
    grouped.close()
    return [
        ["64 callers, one event each", "events/s", "times a single raw commit"],
        ["a single raw durable commit after the other", f"{raw:,.0f}", "1"],
        ["64 threads, group commit", f"{threads:,.0f}", f"{threads / raw:.1f}"],
        ["64 tasks, group commit", f"{tasks:,.0f}", f"{tasks / raw:.1f}"],
    ]
