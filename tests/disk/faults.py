"""Makes chosen system calls of an appender fail, by strace, and tells the story of what followed."""

from __future__ import annotations

import functools
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.power.judging import Promises, Verdict, judge_folder

SYNCS = ("fdatasync", "fsync")
TRACED = (*SYNCS, "pwrite64", "ftruncate", "rename", "unlink", "flock")
"""System calls that only the ledger's work makes in an appender, so that they can be counted."""

ROOT = Path(__file__).parents[2]
"""Where `tests` is a package that a child can run from."""

_STRUCK = re.compile(r'(?:\d<([^>]*)>|"([^"]*)").*\(INJECTED\)')


@attrs.frozen
class Fault:
    """The `hit`-th call (from 1), and every later one if the fault stays, fails with an errno."""

    call: str
    errno: str
    hit: int
    stays: bool = False

    def __str__(self) -> str:
        return f"{self.call} {self.hit}{'+' if self.stays else ''} {self.errno}"

    @property
    def injection(self) -> str:
        """As strace understands it."""
        return f"inject={self.call}:error={self.errno}:when={self.hit}{'+' if self.stays else ''}"


@attrs.define
class Story:
    """What an appender said, which file was struck, and how many acknowledgements followed before it opened again."""

    said: list[tuple[str, Any]]
    acknowledged_after: int
    struck: str | None
    calls: dict[str, int]

    @property
    def promises(self) -> Promises:
        """What was promised in it."""
        promises = Promises()
        for item in self.said:
            promises.hear(json.dumps(item))
        return promises

    def kinds(self) -> list[str]:
        """The kinds of what was said."""
        return [kind for kind, _ in self.said]


@functools.cache
def can_inject() -> bool:
    """Whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    probe = ["strace", "-f", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO:when=9", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def appender(folder: Path, seed: int, steps: int, limit: int = 0) -> list[str]:
    """The command that starts an appender."""
    return [sys.executable, "-m", "tests.disk.appender", *(str(word) for word in (folder, seed, steps, limit))]


def told(output: str) -> list[tuple[str, Any]]:
    """What an appender said."""
    return [(kind, what) for kind, what in map(json.loads, output.splitlines())]


def strike(fault: Fault | None, folder: Path, seed: int, steps: int) -> Story:
    """Run an appender with a fault."""
    log = folder.parent / f"{folder.name}.strace"
    command = ["strace", "-f", "-y", "-s", "24", "-o", str(log), "-e", f"trace=write,{','.join(TRACED)}"]
    command += ["-e", fault.injection] if fault else []
    command += appender(folder, seed, steps)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == "", f"an appender prints nothing of its own: {done.stderr}"
    lines = log.read_text(errors="replace").splitlines()
    struck = next((found for line in lines if (found := _STRUCK.search(line))), None)
    return Story(
        said=told(done.stdout),
        acknowledged_after=_acknowledged_after(lines),
        struck=Path(struck[1] or struck[2]).name if struck else None,
        calls={call: sum(f" {call}(" in line for line in lines) for call in TRACED},
    )


def _acknowledged_after(lines: list[str]) -> int:
    after = itertools.dropwhile(lambda line: "(INJECTED)" not in line, lines)
    before_opened = itertools.takewhile(lambda line: '"[\\"opened' not in line, after)
    return sum('"[\\"acknowledged' in line for line in before_opened)


def wrongs(fault: Fault, story: Story, folder: Path) -> Iterator[str]:
    """What should not have happened in a story, or with the files that it left."""
    for kind, what in story.said:
        if kind == "raw":
            yield f"{fault}: {what}"
        if kind in ("failed", "refused") and ("\n" in what[1] or not what[1]):
            yield f"{fault}: not one line: {what[1]!r}"
    if fault.call in SYNCS and story.struck in ("ledger.db", "ledger.db-wal") and story.acknowledged_after > 1:
        # One may follow: an append is safe in the log before the checkpoint behind it fails.
        yield f"{fault}: {story.acknowledged_after} acknowledgements after a failed sync"
    verdict, reason = judge_folder(folder, story.promises)
    if verdict is not Verdict.SOUND:
        yield f"{fault}: {verdict.value} after a restart: {reason}"


def every_fault(calls: dict[str, int]) -> Iterator[Fault]:
    """Each counted call, with each errno that fits it, once and from then on."""
    errnos = {
        "fdatasync": ("EIO", "ENOSPC"),
        "fsync": ("EIO",),
        "pwrite64": ("EIO", "ENOSPC"),
        "ftruncate": ("EIO",),
        "rename": ("EIO",),
        "unlink": ("EACCES",),
        "flock": ("ENOLCK",),
    }
    for call, count in calls.items():
        for errno in errnos[call]:
            for hit in range(1, count + 1):
                yield Fault(call, errno, hit)
                yield Fault(call, errno, hit, stays=True)
