"""The command as a process: codes, streams, signals, pipes, and what it does not import."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.desk import Desk
from tests.views.vandal import trade_for_an_hour
from tradecore import __version__
from tradecore.journal import open_journal

PATIENCE_S = 30
COMMAND = (sys.executable, "-m", "tradecore.cli")


def environment(**changes: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("TRADECORE_")} | changes


def run(cwd: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*COMMAND, *words),
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """A directory with a ledger in it."""
    journal = open_journal(f"sqlite:///{tmp_path / 'tradecore.db'}")
    trade_for_an_hour(Desk.over(journal))
    journal.close()
    return tmp_path


def test_a_whole_round_through_processes(tmp_path: Path) -> None:
    placed = run(tmp_path, "place", "AAPL", "buy", "10", "--json")
    assert (placed.returncode, placed.stderr) == (0, "")
    (order,) = json.loads(placed.stdout)
    assert run(tmp_path, "cancel", order["client_order_id"]).returncode == 0
    (row,) = json.loads(run(tmp_path, "orders", "--json").stdout)
    assert (row["order_id"], row["status"]) == (order["order_id"], "canceled")
    assert run(tmp_path, "verify").returncode == 0


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"tradecore {__version__}")


@pytest.mark.parametrize("words", [(), ("--help",), ("place", "--help"), ("verify", "-h")])
def test_help_is_code_0_on_stdout(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == 0
    assert "Usage: tradecore" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("bogus",), ("orders", "--bogus"), ("orders",), ("place", "AAPL", "buy", "x")])
def test_an_error_is_one_line_on_stderr_and_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("eventsourcing", "pydantic", "sqlite3", "httpx", "markdown_it", "anyio", "tradecore.journal")
    code = (
        "import sys; from tradecore.cli import main; main(['--help']); "
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        (sys.executable, "-c", code), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error(traded: Path) -> None:
    with subprocess.Popen(
        (*COMMAND, "events", "--follow", "--json"),
        cwd=traded,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["position"] == 1
        process.stdout.close()
        assert run(traded, "place", "AAPL", "buy", "1").returncode == 0  # something more to write into the void
        assert process.wait(PATIENCE_S) == 141
        assert process.stderr.read() == ""


def test_following_shows_what_another_process_records_and_ends_with_130(traded: Path) -> None:
    with subprocess.Popen(
        (*COMMAND, "events", "--follow", "--json", "--name", "trade.order.planned"),
        cwd=traded,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(5):
            process.stdout.readline()
        (order,) = json.loads(run(traded, "place", "AAPL", "buy", "1", "--json").stdout)
        while (event := json.loads(process.stdout.readline()))["data"]["symbol"] != "AAPL":
            pass
        assert event["data"]["order_id"] == order["order_id"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert process.stderr.read() == ""


def at_a_terminal(cwd: Path, *words: str, **changes: str) -> str:
    """What somebody at a terminal sees."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        (*COMMAND, *words), cwd=cwd, env=environment(TERM="xterm", **changes), stdout=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # the other end was closed
            pass
        finally:
            os.close(ours)
        assert process.wait(PATIENCE_S) == 0
    return seen.decode()


def test_a_terminal_that_is_too_narrow_for_the_table_gets_a_block_per_row(traded: Path) -> None:
    seen = at_a_terminal(traded, "orders", COLUMNS="80").splitlines()
    assert sum(line.startswith("order_id ") for line in seen) == 6
    assert max(len(line) for line in seen) <= 80
    assert seen.count("") == 5


def test_a_terminal_gets_styles_unless_no_color_is_set(traded: Path) -> None:
    assert "\x1b[" in at_a_terminal(traded, "balances", COLUMNS="200")
    assert "\x1b[" not in at_a_terminal(traded, "balances", COLUMNS="200", NO_COLOR="1")
    assert "\x1b[" not in run(traded, "balances", FORCE_COLOR="1").stdout


def test_json_on_a_terminal_is_the_same_list_made_readable(traded: Path) -> None:
    seen = at_a_terminal(traded, "orders", "--json")
    assert json.loads(seen) == json.loads(run(traded, "orders", "--json").stdout)
    assert len(seen.splitlines()) > 10


def test_json_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    (order,) = json.loads(run(tmp_path, "place", "AAPL", "buy", "1", "--json").stdout)
    run(tmp_path, "cancel", order["order_id"], "--reason", "zu früh", PYTHONUTF8="1")
    done = subprocess.run(
        (*COMMAND, "orders", "--json"),
        cwd=tmp_path,
        env=environment(PYTHONIOENCODING="ascii"),
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert json.loads(done.stdout.decode("utf-8"))[0]["reason"] == "zu früh"


def test_people_with_a_poor_terminal_get_an_answer_too(tmp_path: Path) -> None:
    (order,) = json.loads(run(tmp_path, "place", "AAPL", "buy", "1", "--json").stdout)
    run(tmp_path, "cancel", order["order_id"], "--reason", "zu früh", PYTHONUTF8="1")
    for verb in (("orders",), ("trace", order["order_id"]), ("events",)):
        done = run(tmp_path, *verb, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")
