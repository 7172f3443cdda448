"""Edges of the gate that ordinary orders do not come near: small prices, one-sided books, what is said and not set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.ledger.desk import Desk
from tests.risk.asks import NOON, ask, judge, limits, rule_of, standing
from tradecore.domain.account import AccountState
from tradecore.domain.exposure import Book, Exposure
from tradecore.domain.gate.figures import Check
from tradecore.domain.gate.standing import standing_of
from tradecore.domain.limits import Action, Limits, ScopeLimits, Step, check_limits
from tradecore.domain.reducing import is_against, reduces
from tradecore.domain.reservations import Reservation
from tradecore.domain.tempo import Tempo
from tradecore.domain.values import Side

D = Decimal
CENT = D("0.01")


def told(rule: str, limit: Limits, asked: dict[str, Any], stands: dict[str, Any]) -> Check:
    """The check that a rule makes."""
    (check,) = (one for one in judge(limit, ask(**asked), standing(**stands)).checks if one.rule == rule)
    return check


# --- amounts --------------------------------------------------------------------------------------------------------


def test_a_price_below_one_is_a_price() -> None:
    cheap = ask(reference_price="0.5", quantity="10")
    assert judge(limits(max_order_notional="5"), cheap, standing()).action is None
    assert rule_of(judge(limits(max_order_notional="4.99"), cheap, standing())) == "max_order_notional"


def test_a_first_order_counts_as_one_for_its_scope() -> None:
    once = {"SPY": ScopeLimits(max_open_orders=1, max_orders_per_day=1)}
    assert judge(limits(per_symbol=once), ask(), standing()).action is None
    never = {"SPY": ScopeLimits(max_open_orders=0)}
    assert rule_of(judge(limits(per_symbol=never), ask(), standing())) == "SPY max_open_orders"


def test_net_exposure_of_a_sale_counts_what_is_open_to_be_sold() -> None:
    """5 open and 10 asked for at 100 are 1,500 short: 1.5 % of 100,000."""
    short = ask(side=Side.SELL, quantity="10")
    assert judge(limits(max_net_exposure_share="0.015"), short, standing(sells="5")).action is None
    assert rule_of(judge(limits(max_net_exposure_share="0.01499"), short, standing(sells="5"))) is not None


@pytest.mark.parametrize("rule", ["max_net_exposure_share", "max_gross_exposure_share", "max_sector_share"])
def test_no_price_denies_every_exposure(rule: str) -> None:
    limit = limits(**{rule: "0.5"}, sectors={"SPY": "index"})
    assert rule_of(judge(limit, ask(reference_price=None), standing())) == rule


def test_a_symbol_without_a_sector_is_in_nobodys_sector() -> None:
    limit = limits(max_sector_share="0.25", sectors={"QQQ": "tech"})
    assert judge(limit, ask(), standing(sector_others=None)).action is None


@pytest.mark.parametrize("open_", [{"position": "1"}, {"buys": "1"}, {"sells": "1"}, {"position": "-1"}])
def test_a_symbol_that_is_held_or_open_is_no_further_position(open_: dict[str, str]) -> None:
    limit = limits(max_open_positions=3)
    assert judge(limit, ask(), standing(open_positions=3, **open_)).action is None
    assert rule_of(judge(limit, ask(), standing(open_positions=3))) == "max_open_positions"


# --- conduct --------------------------------------------------------------------------------------------------------


def test_what_is_not_set_is_not_checked() -> None:
    assert [check.rule for check in judge(limits(), ask(), standing()).checks] == ["quantity", "state"]


@pytest.mark.parametrize(
    ("rule", "limit", "asked", "found", "allowed"),
    [
        ("principals", {"principals": ()}, {}, "strategy:momentum", "nobody"),
        ("principals", {"principals": ("cli:a", "cli:b")}, {}, "strategy:momentum", "cli:a cli:b"),
        ("must_be_tradable", {"must_be_tradable": True}, {"tradable": None}, "not known", None),
        ("must_be_tradable", {"must_be_tradable": True}, {"tradable": False}, "false", None),
        ("price_collar", {"price_collar": "0.1"}, {"limit_price": "9", "reference_price": None}, "no reference price",
         None),
        ("price_collar", {"price_collar": "0.1"}, {"limit_price": "9", "reference_price": "0"}, "no reference price",
         None),
        ("max_repeats", {"max_repeats": 0}, {}, "1", None),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_found_and_what_is_allowed(
    rule: str, limit: dict[str, Any], asked: dict[str, Any], found: str, allowed: str | None
) -> None:
    check = told(rule, limits(**limit), asked, {})
    assert (check.ok, check.found) == (False, found)
    assert allowed in (None, check.allowed)


def test_an_order_by_hand_needs_no_confidence_nor_does_one_that_says_none() -> None:
    floor = limits(min_confidence="0.6")
    assert judge(floor, ask(is_decision=False, confidence="0.1"), standing()).action is None
    assert judge(floor, ask(confidence=None), standing()).action is None


def test_whoever_approves_everything_is_asked_by_that_name() -> None:
    verdict = judge(limits(approve_all=True), ask(), standing())
    assert (verdict.action, rule_of(verdict)) == (Action.APPROVE, "approve_all")


def test_a_collar_is_for_limit_prices_and_holds_at_small_ones() -> None:
    collar = limits(price_collar="0.1")
    assert judge(collar, ask(), standing()).action is None
    penny = {"reference_price": "0.5", "side": Side.SELL}
    assert judge(collar, ask(limit_price="0.45", **penny), standing()).action is None
    assert rule_of(judge(collar, ask(limit_price="0.4499", **penny), standing())) == "price_collar"


@pytest.mark.parametrize(
    ("side", "limit", "reference", "price"),
    [
        (Side.BUY, "90", "100", "90"),
        (Side.BUY, None, "100", "100"),
        (Side.SELL, "90", "100", "100"),
        (Side.SELL, "110", "100", "110"),
        (Side.SELL, "90", None, "90"),
    ],
)
def test_the_price_to_reckon_with_is_the_dearer_one_for_a_sale_and_the_limit_for_a_purchase(
    side: Side, limit: str | None, reference: str | None, price: str
) -> None:
    assert ask(side=side, limit_price=limit, reference_price=reference).price == D(price)


def test_one_whole_unit_is_left_of_an_order_that_is_reduced_to_one() -> None:
    limit = limits(max_order_qty="1", actions={"max_order_qty": Action.REDUCE})
    verdict = judge(limit, ask(quantity="1.5"), standing())
    assert (verdict.action, verdict.quantity) == (Action.REDUCE, D(1))


# --- limits that can be meant ---------------------------------------------------------------------------------------


def test_a_limit_that_no_smaller_order_keeps_may_warn_or_ask() -> None:
    for action in (Action.WARN, Action.APPROVE, Action.BLOCK):
        check_limits(limits(max_orders_per_day=1, actions={"max_orders_per_day": action}))


def test_a_step_may_begin_at_zero() -> None:
    check_limits(Limits(loss_steps=(Step(D(0), D("0.5")), Step(CENT, D(0)))))


# --- how the account stands -----------------------------------------------------------------------------------------


def account(**known: Any) -> AccountState:
    return attrs.evolve(AccountState("main", broker_account_id="b", cash=D(1000)), **known)


def test_a_days_loss_is_known_only_when_both_ends_of_it_are() -> None:
    today = Tempo(NOON.date(), D(1010))
    assert standing_of(account(tempo=today), ask(), NOON).day_loss == 10
    assert standing_of(account(tempo=Tempo(NOON.date(), None)), ask(), NOON).day_loss is None
    unpriced = Exposure().with_book("QQQ", Book(D(1)))
    assert standing_of(account(tempo=today, exposure=unpriced), ask(), NOON).day_loss is None


def test_others_are_reckoned_on_the_side_of_the_order() -> None:
    """QQQ at 10: 5 held, 3 open to be bought, 20 to be sold."""
    exposure = Exposure().with_both("QQQ", Book(D(5), D(3), D(20)), D(10)).with_both("SPY", Book(D(7)), D(100))
    assert standing_of(account(exposure=exposure), ask(), NOON).others_net == 80
    assert standing_of(account(exposure=exposure), ask(side=Side.SELL), NOON).others_net == -150


@pytest.mark.parametrize(
    ("unpriced", "is_known"), [({"IWM": "index"}, False), ({"IWM": "other"}, True), ({"SPY": "index"}, True)]
)
def test_a_sector_is_known_when_everything_in_it_has_a_price(unpriced: dict[str, str], is_known: bool) -> None:
    """The order's own symbol is reckoned at the order's price."""
    sectors = {"SPY": "index", "QQQ": "index"} | unpriced
    exposure = Exposure().with_sectors(sectors).with_both("QQQ", Book(D(2)), D(10))
    for symbol in unpriced:
        exposure = exposure.with_book(symbol, Book(D(1)))
    found = standing_of(account(exposure=exposure, limits=Limits(sectors=sectors)), ask(), NOON).sector_others
    assert found == (D(20) if is_known else None)


def reserved(symbol: str, side: Side, price: str) -> Reservation:
    return Reservation("t", "momentum", symbol, side, D(1), limit_price=D(price), counted=D(1))


def test_only_the_other_side_of_the_same_symbol_can_be_met() -> None:
    reservations = {
        "a": reserved("SPY", Side.SELL, "101"),
        "b": reserved("SPY", Side.BUY, "99"),
        "c": reserved("QQQ", Side.SELL, "50"),
        "d": reserved("QQQ", Side.BUY, "49"),
    }
    exposure = Exposure().with_opened((one.symbol, one.side, D(1)) for one in reservations.values())
    crossing = account(reservations=reservations, exposure=exposure, limits=Limits(no_self_cross=True))
    assert standing_of(crossing, ask(), NOON).opposite_prices == (D(101),)
    assert standing_of(crossing, ask(side=Side.SELL), NOON).opposite_prices == (D(99),)


def test_an_order_that_only_makes_a_position_smaller_is_found_by_every_unit() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "0.5", "10", "BTC/USD")
    desk.done("buy", "10", "5")
    desk.live("sell", "2", limit="9")
    desk.live("sell", "0.1", "BTC/USD", limit="19")
    mine = desk.live("sell", "3", limit="9")
    desk.live("buy", "4", limit="1")
    state = desk.account
    assert not is_against(state, "BTC/USD", Side.BUY, D("0.1")), "half a unit held is held"
    assert is_against(state, "BTC/USD", Side.SELL, D("0.5"))
    assert not reduces(state, "", "BTC/USD", Side.BUY, D("0.1"))
    assert reduces(state, "", "SPY", Side.SELL, D(5)), "10 held, 5 of them open to be sold"
    assert not reduces(state, "", "SPY", Side.SELL, D("5.1"))
    assert reduces(state, mine, "SPY", Side.SELL, D(8)), "an order does not stand in its own way"
    assert reduces(state, "", "BTC/USD", Side.SELL, D("0.4"))


def test_a_flat_position_is_neither_reduced_nor_opposed() -> None:
    desk = Desk.in_memory()
    desk.done("buy", "10", "5")
    desk.done("sell", "10", "5")
    for side in Side:
        assert not is_against(desk.account, "SPY", side, D(0))
        assert not reduces(desk.account, "", "SPY", side, D(0))
