"""What a strategy said of its confidence in a backtest is judged by what came of it."""

from __future__ import annotations

from decimal import Decimal

import anyio

from tests.backtest.market import Planned, bar, buy, sell
from tradecore.cli.opening import rows_now
from tradecore.learning.outcomes import OutcomeResolver
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds
from tradecore_backtest import backtest


def test_a_stated_confidence_has_an_outcome() -> None:
    bars = [bar(number, str(10 + number)) for number in range(6)]
    journal = backtest(bars, Planned({0: buy(confidence=Decimal("0.7")), 2: sell()})).open_journal()
    rows_now(journal, "decisions")
    ids = SystemIds()
    anyio.run(OutcomeResolver(Ledger(journal, SystemClock(), ids), ids).resolve)
    (row,) = rows_now(journal, "outcomes")
    assert (row["stated"], row["confidence"], row["came_true"]) == ("0.7", "0.7", True)
