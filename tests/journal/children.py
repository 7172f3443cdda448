"""Other processes that work on the ledger of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

Child = Callable[..., "subprocess.Popen[str]"]
"""Starts a script with its arguments; talk to it line by line by its `tell` and `told`."""

_PREAMBLE = """
import os, sys
from tradecore.journal import open_journal, open_lease
from tradecore.testing.journal_samples import recorded, run

def tell(text):
    os.write(1, f"{text}\\n".encode())

def told():
    return sys.stdin.readline()
"""


def start(script: str, *arguments: str, failpoints: str = "") -> subprocess.Popen[str]:
    """Start a script; `failpoints` arms them as in `tradecore.failpoints`."""
    return subprocess.Popen(
        [sys.executable, "-c", _PREAMBLE + script, *arguments],
        env={**os.environ, "TRADECORE_FAILPOINTS": failpoints},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def hear(process: subprocess.Popen[str]) -> str:
    """The next line that the process tells."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def say(process: subprocess.Popen[str], text: str = "") -> None:
    """What the process is told next."""
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()
