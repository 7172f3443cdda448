"""kill -9 the runner anywhere: the exchange has one order per intent, the ledger every fill once, and nothing differs.

The full campaign (`nox -s crash`) kills more often; here every failpoint is met at least twice, then random moments.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.crash.campaign import EXITS, kill_at_failpoint, kill_at_random, run_once
from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tradecore.failpoints import FAILPOINTS, SAGA_FAILPOINTS

MARKET = ("--seed", "7", "--days", "1", "--symbols", "AAA,BBB")


def orders_of(judge: Judge) -> list[tuple[Any, ...]]:
    """What was traded, without ids and times; orders of one bar may arrive in either order."""
    seen = judge.ask("/_ctl/orders")["orders"]
    return sorted((o["symbol"], o["side"], o["qty"], o["filled_avg_price"] or "") for o in seen)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """The orders of a run that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Judge.start(folder, *MARKET) as judge:
        assert run_once(folder, judge) == 0
        assert_nothing_lost_or_doubled(judge, folder)
        return orders_of(judge)


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_at_a_failpoint_it_goes_on_as_if_nothing_had_happened(
    failpoint: str, tmp_path: Path, undisturbed: list[tuple[Any, ...]]
) -> None:
    with Judge.start(tmp_path, *MARKET) as judge:
        outcome = kill_at_failpoint(tmp_path, judge, failpoint, (1, 4))
        assert (outcome.kills, outcome.last_exit) == (2, 0), (tmp_path / "runner.log").read_text()
        assert_nothing_lost_or_doubled(judge, tmp_path)
        assert orders_of(judge) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", SAGA_FAILPOINTS)
def test_killed_in_a_saga_that_leaves_a_trade_it_still_sends_nothing_twice(failpoint: str, tmp_path: Path) -> None:
    with Judge.start(tmp_path, *MARKET) as judge:
        judge.told = EXITS
        outcome = kill_at_failpoint(tmp_path, judge, failpoint, (1, 4))
        assert (outcome.kills, outcome.last_exit) == (2, 0), (tmp_path / "runner.log").read_text()
        assert_nothing_lost_or_doubled(judge, tmp_path)


@pytest.mark.slow
def test_killed_at_random_moments_it_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, undisturbed: list[tuple[Any, ...]]
) -> None:
    with Judge.start(tmp_path, *MARKET) as judge:
        outcome = kill_at_random(tmp_path, judge, 8, random.Random(1), 2.0)
        assert outcome.last_exit == 0, (tmp_path / "runner.log").read_text()
        assert outcome.kills > 0
        assert_nothing_lost_or_doubled(judge, tmp_path)
        assert orders_of(judge) == undisturbed


@pytest.mark.slow
def test_killed_in_the_middle_of_broken_answers_it_still_sends_nothing_twice(tmp_path: Path) -> None:
    with Judge.start(tmp_path, *MARKET) as judge:
        judge.arm(kind="http_504", after_accept=True, count=4)
        judge.arm(kind="reset", after_accept=True, count=4)
        judge.arm(kind="http_504", count=4)
        outcome = kill_at_failpoint(tmp_path, judge, "outbox.post.before", (1, 2, 3))
        assert outcome.last_exit == 0, (tmp_path / "runner.log").read_text()
        assert_nothing_lost_or_doubled(judge, tmp_path)


@pytest.mark.slow
def test_the_verdict_notices_a_second_order(tmp_path: Path) -> None:
    """The judge is not blind: an order that nobody intended fails the verdict."""
    with Judge.start(tmp_path, *MARKET) as judge:
        assert run_once(tmp_path, judge) == 0
        judge.post_order({"symbol": "AAA", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"})
        with pytest.raises(AssertionError, match="never intended"):
            assert_nothing_lost_or_doubled(judge, tmp_path)
