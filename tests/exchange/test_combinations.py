"""Every combination of asset, class, type, time in force, extended hours and session: taken, or refused by which rule.

`ALLOWED` says what may be; `RULES` says which words refuse the rest. Both were written from the broker's rules, and
they must agree with each other before they are held against the exchange.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest

from tests.exchange.core_play import exchange_with, flat, number, row
from tradecore.domain.values import Side
from tradecore_exchange import Exchange, OrderRequest, Refusal
from tradecore_exchange.requests import StopLoss
from tradecore_exchange.sessions import NEW_YORK
from tradecore_exchange.words import OrderClass, OrderType, TimeInForce

ASSETS = ("share", "fraction", "notional", "crypto")
CLASSES = ("", "bracket", "oco", "oto")
TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIFS = ("day", "gtc", "ioc", "fok", "opg", "cls")
SESSIONS = {
    "night": "2024-01-03 02:00",
    "pre": "2024-01-03 08:00",
    "regular": "2024-01-03 10:00",
    "late": "2024-01-03 15:55",
    "after": "2024-01-03 17:00",
    "evening": "2024-01-03 21:00",
    "weekend": "2024-01-06 12:00",
}

_ALL = set(TIFS)
_DG = {"day", "gtc"}
_GI = {"gtc", "ioc"}
_SHARE = {"market": _ALL, "limit": _ALL, "stop": _DG, "stop_limit": _DG, "trailing_stop": _DG}
_ENTRY = {"market": _DG, "limit": _DG, "stop": _DG, "stop_limit": _DG}
_FRACTION = {"market": {"day"}, "limit": {"day"}, "stop": {"day"}, "stop_limit": {"day"}}
ALLOWED: dict[tuple[str, str], dict[str, set[str]]] = {
    ("share", ""): _SHARE,
    ("share", "bracket"): _ENTRY,
    ("share", "oto"): _ENTRY,
    ("share", "oco"): {"limit": _DG},
    ("fraction", ""): _FRACTION,
    ("notional", ""): _FRACTION,
    ("crypto", ""): {"market": _GI, "limit": _GI, "stop_limit": _GI},
}
NO_AUCTION = {"opg": {"regular", "late", "after"}, "cls": {"late", "after"}}


@attrs.frozen
class Case:
    asset: str
    name: str
    type: str
    tif: str
    extended: bool
    session: str

    @property
    def is_allowed(self) -> bool:
        times = ALLOWED.get((self.asset, self.name), {}).get(self.type, set())
        extended = self.type == "limit" and self.tif in _DG and self.name == ""
        return (
            self.tif in times and (extended or not self.extended) and self.session not in NO_AUCTION.get(self.tif, ())
        )

    @property
    def is_fractional(self) -> bool:
        return self.asset in {"fraction", "notional"}


OTHER_NAMES = {"bracket": "otoco", "oco": "oco", "oto": "oto"}
RULES: list[tuple[Callable[[Case], bool], Callable[[Case], str]]] = [
    (
        lambda case: case.asset == "crypto" and case.name != "",
        lambda case: f"crypto orders not allowed for advanced order_class: {OTHER_NAMES[case.name]}",
    ),
    (
        lambda case: case.asset == "crypto" and case.type in {"stop", "trailing_stop"},
        lambda _: "invalid order type for crypto order",
    ),
    (
        lambda case: case.asset == "crypto" and case.tif not in {"gtc", "ioc"},
        lambda _: "invalid crypto time_in_force",
    ),
    (lambda case: case.is_fractional and case.name != "", lambda _: "fractional orders must be simple orders"),
    (
        lambda case: case.is_fractional and case.type == "trailing_stop",
        lambda _: "fractional orders must be market, limit, stop or stop limit orders",
    ),
    (lambda case: case.is_fractional and case.tif != "day", lambda _: "fractional orders must be DAY orders"),
    (
        lambda case: case.extended and (case.type != "limit" or case.tif not in _DG),
        lambda _: "extended hours order must be DAY or GTC limit orders",
    ),
    (lambda case: case.extended and case.name != "", lambda _: "extended hours orders must be simple orders"),
    (
        lambda case: case.asset != "crypto" and case.type not in {"market", "limit"} and case.tif not in _DG,
        lambda case: f"{case.type.replace('_', ' ')} orders must be DAY or GTC orders",
    ),
    (
        lambda case: case.name != "" and case.type == "trailing_stop",
        lambda _: "trailing stop orders must be simple orders",
    ),
    (lambda case: case.name == "oco" and case.type != "limit", lambda _: "oco orders must be limit orders"),
    (
        lambda case: case.name != "" and case.tif not in _DG,
        lambda case: f"{case.name} orders must be DAY or GTC orders",
    ),
    (
        lambda case: case.tif == "opg" and case.session in NO_AUCTION["opg"],
        lambda _: "opg orders must be submitted after 7:00pm and before 9:28am",
    ),
    (
        lambda case: case.tif == "cls" and case.session in NO_AUCTION["cls"],
        lambda _: "cls orders must be submitted after 7:00pm and before 3:50pm",
    ),
]


def refusing(case: Case) -> str | None:
    return next((words(case) for breaks, words in RULES if breaks(case)), None)


def asked(case: Case) -> OrderRequest:
    exits = case.name == "oco"
    limits = {"limit": "12" if exits else "9", "stop_limit": "12" if exits else "12.50"}
    return OrderRequest(
        symbol="BTC/USD" if case.asset == "crypto" else "AAPL",
        side=Side.SELL if exits else Side.BUY,
        type=OrderType(case.type),
        time_in_force=TimeInForce(case.tif),
        qty=number({"share": "10", "fraction": "0.5", "crypto": "2"}.get(case.asset)),
        notional=number("100") if case.asset == "notional" else None,
        limit_price=number(limits.get(case.type)),
        stop_price=number("12") if case.type in {"stop", "stop_limit"} else None,
        trail_price=number("1") if case.type == "trailing_stop" else None,
        extended_hours=case.extended,
        order_class=OrderClass(case.name),
        take_profit=number({"bracket": "13", "oco": "12", "oto": "13"}.get(case.name)),
        stop_loss=StopLoss(Decimal(7)) if case.name in {"bracket", "oco"} else None,
    )


def standing(case: Case) -> Exchange:
    """An exchange that knows prices, and holds what an exit needs."""
    exchange = exchange_with(dt.datetime.fromisoformat(SESSIONS[case.session]).replace(tzinfo=NEW_YORK))
    exchange.market.show_bar(flat())
    exchange.market.show_bar(flat(symbol="BTC/USD"))
    if case.name == "oco":
        exchange.account.book("AAPL", Decimal(10), Decimal(10), Decimal(0))
    return exchange


def status(case: Case) -> str:
    """Of an order that was taken: on its way to the market, or waiting for it."""
    is_open = {"regular": True, "late": True, "weekend": False}.get(case.session, case.extended)
    return "pending_new" if is_open or case.asset == "crypto" else "accepted"


@pytest.mark.parametrize(("asset", "name"), list(itertools.product(ASSETS, CLASSES)))
def test_every_combination_is_taken_or_refused_by_its_rule(asset: str, name: str) -> None:
    for rest in itertools.product(TYPES, TIFS, (False, True), SESSIONS):
        case = Case(asset, name, *rest)
        words = refusing(case)
        assert (words is None) == case.is_allowed, case
        outcome = standing(case).submit(asked(case))
        if isinstance(outcome, Refusal):
            assert row(case, outcome.status, outcome.code, outcome.message) == row(case, 422, 42210000, words)
        else:
            assert row(case, words, outcome.order.status) == row(case, None, status(case))
