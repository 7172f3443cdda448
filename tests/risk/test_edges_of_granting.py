"""Edges of a grant: what an order that waited was held against before, it is not held against a second time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_approvals import ASKS, grant
from tests.risk.test_triggers import guarded, rule
from tradecore.domain import events as ev
from tradecore.domain.limits import ScopeLimits
from tradecore.domain.triggers import Trigger
from tradecore.domain.values import OrderStatus, TradingState
from tradecore.errors import OrderRefused

D = Decimal
ONE_A_MINUTE = {"test": ScopeLimits(max_orders_per_minute=1, max_orders_per_day=1)}


@pytest.mark.parametrize(
    "limits",
    [
        {"duplicate_window_s": D(600)},
        {"max_repeats": 1, "repeat_window_s": D(600)},
        {"max_orders_per_minute": 1},
        {"max_orders_per_day": 1},
        {"max_notional_per_day": D(60)},
        {"max_price_age_s": D(5)},
        {"approve_all": True},
        {"per_strategy": ONE_A_MINUTE},
    ],
)
def test_an_order_that_waited_counts_already_and_its_price_and_symbol_were_looked_at(limits: dict[str, Any]) -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.limits(**ASKS)
    order_id = desk.place("buy", "6", limit="10")
    assert desk.order(order_id).awaits_approval
    desk.limits(**ASKS, **limits)
    desk.clock.at += dt.timedelta(seconds=1)
    grant(desk, order_id)
    assert desk.order(order_id).status is OrderStatus.QUEUED


@pytest.mark.parametrize("limits", [{"max_order_notional": D(59)}, {"symbols": ("QQQ",)}, {"max_open_orders": 0}])
def test_it_is_held_against_everything_else(limits: dict[str, Any]) -> None:
    desk = Desk.in_memory()
    desk.pin()
    desk.limits(**ASKS)
    order_id = desk.place("buy", "6", limit="10")
    desk.limits(**ASKS, **limits)
    with pytest.raises(OrderRefused):
        grant(desk, order_id)


def test_one_finding_is_one_sign() -> None:
    watched = guarded(rule(Trigger.LEDGER_DAMAGED, "2"))
    watched.note(ev.LedgerChecked(9, "a hole at 7"))
    assert watched.look() is TradingState.ACTIVE
