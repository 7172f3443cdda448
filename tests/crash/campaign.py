"""Campaigns: kill the runner, start it again, until the market is done; then ask for the verdict."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import attrs

from tests.crash.judge import Judge, environment, runner_command

_RUN_S = 120.0
_STOPPED_S = 0.5
_INTERRUPTED = 130
ACTIONS = ("kill", "term", "int", "stop")
"""What is done to a runner at a failpoint."""
EXITS = {"TRADECORE_EXITS__STOP_LOSS": "0.0005", "TRADECORE_EXITS__MAX_HOLDING_S": "600"}
"""Settings with which trades are left by sagas."""
_ENDS = {
    "kill": (-signal.SIGKILL,),
    "term": (0, -signal.SIGTERM),  # the signal itself where it comes before the runner listens
    "int": (0, -signal.SIGINT, _INTERRUPTED),
}


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
            env=environment(**judge.told, TRADECORE_FAILPOINTS=failpoints),
            stdout=log,
            stderr=log,
            timeout=_RUN_S,
            check=False,
        )
    return done.returncode


def kill_at_failpoint(
    folder: Path, judge: Judge, failpoint: str, hits: tuple[int, ...], action: str = "kill"
) -> Outcome:
    """Strike at the failpoint, once per entry of `hits` (counted from each start), then run to the end."""
    if action == "stop":  # it goes on by itself, so that one run has all of them
        code, stops = _run_struck(folder, judge, ",".join(f"{failpoint}:{hit}:stop" for hit in hits))
        return Outcome(stops, 1, code)
    kills = starts = 0
    for hit in hits:
        starts += 1
        code, _ = _run_struck(folder, judge, f"{failpoint}:{hit}:{action}")
        if code not in _ENDS[action]:
            return Outcome(kills, starts, code)
        if action != "kill" and judge.is_done():
            break
        kills += 1
    return Outcome(kills, starts + 1, run_once(folder, judge))


def _run_struck(folder: Path, judge: Judge, failpoints: str) -> tuple[int, int]:
    """Run until it ends, and how often it was stopped: it goes on a moment later."""
    with (folder / "runner.log").open("a") as log:
        process = subprocess.Popen(
            runner_command(folder, judge),
            env=environment(**judge.told, TRADECORE_FAILPOINTS=failpoints),
            stdout=log,
            stderr=log,
        )
    give_up, stops = time.monotonic() + _RUN_S, 0
    while time.monotonic() < give_up:
        ended, status = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)
        if ended and os.WIFSTOPPED(status):
            stops += 1
            time.sleep(_STOPPED_S)
            os.kill(process.pid, signal.SIGCONT)
        elif ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, stops
        else:
            time.sleep(0.02)
    process.kill()
    process.wait()
    raise TimeoutError(f"a runner that was struck at {failpoints} did not end within {_RUN_S:g} s")


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
