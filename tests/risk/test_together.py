"""Two who place orders at the same moment never break a limit together; `nox -s schedules` runs ten thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.risk.schedules import PRICE, Counted, campaign, judge
from tradecore.domain.commands import SetLimits
from tradecore.domain.events import ReservationMade
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.domain.values import Side
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

SCHEDULES = 60


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_no_schedule_of_two_takers_breaks_a_limit(kind: str, tmp_path: Path) -> None:
    counted = campaign("memory:" if kind == "memory" else f"sqlite:///{tmp_path}/ledger.db", SCHEDULES)
    assert counted.over == []
    assert counted.placed > SCHEDULES
    assert min(counted.refused, counted.filled, counted.lowered) > 5, "limits were reached, and moved"


def test_the_referee_notices_an_order_above_a_limit() -> None:
    journal = open_journal("memory:")
    ids = SystemIds()
    counted = Counted()
    ledger = Ledger(journal, SystemClock(), ids)
    cause = Cause(ids.trace_id(), actor="test")
    ledger.handle(SetLimits("main", Limits(max_position_qty=PRICE), "referee", "a race"), cause)
    made = ReservationMade("main", "o", "t", "s", "AAA", Side.BUY, PRICE + 1, 1)
    ledger.note("account-main", made, cause)
    judge(journal, "main", counted)
    assert len(counted.over) == 1
