"""Trading goes on only after books and broker were compared behind the stop, not before it."""

from __future__ import annotations

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_switch import reconciled
from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.values import TradingState
from tradecore.errors import ResumeRefused
from tradecore.switching import clear


def test_a_comparison_from_before_the_stop_does_not_let_trading_go_on() -> None:
    desk = Desk.in_memory()
    desk.pin()
    reconciled(desk)
    desk.give(cmd.ActivateKillSwitch("main", TradingState.HALTED, "manual", "something is wrong", "a person"))
    desk.give(cmd.RequestClear("main", "a person", "it is mended"))
    cause = Cause(desk.ids.trace_id(), actor="test")
    with pytest.raises(ResumeRefused, match="compared"):
        clear(desk.ledger, "main", "a person", "it is mended", cause)
    reconciled(desk)
    clear(desk.ledger, "main", "a person", "it is mended", cause)
