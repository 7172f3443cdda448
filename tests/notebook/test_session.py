"""A session in a real kernel: it steps, is interrupted, fails behind a cell, shares a ledger, is killed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tests.notebook.kernel import Kernel
from tests.runner.market import write_csv
from tests.runner.process import fills, journal, orders, starts, until
from tradecore.domain import streams
from tradecore.domain.events import RunnerStopped
from tradecore.verify import verify

QUICK = 'strategy={"name": "sma", "parameters": {"fast": 2, "slow": 5, "quantity": "10"}}'
LOAD = "from tradecore_notebook import Session, open_ledger\n"


def session(folder: Path, more: str = QUICK, name: str = "session") -> str:
    """A cell that makes a session on a ledger in the folder, on the bars that are there."""
    return (
        LOAD
        + f"{name} = Session('sqlite:///{folder}/tradecore.db', market_data={{'bars': '{folder}/bars.csv'}}, {more})"
    )


def assert_sound(folder: Path) -> None:
    with journal(folder) as opened:
        assert verify(opened).findings == ()


def test_the_market_moves_by_steps_and_the_engine_delivers_between_cells(kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 60)
    kernel.run(session(tmp_path))
    assert "read-only" in kernel.run("session").html
    stepped = kernel.run("session.step(12)").text
    assert "state: paused" in stepped
    assert "market: 12 of 60" in stepped
    assert "held by this notebook" in stepped
    assert "market: 20 of 60" in kernel.run("await session.astep(8)").text  # a twin for await
    decided = orders(tmp_path)
    assert decided
    assert {status for *_, status in decided} == {"filled"}  # nothing waits for a further cell
    ended = kernel.run("await session.astop()").text
    assert "state: read-only" in ended
    assert "ledger and broker: agree" in ended
    assert orders(tmp_path)[: len(decided)] == decided


def test_a_notebook_and_the_daemon_trade_alike(kernel: Kernel, tmp_path: Path, hour: Path) -> None:
    write_csv(tmp_path, 60)
    kernel.run(session(tmp_path))
    kernel.run("session.step(7); session.start(); session.pause()")
    assert "replayed to its end" in kernel.run("session.start(); session.join()").text
    assert fills(tmp_path) == fills(hour)


def test_an_interrupt_withdraws_the_steps_not_begun_and_leaves_the_engine_whole(kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 390)
    kernel.run(session(tmp_path))
    assert kernel.run("session.step(3)").error is None
    cell = kernel.begin("print('go')\nsession.step(380)")
    kernel.until_said(cell, "go")
    kernel.interrupt()
    stopped = kernel.finish(cell)
    assert stopped.error == "KeyboardInterrupt"
    assert "holds the lease; stop() lets go of it" in stopped.err
    kernel.run("while session.status.state != 'paused': pass")  # the step under way ends, and no other begins
    assert kernel.run("before = session.status.done; print(before < 383)").text.strip() == "True"
    after = kernel.run("session.step(2); print(session.status.done - before)")
    assert after.text.strip() == "2", after.everything
    assert "ledger and broker: agree" in kernel.run("session.stop()").text
    assert_sound(tmp_path)


def test_interrupts_anywhere_in_a_cell_never_end_the_engine(kernel: Kernel, tmp_path: Path) -> None:
    """Ten interrupts, raised inside cells that do nothing but call the session, at moments of their own."""
    write_csv(tmp_path, 390)
    kernel.run(session(tmp_path))
    # The bars must not come to their end, however many steps a busy machine gives a cell before it is interrupted.
    step = "if session.status.done < 350: session.step(1)"
    loop = f"print('go', flush=True)\nwhile True:\n    {step}\n    session.status; session.ledger.orders"
    for _ in range(10):
        cell = kernel.begin(loop)
        kernel.until_said(cell, "go")
        kernel.interrupt()
        ended = kernel.finish(cell)
        assert ended.error == "KeyboardInterrupt", ended.everything
    assert "market: " in kernel.run("session.step(1)").text
    assert "ledger and broker: agree" in kernel.run("session.stop()").text
    assert starts(tmp_path) == 1  # one run all the while


def test_an_interrupted_start_gives_the_lease_back(kernel: Kernel, tmp_path: Path) -> None:
    """Nobody answers at the broker's address, so the start waits, with the lease."""
    silent = "broker={'base_url': 'http://127.0.0.1:9', 'unreachable_after_s': 3600}"
    kernel.run(LOAD + f"session = Session('sqlite:///{tmp_path}/tradecore.db', {silent})")
    cell = kernel.begin("print('go')\nsession.start()")
    kernel.until_said(cell, "go")
    kernel.interrupt()
    stopped = kernel.finish(cell)
    assert stopped.error == "KeyboardInterrupt"
    assert "the lease" in stopped.err, stopped.err
    assert "nobody holds it" in kernel.run("session.stop()").text


