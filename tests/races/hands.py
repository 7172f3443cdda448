"""Puts several hands to work at once: processes on a ledger that has a URL, threads on one that is in memory.

`python -m tests.races.hands ROLE URL NUMBER WORDS` is one hand: it says `"met"` and waits for a line to go on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from tests.races.roles import ROLES
from tradecore.journal import Journal, open_journal

Part = tuple[str, list[Any]]
"""A role, and the words that it is given."""

_ROOT = Path(__file__).parents[2]


@attrs.frozen
class Store:
    """A ledger to race on; in memory all hands share `journal`, else each opens `url`."""

    url: str
    journal: Journal

    def work(self, parts: Sequence[Part]) -> list[Any]:
        """Let every part begin at the same moment; what each returned, in order."""
        return _in_threads(self.journal, parts) if self.url == "memory:" else _in_processes(self.url, parts)


@contextmanager
def _eager_threads() -> Iterator[None]:
    """Let threads take turns so often that they get in each other's way."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _in_threads(journal: Journal, parts: Sequence[Part]) -> list[Any]:
    barrier = threading.Barrier(len(parts))

    def hand(numbered: tuple[int, Part]) -> Any:
        number, (role, words) = numbered
        return ROLES[role](journal, number, lambda: barrier.wait(60), *words)

    with _eager_threads(), ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(hand, enumerate(parts)))


def _in_processes(url: str, parts: Sequence[Part]) -> list[Any]:
    hands = [_start(role, url, number, words) for number, (role, words) in enumerate(parts)]
    results: dict[int, Any] = {}
    try:
        while len(results) < len(hands):
            met = []
            for number, hand in enumerate(hands):
                if number not in results:
                    assert hand.stdout is not None
                    said = json.loads(hand.stdout.readline())
                    if said == "met":
                        met.append(hand)
                    else:
                        results[number] = said
            for hand in met:
                assert hand.stdin is not None
                hand.stdin.write("on\n")
                hand.stdin.flush()
    finally:
        for hand in hands:
            hand.kill()
            hand.communicate()
    return [results[number] for number in range(len(hands))]


def _start(role: str, url: str, number: int, words: list[Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.races.hands", role, url, str(number), json.dumps(words)]
    return subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _meet() -> None:
    print(json.dumps("met"), flush=True)
    sys.stdin.readline()


def main() -> None:
    """One hand."""
    role, url, number, words = sys.argv[1:]
    journal = open_journal(url, patience_s=60)
    result = ROLES[role](journal, int(number), _meet, *json.loads(words))
    print(json.dumps(result), flush=True)
    journal.close()


if __name__ == "__main__":
    main()
