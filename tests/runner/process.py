"""Start `python -m tradecore.runner` in a folder, and read what it left there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from tests.crash.judge import environment
from tradecore.journal import Journal, open_journal
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector
from tradecore.views.view import Row

LEDGER = "tradecore.db"
KEYS = {"APCA_API_KEY_ID": "exchange-key", "APCA_API_SECRET_KEY": "exchange-secret"}
QUICK = 'parameters = { fast = 2, slow = 5, quantity = "10" }'
_RUN_S = 60.0
PATIENCE_S = 60.0
_ROOT = Path(__file__).parents[2]


@attrs.frozen
class Done:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error, without its first word."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: "), self.err
        return lines[0].removeprefix("error: ")


def run(folder: Path, *arguments: str, **env: str) -> Done:
    """Run a runner in the folder until it ends by itself."""
    return finish(start(folder, *arguments, **env))


def start(folder: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    """Start a runner in the folder."""
    return _start(folder, "tradecore.runner", *arguments, **env)


def tradecore(folder: Path, *arguments: str) -> Done:
    """Run the `tradecore` command in the folder."""
    return finish(_start(folder, "tradecore.cli", *arguments))


def finish(process: subprocess.Popen[str], timeout_s: float = _RUN_S) -> Done:
    """Wait for the end."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end within {timeout_s} s; it said: {err}") from None
    return Done(process.returncode, out, err)


def stop(process: subprocess.Popen[str], number: signal.Signals, within_s: float = 30.0) -> Done:
    """Tell it to stop, and see it end in time."""
    process.send_signal(number)
    return finish(process, within_s)


@contextmanager
def running(folder: Path, *arguments: str, ledger: str = LEDGER, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A runner that has begun; killed at the end when it still runs."""
    before = starts(folder, ledger)
    process = start(folder, *arguments, **env)
    try:
        until(lambda: starts(folder, ledger) > before or process.poll() is not None, "the start of the runner")
        assert process.poll() is None, finish(process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            finish(process)


def until(is_true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for something that another process does."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < patience_s, f"waited {patience_s} s in vain for {what}"
        time.sleep(0.02)


# --- what is in the folder ----------------------------------------------------------------------------------------


def write(folder: Path, name: str, text: str) -> str:
    """Write a file there; returns its name."""
    (folder / name).write_text(text, encoding="utf-8")
    return name


def names(folder: Path) -> set[str]:
    """The names of the files there."""
    return {path.name for path in folder.iterdir()}


@contextmanager
def journal(folder: Path, name: str = LEDGER) -> Iterator[Journal]:
    """The ledger there, with its views at the head."""
    with closing(open_journal(f"sqlite:///{folder / name}", create=False)) as opened:
        Projector(opened, ALL_VIEWS).catch_up()
        yield opened


def rows(folder: Path, view: str, name: str = LEDGER) -> list[Row]:
    """The rows of a view; none where there is no ledger yet."""
    if not (folder / name).exists():
        return []
    with journal(folder, name) as opened:
        return read_rows(opened, view)


def orders(folder: Path) -> list[tuple[str, ...]]:
    """Symbol, side, quantity, status of every order, in the order in which they were decided."""
    listed = sorted(rows(folder, "orders"), key=lambda row: (row["created_at"], row["symbol"]))
    return [(row["symbol"], row["side"], row["qty"], row["status"]) for row in listed]


def fills(folder: Path) -> list[tuple[str, ...]]:
    """Symbol, side, quantity, price and time of every fill, by time at the exchange."""
    listed = sorted(rows(folder, "fills"), key=lambda row: (row["occurred_at"], row["symbol"]))
    return [(row["symbol"], row["side"], row["qty"], row["price"], row["occurred_at"]) for row in listed]


def cash(folder: Path) -> list[str]:
    """The cash of every account."""
    return [row["cash"] for row in rows(folder, "balances")]


def starts(folder: Path, name: str = LEDGER) -> int:
    """How often a runner has begun on the ledger there."""
    if not (folder / name).exists():
        return 0
    with closing(open_journal(f"sqlite:///{folder / name}", create=False)) as opened:
        return sum(item.envelope.name == "system.runner.started" for item in opened.read(0, 100_000))


def real_data() -> Path | None:
    """The folder of real market data, or None where there is none."""
    found = Path(os.environ.get("TRADECORE_TEST_DATA", _ROOT.parent / "shared" / "data"))
    return found if found.is_dir() else None


def python_module(name: str) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", name]


def _start(folder: Path, module: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*python_module(module), *arguments],
        cwd=folder,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
