"""Campaigns: kill the runner, start it again, until the market is done; then ask for the verdict."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import attrs

from tests.crash.judge import Judge, environment, runner_command

_RUN_S = 120.0


@attrs.frozen
class Outcome:
    """How a campaign went: kills that hit, starts that were made, exit code of the last run."""

    kills: int
    starts: int
    last_exit: int


def run_once(folder: Path, judge: Judge, failpoints: str = "") -> int:
    """Run until it ends by itself; returns the exit code, negative for the signal that ended it."""
    with (folder / "runner.log").open("a") as log:
        done = subprocess.run(
            runner_command(folder, judge),
            env=environment(TRADECORE_FAILPOINTS=failpoints),
            stdout=log,
            stderr=log,
            timeout=_RUN_S,
            check=False,
        )
    return done.returncode


def kill_at_failpoint(folder: Path, judge: Judge, failpoint: str, hits: tuple[int, ...]) -> Outcome:
    """Kill at the failpoint, once per entry of `hits` (counted from each start), then run to the end."""
    kills = starts = 0
    for hit in hits:
        starts += 1
        code = run_once(folder, judge, f"{failpoint}:{hit}:kill")
        if code != -signal.SIGKILL:
            return Outcome(kills, starts, code)
        kills += 1
    return Outcome(kills, starts + 1, run_once(folder, judge))


def kill_at_random(folder: Path, judge: Judge, kills: int, rng: random.Random, longest_s: float) -> Outcome:
    """Kill at random moments after the start, then run to the end."""
    hit = starts = 0
    while hit < kills and not judge.is_done():
        starts += 1
        with (folder / "runner.log").open("a") as log:
            process = subprocess.Popen(runner_command(folder, judge), env=environment(), stdout=log, stderr=log)
            try:
                process.wait(rng.uniform(0.3, longest_s))
            except subprocess.TimeoutExpired:
                process.kill()
            code = process.wait(_RUN_S)
        if code == -signal.SIGKILL:
            hit += 1
        elif code != 0:
            return Outcome(hit, starts, code)
    return Outcome(hit, starts + 1, run_once(folder, judge))
