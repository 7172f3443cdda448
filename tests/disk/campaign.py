"""The long campaign: `python -m tests.disk.campaign --points 2000` fails calls by strace, then damages files."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.disk.damage import cuts, flips, opened_with, remains
from tests.disk.faults import Fault, can_inject, every_fault, strike, wrongs
from tests.power.judging import Verdict


def main() -> int:
    """Run it; prints every wrong at once, and a line per part."""
    parser = argparse.ArgumentParser(prog="python -m tests.disk.campaign")
    parser.add_argument("--points", type=int, default=2000, help="faults by strace")
    parser.add_argument("--flips", type=int, default=2000, help="flipped bits, in the file and as many in the log")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        found = _fail_calls(folder, arguments.points, arguments.seed) if arguments.points else 0
        if arguments.flips:
            _damage(folder, arguments.flips, arguments.seed)
    return 1 if found else 0


def _fail_calls(folder: Path, points: int, seed: int) -> int:
    if not can_inject():
        sys.exit("needs strace, and the right to trace (ptrace)")
    started = time.monotonic()
    struck: Counter[str] = Counter()
    found = 0
    while struck.total() < points:
        steps = 12 + seed % 20
        faults = _faults(folder, seed, steps, points - struck.total())
        for fault in faults:
            work = folder / "work"
            work.mkdir()
            story = strike(fault, work, seed, steps)
            struck[f"{fault.call} {fault.errno}"] += story.struck is not None
            for wrong in wrongs(fault, story, work):
                found += 1
                print(f"seed {seed}, {steps} steps: {wrong}", flush=True)
            shutil.rmtree(work)
        seed += 1
    took = time.monotonic() - started
    print(f"{struck.total()} faults struck, {found} wrongs, {took:.0f} s: {dict(struck)}", flush=True)
    return found


def _faults(folder: Path, seed: int, steps: int, most: int) -> list[Fault]:
    work = folder / "work"
    work.mkdir()
    faults = list(every_fault(strike(None, work, seed, steps).calls))
    shutil.rmtree(work)
    # A third of a session's calls, so that several sessions have their turn.
    return random.Random(seed).sample(faults, min(most, len(faults) // 3))


def _damage(folder: Path, count: int, seed: int) -> None:
    (folder / "session").mkdir()
    (folder / "opened").mkdir()
    left = remains(folder / "session", seed, 25)
    chance = random.Random(seed)
    opened = folder / "opened"
    for what, ledgers, logs, head in (
        ("bits flipped in the file", flips(left.ledger, chance, count), None, left.head),
        ("bits flipped in the log", None, flips(left.log, chance, count), left.head),
        ("bits flipped in the log, no head file", None, flips(left.log, chance, count), None),
        ("the log cut short", None, cuts(left.log, 331), left.head),
        ("the file cut short", cuts(left.ledger, 331), None, left.head),
    ):
        verdicts = Counter(_verdict(opened_with(left, each, left.log, opened, head)) for each in ledgers or ())
        verdicts += Counter(_verdict(opened_with(left, left.ledger, each, opened, head)) for each in logs or ())
        print(f"{what}: " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()), flush=True)


def _verdict(found: tuple[Verdict, str]) -> str:
    verdict, reason = found
    return "behind in a view, which is folded again" if reason.startswith("the view stands") else verdict.value


if __name__ == "__main__":
    sys.exit(main())
