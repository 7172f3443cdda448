"""What a strategy holds, and in which trades, while a fill is being revised and after."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradecore.domain.events import TradeShare
from tradecore.domain.holding import Holding, with_share

D = Decimal


def share(trade: str, quantity: str) -> TradeShare:
    return TradeShare("s", trade, D(quantity))


@pytest.mark.parametrize(
    ("before", "moved", "after"),
    [
        (None, share("a", "10"), Holding("a", D(10))),
        (None, share("a", "0"), None),
        (Holding("a", D(10)), share("a", "-4"), Holding("a", D(6))),
        (Holding("a", D(10)), share("a", "-10"), None),
        (Holding("a", D(10)), share("b", "3"), Holding("a", D(13), {"b": D(3)})),
        (Holding("a", D(10)), share("b", "-10"), Holding("a", D(0), {"b": D(-10)})),
        (Holding("a", D(13), {"b": D(3)}), share("b", "-3"), Holding("a", D(10), {})),
        (Holding("a", D(13), {"b": D(3)}), share("a", "-10"), Holding("b", D(3), {})),
        (Holding("a", D(13), {"b": D(3)}), share("a", "2"), Holding("a", D(15), {"b": D(3)})),
        (Holding("a", D(16), {"b": D(3), "c": D(3)}), share("a", "-10"), Holding("b", D(6), {"c": D(3)})),
        (Holding("a", D(0), {"b": D(-10)}), share("b", "10"), Holding("a", D(10), {})),
    ],
)
def test_a_share_that_a_trade_got_or_gave(before: Holding | None, moved: TradeShare, after: Holding | None) -> None:
    assert with_share(before, moved) == after


def test_the_last_share_ends_the_holding() -> None:
    both = Holding("a", D(0), {"b": D(-10)})
    assert with_share(with_share(both, share("b", "10")), share("a", "-10")) is None


def test_every_trade_that_holds_is_told() -> None:
    assert Holding("a", D(10)).trades == ("a",)
    assert Holding("a", D(16), {"b": D(3), "c": D(3)}).trades == ("a", "b", "c")
