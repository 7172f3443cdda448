"""Edges of what only takes risk away: what a strategy can close when others hold the symbol, or sold it elsewhere."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.ledger.desk import Desk
from tests.risk.test_wired import found
from tradecore.domain import commands as cmd
from tradecore.domain.events import OrderPlanned
from tradecore.domain.reducing import EXTERNAL, closable
from tradecore.domain.values import Side
from tradecore.errors import CloseRefused

D = Decimal
LONG, SHORT = ("buy", "sell"), ("sell", "buy")


def shared(sides: tuple[str, str], **held: str) -> Desk:
    """Strategies by name with what each holds: above zero on the first side, below on the other."""
    desk = Desk.in_memory()
    desk.pin()
    for strategy, quantity in held.items():
        desk.done(sides[0] if D(quantity) > 0 else sides[1], quantity.lstrip("-"), "10", strategy=strategy)
    return desk


@pytest.mark.parametrize("sides", [LONG, SHORT])
@pytest.mark.parametrize(
    ("held", "closes"),
    [
        ({"one": "10"}, "10"),
        ({"one": "10", "other": "5"}, "10"),
        ({"one": "10", "other": "-4"}, "10"),
        ({"one": "10", "other": "-10"}, "10"),
        ({"one": "10", "other": "-14"}, "10"),
        ({"one": "10", EXTERNAL: "5"}, "10"),
        ({"one": "10", EXTERNAL: "-4"}, "6"),
        ({"one": "10", EXTERNAL: "-10"}, "0"),
        ({"one": "10", EXTERNAL: "-14"}, "0"),
        ({"one": "10", "other": "-3", EXTERNAL: "-4"}, "6"),
        ({"other": "10"}, "0"),
    ],
)
def test_a_strategy_can_close_what_it_holds_and_the_account_still_has(
    sides: tuple[str, str], held: dict[str, str], closes: str
) -> None:
    desk = shared(sides, **held)
    sign = 1 if sides is LONG else -1
    assert closable(desk.account, "one", "SPY") == sign * D(closes)


@pytest.mark.parametrize("sides", [LONG, SHORT])
def test_what_was_traded_elsewhere_is_closable_as_far_as_the_account_is_on_its_side(sides: tuple[str, str]) -> None:
    sign = 1 if sides is LONG else -1
    desk = shared(sides, one="10", external="-4")
    assert closable(desk.account, EXTERNAL, "SPY") == 0, "the account is on the other side"
    desk.done(sides[1], "12", "10", strategy="one")
    assert closable(desk.account, EXTERNAL, "SPY") == sign * D(-4)


def test_other_symbols_do_not_count() -> None:
    desk = shared(LONG, one="10", external="-4")
    desk.done("sell", "3", "10", "QQQ", strategy="other")
    assert closable(desk.account, "one", "SPY") == 6
    assert closable(desk.account, "one", "QQQ") == 0


def test_a_close_is_as_large_as_what_is_left_and_refused_where_nothing_is() -> None:
    desk = shared(LONG, one="10", external="-4")
    close = cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", desk.clock.now(), strategy="one")
    desk.give(close)
    order = desk.order(close.order_id)
    assert (order.side, order.quantity) == (Side.SELL, D(6))
    desk = shared(LONG, one="10", external="-10")
    with pytest.raises(CloseRefused, match="strategy one holds no SPY"):
        desk.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", desk.clock.now(), strategy="one"))
    assert len(found(desk, OrderPlanned)) == 2


def test_the_name_of_what_nobody_placed_here_stays() -> None:
    assert EXTERNAL == "external"
