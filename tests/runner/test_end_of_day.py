"""A market that passes its close is compared with the books once for the day."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.crash.judge import Judge
from tests.runner.process import journal, running, stop, until
from tests.runner.test_live_market import LEDGER, attach
from tradecore.domain.events import ReconciliationCompleted


@pytest.mark.slow
def test_the_books_are_compared_at_the_end_of_the_day(tmp_path: Path) -> None:
    with Judge.start(tmp_path, "--speed", "7500", "--days", "2", "--symbols", "AAA", "--seed", "7") as judge:
        options = attach(tmp_path, judge, "exchange", '[strategy]\nname = "none"\n[delivery]\nreconcile_every_s = 1\n')
        with running(tmp_path, *options, ledger=LEDGER) as runner:
            until(judge.is_done, "the end of the market")
            until(lambda: "end" in reasons(tmp_path), "the comparison at the end of the day")
            stop(runner, signal.SIGTERM)
    assert reasons(tmp_path)[0] == "start"


def reasons(folder: Path) -> list[str]:
    """Why books and broker were compared, in order."""
    with journal(folder, LEDGER) as ledger:
        events = [one.event for one in ledger.read(0, 100_000)]
    return [event.why for event in events if isinstance(event, ReconciliationCompleted)]
