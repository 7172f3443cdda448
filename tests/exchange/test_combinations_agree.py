"""What the ledger lets through of every combination, and what the broker takes of it: where they differ, by which rule.

The ledger refuses before anything is recorded, whatever the hour; the hour is the broker's to judge.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable

import attrs
import pytest

from tests.domain.test_terms import Asked
from tests.exchange.test_combinations import (
    ASSETS,
    CLASSES,
    SESSIONS,
    TIFS,
    TYPES,
    Case,
    asked,
    refusing,
    standing,
)
from tradecore.domain.terms import StopLoss, TakeProfit, check_terms
from tradecore.domain.values import OrderClass, OrderType, TimeInForce
from tradecore.errors import BrokerRefused, InputError, RefusalReason
from tradecore_alpaca.classify import failed_instruction
from tradecore_alpaca.http import Answer
from tradecore_exchange import Refusal

NOON = dt.datetime(2024, 1, 3, 17, tzinfo=dt.UTC)
COMBINATIONS = [
    Case(*rest, session="regular") for rest in itertools.product(ASSETS, CLASSES, TYPES, TIFS, (False, True))
]
PATIENT = {"day", "gtc"}

Rule = tuple[Callable[[Case], bool], str, str]
RULES: list[Rule] = [
    (
        lambda case: case.extended and (case.type != "limit" or case.tif not in PATIENT),
        "extended_hours",
        "a limit order for the day or gtc, the only kind that trades in extended hours",
    ),
    (
        lambda case: case.extended and case.asset == "crypto",
        "extended_hours",
        "nothing, because crypto trades around the clock",
    ),
    (
        lambda case: case.asset == "crypto" and case.type in {"stop", "trailing_stop"},
        "order_type",
        "market, limit or stop_limit, the types for crypto",
    ),
    (
        lambda case: case.asset == "crypto" and case.tif not in {"gtc", "ioc"},
        "time_in_force",
        "gtc or ioc, the only ones for crypto",
    ),
    (
        lambda case: case.is_fractional and case.tif != "day",
        "time_in_force",
        "day, because the quantity is fractional",
    ),
    (
        lambda case: case.asset == "share" and case.type not in {"market", "limit"} and case.tif not in PATIENT,
        "time_in_force",
        "day or gtc, because the order is a {case.type}",
    ),
    (
        lambda case: case.is_fractional and case.type == "trailing_stop",
        "quantity",
        "whole units, because a trailing stop takes no fractions",
    ),
    (lambda case: case.asset == "crypto" and case.name != "", "order_class", "simple, the only class for crypto"),
    (
        lambda case: case.is_fractional and case.name != "",
        "order_class",
        "simple, because the quantity is fractional",
    ),
    (lambda case: case.extended and case.name != "", "order_class", "simple, the only class in extended hours"),
    (
        lambda case: case.name != "" and case.tif not in PATIENT,
        "time_in_force",
        "day or gtc, because the order is a {case.name}",
    ),
    (
        lambda case: case.name == "oco" and case.type != "limit",
        "order_type",
        "limit, for an order of class oco",
    ),
    (
        lambda case: case.name in {"bracket", "oto"} and case.type not in {"market", "limit"},
        "order_type",
        "market or limit, for an order of class {case.name}",
    ),
]
STRICTER = {RULES[1][2], RULES[-1][2]}
"""What the exchange takes and the ledger does not: extended hours of crypto, and entries with legs that are stops."""


def ruled(case: Case) -> tuple[str, str, str] | None:
    """The field and the words of the first rule that a combination breaks, and the rule itself."""
    broken = next((rule for rule in RULES if rule[0](case)), None)
    return None if broken is None else (broken[1], broken[2].format(case=case), broken[2])


def as_ours(case: Case) -> Asked:
    """The order of the exchange's table in the ledger's terms. The take-profit of an OCO is the order itself."""
    theirs = asked(case)
    profit = None if case.name == "oco" else theirs.take_profit
    return Asked(
        symbol=theirs.symbol,
        side=theirs.side,
        quantity=theirs.qty,
        notional=theirs.notional,
        order_type=OrderType(case.type),
        limit_price=theirs.limit_price,
        stop_price=theirs.stop_price,
        trail_price=theirs.trail_price,
        time_in_force=TimeInForce(case.tif),
        extended_hours=case.extended,
        order_class=OrderClass(case.name or "simple"),
        take_profit=None if profit is None else TakeProfit(profit),
        stop_loss=None if theirs.stop_loss is None else StopLoss(theirs.stop_loss.stop_price),
    )


@pytest.mark.parametrize("asset", ASSETS)
def test_each_combination_is_let_through_or_refused_by_the_rule_that_is_named(asset: str) -> None:
    for case in (one for one in COMBINATIONS if one.asset == asset):
        try:
            check_terms(as_ours(case))
            told = None
        except InputError as refusal:
            told = (refusal.field, refusal.expected)
        rule = ruled(case)
        assert told == (None if rule is None else rule[:2]), case


def test_the_exchange_takes_all_that_the_ledger_lets_through_and_what_it_takes_besides_is_known() -> None:
    at_night = [attrs.evolve(case, session="night") for case in COMBINATIONS]  # when both auctions take orders
    besides = {rule[2] for case in at_night if (rule := ruled(case)) is not None and case.is_allowed}
    assert besides == STRICTER
    assert [case for case in at_night if ruled(case) is None and not case.is_allowed] == []


def test_what_only_the_hour_refuses_is_told_as_the_broker_words_it() -> None:
    refused = 0
    for case in (one for one in COMBINATIONS if ruled(one) is None):
        for session in SESSIONS:
            at = attrs.evolve(case, session=session)
            outcome = standing(at).submit(asked(at))
            if not isinstance(outcome, Refusal):
                continue
            refused += 1
            assert case.tif in {"opg", "cls"}, at
            told = failed_instruction(Answer(outcome.status, json.dumps(outcome.body).encode()), NOON)
            assert isinstance(told, BrokerRefused)
            assert told.message == refusing(at)
            assert told.reason is RefusalReason.AUCTION_CLOSED
    assert refused == 10