FAILING = """
class Failing:
    name = "failing"
    warmup_bars = 0
    def observe(self, bar): pass
    def on_bar(self, bar, portfolio):
        self.count = getattr(self, "count", 0) + 1
        if self.count > 6:
            raise ZeroDivisionError("<b>a strategy's own</b> mistake")
        return ()
"""


def test_a_failure_behind_a_cell_is_shown_at_the_next_and_in_the_status(kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 30)
    kernel.run(FAILING + session(tmp_path, "strategy=Failing"))
    wait = "import time\nwhile session.status.error is None: time.sleep(0.01)"
    told = kernel.run(f"session.start()\n{wait}")
    assert "failed behind this cell: ZeroDivisionError" in told.err
    assert "failed behind" not in kernel.run("1").err  # once
    status = kernel.run("session")
    assert "FAILED: ZeroDivisionError" in status.text
    assert "&lt;b&gt;a strategy&#x27;s own&lt;/b&gt; mistake" in status.html
    assert "<b>a strategy" not in status.html
    assert "nobody holds it" in status.text
    assert "in on_bar" in kernel.run("print(session.traceback)").text
    assert kernel.run("session.step(20)").error == "ZeroDivisionError"  # a new run, with a new strategy
    assert "failed behind" not in kernel.run("1").err  # the cell itself said it


@pytest.mark.slow
def test_a_second_notebook_is_read_only_and_says_who_delivers(jupyter: Path, kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 60)
    kernel.run(session(tmp_path))
    kernel.run("session.step(20)")
    with closing(Kernel(jupyter, tmp_path)) as second:
        second.run(session(tmp_path))
        refused = second.run("session.start()")
        assert refused.error == "LeaseHeld"
        assert f"(process {kernel.pid}) already works on this ledger" in refused.err
        status = second.run("session").text
        assert f"(process {kernel.pid}); read-only here" in status
        theirs = second.run("print(len(session.ledger.fills), session.ledger.position)").text
        assert theirs == kernel.run("print(len(session.ledger.fills), session.ledger.position)").text
        assert kernel.run("session.step(5)").error is None
        kernel.run("session.stop()")
        assert (
            "held by this notebook" in second.run("session.step(1); session.start(); session.pause()").text
        )  # now it may
    # Its kernel was shut down as Jupyter does it: the engine drained, and the lease is free.
    assert starts(tmp_path) == 2
    with journal(tmp_path) as opened:
        last = opened.load(streams.RUNNER)[-1].event
    assert isinstance(last, RunnerStopped)
    assert last.reason == "told to stop by the notebook"
    assert "nobody holds it" in kernel.run("session").text


@pytest.mark.slow
def test_a_killed_kernel_is_followed_by_one_that_goes_on_from_the_ledger(
    jupyter: Path, kernel: Kernel, tmp_path: Path, hour: Path
) -> None:
    write_csv(tmp_path, 60)
    killed = Kernel(jupyter, tmp_path)
    killed.run(session(tmp_path))
    assert "market: 25 of 60" in killed.run("session.step(25)").text
    cell = killed.begin("print('go')\nsession.step(20)")
    killed.until_said(cell, "go")
    killed.kill()
    kernel.run(session(tmp_path))
    assert "nobody holds it" in kernel.run("session").text
    assert "replayed to its end" in kernel.run("session.step(60)").text
    assert fills(tmp_path) == fills(hour)
    assert_sound(tmp_path)


def test_the_engine_trades_a_live_market_while_a_cell_computes(kernel: Kernel, tmp_path: Path) -> None:
    market = ("--speed", "6000", "--days", "2", "--symbols", "AAA,BBB", "--seed", "7")
    with Judge.start(tmp_path, *market) as judge:
        live = f"broker={{'base_url': {judge.base_url!r}}}, {QUICK}"
        kernel.run(LOAD + f"session = Session('sqlite:///{tmp_path}/ledger.db', {live})")
        kernel.run("session.start()")
        busy = "steps = 0\nwhile session.status.done < 20 or not len(session.ledger.fills): steps += sum(range(20_000))"
        assert kernel.run(busy).error is None
        assert "state: paused" in kernel.run("session.pause()").text
        assert (
            kernel.run("before = session.status.done; session.step(2); print(session.status.done - before)").text
            == "2\n"
        )
        until(judge.is_done, "the end of the market")  # or an order fills behind the last comparison
        assert "ledger and broker: agree" in kernel.run("session.stop()").text
        assert assert_nothing_lost_or_doubled(judge, tmp_path) > 0
