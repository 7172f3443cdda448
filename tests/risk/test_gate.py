"""Every limit at its value, one unit below and one unit above; what is not known denies; what reduces may pass."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.risk.asks import NOON, ask, judge, limits, placed, rule_of, standing
from tradecore.domain.limits import STANDARD, Action, Hours, Limits, ScopeLimits, check_limits
from tradecore.domain.values import Purpose, Side, TradingState
from tradecore.errors import InputError

UNIT = "0.000000001"


def shifted(value: str, by: str) -> str:
    return str(Decimal(value) + Decimal(by))


AMOUNTS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    # the rule, its limit, what is asked, how the account stands, the quantity that is exactly at the limit
    ("max_order_qty", {"max_order_qty": "10"}, {}, {}, "10"),
    ("max_order_notional", {"max_order_notional": "1000"}, {}, {}, "10"),
    ("max_order_notional", {"max_order_notional": "1010"}, {"limit_price": "101"}, {}, "10"),
    ("max_order_notional", {"max_order_notional": "1000"}, {"limit_price": "90", "side": Side.SELL}, {}, "10"),
    ("max_position_qty", {"max_position_qty": "50"}, {}, {"position": "20", "buys": "20"}, "10"),
    ("max_position_qty", {"max_position_qty": "50"}, {"side": Side.SELL}, {"position": "-20", "sells": "20"}, "10"),
    ("max_position_notional", {"max_position_notional": "5000"}, {}, {"position": "20", "buys": "20"}, "10"),
    ("max_position_share", {"max_position_share": "0.05"}, {}, {"position": "20", "buys": "20"}, "10"),
    ("max_gross_exposure", {"max_gross_exposure": "6000"}, {}, {"others_gross": "5000"}, "10"),
    ("max_gross_exposure_share", {"max_gross_exposure_share": "0.06"}, {}, {"others_gross": "5000"}, "10"),
    ("max_net_exposure_share", {"max_net_exposure_share": "0.06"}, {}, {"others_net": "5000"}, "10"),
    ("max_net_exposure_share", {"max_net_exposure_share": "0.06"}, {"side": Side.SELL}, {"others_net": "-5000"}, "10"),
    ("max_sector_share", {"max_sector_share": "0.06", "sectors": {"SPY": "a"}}, {}, {"sector_others": "5000"}, "10"),
    ("max_notional_per_day", {"max_notional_per_day": "6000"}, {}, {"notional_today": "5000"}, "10"),
    ("SPY max_order_qty", {"per_symbol": {"SPY": ScopeLimits(max_order_qty=Decimal(10))}}, {}, {}, "10"),
    ("SPY max_order_notional", {"per_symbol": {"SPY": ScopeLimits(max_order_notional=Decimal(1000))}}, {}, {}, "10"),
    ("momentum max_position_qty", {"per_strategy": {"momentum": ScopeLimits(max_position_qty=Decimal(50))}}, {},
     {"position": "40"}, "10"),
    ("strategy:momentum max_position_notional",
     {"per_agent": {"strategy:momentum": ScopeLimits(max_position_notional=Decimal(5000))}}, {}, {"buys": "40"}, "10"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "limit", "asked", "stands", "exact"), AMOUNTS)
def test_an_amount_at_its_limit_passes_and_one_unit_above_does_not(
    rule: str, limit: dict[str, Any], asked: dict[str, Any], stands: dict[str, Any], exact: str
) -> None:
    told, how = limits(**limit), standing(**stands)
    assert judge(told, ask(**asked, quantity=shifted(exact, f"-{UNIT}")), how).action is None
    assert judge(told, ask(**asked, quantity=exact), how).action is None
    above = judge(told, ask(**asked, quantity=shifted(exact, UNIT)), how)
    assert (above.action, rule_of(above)) == (Action.BLOCK, rule)


FIGURES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # the rule, its limit, how the account stands at the limit, and one unit above it
    ("max_open_orders", {"max_open_orders": 3}, {"open_orders": 2}, {"open_orders": 3}),
    ("max_open_positions", {"max_open_positions": 3}, {"open_positions": 2}, {"open_positions": 3}),
    ("max_orders_per_day", {"max_orders_per_day": 3}, {"orders_today": 2}, {"orders_today": 3}),
    ("max_orders_per_minute", {"max_orders_per_minute": 2}, {"recent": (placed(1),)}, {"recent": (placed(1),) * 2}),
    ("max_repeats", {"max_repeats": 2}, {"recent": (placed(59),)}, {"recent": (placed(59), placed(1))}),
    ("max_daily_loss", {"max_daily_loss": "500"}, {"day_loss": "499.99"}, {"day_loss": "500"}),
    ("max_daily_loss_share", {"max_daily_loss_share": "0.05"}, {"equity": "95000.01", "day_loss": "4999.99"},
     {"equity": "95000", "day_loss": "5000"}),
    ("SPY max_open_orders", {"per_symbol": {"SPY": ScopeLimits(max_open_orders=3)}}, {"scope_orders": {"SPY": 2}},
     {"scope_orders": {"SPY": 3}}),
    ("momentum max_orders_per_day", {"per_strategy": {"momentum": ScopeLimits(max_orders_per_day=3)}},
     {"scope_orders_today": {"momentum": 2}}, {"scope_orders_today": {"momentum": 3}}),
    ("strategy:momentum max_orders_per_minute",
     {"per_agent": {"strategy:momentum": ScopeLimits(max_orders_per_minute=2)}},
     {"recent": (placed(1), placed(1, agent="another"))}, {"recent": (placed(1), placed(2))}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "limit", "at", "above"), FIGURES)
def test_a_figure_at_its_limit_passes_and_one_unit_above_does_not(
    rule: str, limit: dict[str, Any], at: dict[str, Any], above: dict[str, Any]
) -> None:
    assert judge(limits(**limit), ask(), standing(**at)).action is None
    verdict = judge(limits(**limit), ask(), standing(**above))
    assert (verdict.action, rule_of(verdict)) == (Action.BLOCK, rule)


ASKS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # the rule, its limit, an order that is just within, one that is just outside
    ("min_confidence", {"min_confidence": "0.6"}, {"confidence": "0.6"}, {"confidence": "0.599999999"}),
    ("price_collar", {"price_collar": "0.05"}, {"limit_price": "105"}, {"limit_price": "105.01"}),
    ("price_collar", {"price_collar": "0.05"}, {"limit_price": "95"}, {"limit_price": "94.99"}),
    ("max_price_age_s", {"max_price_age_s": "5"}, {"price_at": NOON - dt.timedelta(seconds=5)},
     {"price_at": NOON - dt.timedelta(seconds=5, microseconds=1)}),
    ("max_price_age_s", {"max_price_age_s": "5"}, {"price_at": NOON + dt.timedelta(seconds=5)},
     {"price_at": NOON + dt.timedelta(seconds=5, microseconds=1)}),
    ("hours", {"hours": Hours.REGULAR}, {"session": Hours.REGULAR}, {"session": Hours.EXTENDED}),
    ("hours", {"hours": Hours.EXTENDED}, {"session": Hours.EXTENDED}, {"session": None}),
    ("must_be_tradable", {"must_be_tradable": True}, {"tradable": True}, {"tradable": False}),
    ("symbols", {"symbols": ("SPY",)}, {"symbol": "SPY"}, {"symbol": "QQQ"}),
    ("prohibited", {"prohibited": ("GME",)}, {"symbol": "SPY"}, {"symbol": "GME"}),
    ("principals", {"principals": ("somebody",)}, {"actor": "somebody"}, {"actor": "anybody"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "limit", "within", "outside"), ASKS)
def test_an_order_just_within_passes_and_one_just_outside_does_not(
    rule: str, limit: dict[str, Any], within: dict[str, Any], outside: dict[str, Any]
) -> None:
    assert judge(limits(**limit), ask(**within), standing()).action is None
    verdict = judge(limits(**limit), ask(**outside), standing())
    assert (verdict.action, rule_of(verdict)) == (Action.BLOCK, rule)


UNKNOWN: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("max_order_notional", {"max_order_notional": "1000"}, {"reference_price": None}, {}),
    ("max_order_notional", {"max_order_notional": "1000"}, {"reference_price": "0"}, {}),
    ("max_position_notional", {"max_position_notional": "1000"}, {"reference_price": None}, {}),
    ("max_position_share", {"max_position_share": "0.1"}, {"reference_price": None}, {}),
    ("max_position_share", {"max_position_share": "0.1"}, {}, {"equity": None}),
    ("max_gross_exposure", {"max_gross_exposure": "10000"}, {"reference_price": None}, {}),
    ("max_gross_exposure", {"max_gross_exposure": "10000"}, {}, {"others_gross": None}),
    ("max_gross_exposure_share", {"max_gross_exposure_share": "1"}, {}, {"equity": None}),
    ("max_net_exposure_share", {"max_net_exposure_share": "1"}, {}, {"others_net": None}),
    ("max_sector_share", {"max_sector_share": "1", "sectors": {"SPY": "a"}}, {}, {"sector_others": None}),
    ("max_notional_per_day", {"max_notional_per_day": "10000"}, {"reference_price": None}, {}),
    ("max_daily_loss", {"max_daily_loss": "1"}, {}, {"day_loss": None}),
    ("max_daily_loss_share", {"max_daily_loss_share": "1"}, {}, {"day_loss": None}),
    ("max_daily_loss_share", {"max_daily_loss_share": "1"}, {}, {"equity": None}),
    ("price_collar", {"price_collar": "0.05"}, {"limit_price": "100", "reference_price": None}, {}),
    ("max_price_age_s", {"max_price_age_s": "5"}, {"price_at": None}, {}),
    ("max_price_age_s", {"max_price_age_s": "5"}, {"at": None}, {}),
    ("duplicate_window_s", {"duplicate_window_s": "5"}, {"at": None}, {}),
    ("max_repeats", {"max_repeats": 5}, {"at": None}, {}),
    ("max_orders_per_minute", {"max_orders_per_minute": 5}, {"at": None}, {}),
    ("must_be_tradable", {"must_be_tradable": True}, {"tradable": None}, {}),
    ("hours", {"hours": Hours.REGULAR}, {"session": None}, {}),
]


@pytest.mark.parametrize(("rule", "limit", "asked", "stands"), UNKNOWN)
def test_what_is_not_known_denies(
    rule: str, limit: dict[str, Any], asked: dict[str, Any], stands: dict[str, Any]
) -> None:
    verdict = judge(limits(**limit), ask(**asked), standing(**stands))
    assert (verdict.action, rule_of(verdict)) == (Action.BLOCK, rule)


ZEROES = [
    "max_order_qty", "max_order_notional", "max_open_orders", "max_position_qty", "max_position_notional",
    "max_position_share", "max_gross_exposure", "max_gross_exposure_share", "max_net_exposure_share",
    "max_open_positions", "max_daily_loss", "max_daily_loss_share", "max_orders_per_minute", "max_orders_per_day",
    "max_notional_per_day", "max_repeats",
]  # fmt: skip


@pytest.mark.parametrize("limit", ZEROES)
def test_zero_means_zero(limit: str) -> None:
    whole = (limit.startswith("max_o") and not limit.startswith("max_order_")) or limit == "max_repeats"
    verdict = judge(limits(**{limit: 0 if whole else "0"}), ask(quantity=UNIT), standing())
    assert (verdict.action, rule_of(verdict)) == (Action.BLOCK, limit)


@pytest.mark.parametrize("quantity", ["0", "-1", Decimal("NaN"), Decimal("Infinity")])
def test_a_quantity_that_is_none_is_blocked_whatever_the_limits_say(quantity: Any) -> None:
    verdict = judge(limits(actions={"quantity": Action.WARN}), ask(quantity=quantity), standing())
    assert (verdict.action, rule_of(verdict)) == (Action.BLOCK, "quantity")


def test_without_limits_everything_that_is_a_quantity_passes() -> None:
    verdict = judge(Limits(), ask(quantity="1000000"), standing())
    assert (verdict.action, verdict.allows, verdict.reason) == (None, True, "")


# --- again and again ------------------------------------------------------------------------------------------------


def test_the_same_order_again_within_the_window_is_blocked_unless_it_is_meant() -> None:
    told = limits(duplicate_window_s="10")
    again = standing(recent=(placed(9.999),))
    assert rule_of(judge(told, ask(), again)) == "duplicate_window_s"
    assert judge(told, ask(repeat_is_meant=True), again).action is None
    assert judge(told, ask(), standing(recent=(placed(10),))).action is None
    for other in ({"quantity": "11"}, {"side": Side.SELL}, {"symbol": "QQQ"}):
        assert judge(told, ask(**other), again).action is None


def test_repeats_count_one_strategy_symbol_and_side() -> None:
    told = limits(max_repeats=1)
    for other in ({"strategy": "another"}, {"side": Side.SELL}, {"symbol": "QQQ"}):
        assert judge(told, ask(), standing(recent=(placed(1, **other),))).action is None
    assert rule_of(judge(told, ask(), standing(recent=(placed(1, quantity=Decimal(99)),)))) == "max_repeats"


# --- self-cross -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "limit", "others", "crosses"),
    [
        (Side.BUY, "100", ("100",), True),
        (Side.BUY, "99.99", ("100",), False),
        (Side.SELL, "100", ("100",), True),
        (Side.SELL, "100.01", ("100",), False),
        (Side.BUY, None, ("100",), True),
        (Side.BUY, "1", (None,), True),
        (Side.BUY, None, (), False),
    ],
)
def test_own_orders_never_meet(side: Side, limit: str | None, others: tuple[str | None, ...], crosses: bool) -> None:
    prices = tuple(None if one is None else Decimal(one) for one in others)
    verdict = judge(limits(no_self_cross=True), ask(side=side, limit_price=limit), standing(opposite_prices=prices))
    assert (verdict.action is Action.BLOCK) is crosses


# --- what takes risk away -------------------------------------------------------------------------------------------

EVERYTHING = limits(
    max_order_qty="1", max_order_notional="1", max_open_orders=0, max_position_qty="1", max_gross_exposure="1",
    max_open_positions=0, max_daily_loss="0", max_orders_per_day=0, max_orders_per_minute=0, max_notional_per_day="0",
    hours=Hours.REGULAR, must_be_tradable=True, min_confidence="1", symbols=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("side", "quantity", "stands", "reduces"),
    [
        (Side.SELL, "10", {"position": "10"}, True),
        (Side.SELL, shifted("10", UNIT), {"position": "10"}, False),
        (Side.SELL, "6", {"position": "10", "sells": "4"}, True),
        (Side.SELL, shifted("6", UNIT), {"position": "10", "sells": "4"}, False),
        (Side.BUY, "10", {"position": "-10"}, True),
        (Side.BUY, "6", {"position": "-10", "buys": "4"}, True),
        (Side.BUY, shifted("6", UNIT), {"position": "-10", "buys": "4"}, False),
        (Side.SELL, "1", {}, False),
        (Side.BUY, "1", {"position": "10"}, False),
    ],
)
def test_an_order_that_only_takes_risk_away_passes_every_limit_on_risk(
    side: Side, quantity: str, stands: dict[str, Any], reduces: bool
) -> None:
    asked = ask(side=side, quantity=quantity, session=None, tradable=None, reference_price=None)
    assert (judge(EVERYTHING, asked, standing(**stands)).action is None) is reduces
    only = standing(**stands, state=TradingState.REDUCE_ONLY)
    assert (judge(Limits(), asked, only).action is None) is reduces


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("state", list(TradingState))
def test_states_let_through_what_they_should(state: TradingState, purpose: Purpose) -> None:
    opening = judge(Limits(), ask(purpose=purpose), standing(state=state))
    reducing = judge(Limits(), ask(purpose=purpose, side=Side.SELL), standing(state=state, position="10"))
    assert opening.allows is (state is TradingState.ACTIVE)
    assert reducing.allows is (state is not TradingState.HALTED or purpose is not Purpose.TRADE)


def test_no_setting_lets_an_order_through_a_halt() -> None:
    told = limits(actions={"state": Action.WARN, "max_order_qty": Action.WARN})
    assert judge(told, ask(), standing(state=TradingState.HALTED)).action is Action.BLOCK


def test_protection_passes_the_collar_and_the_windows_and_a_plain_sale_does_not() -> None:
    told = limits(price_collar="0.01", duplicate_window_s="60", max_repeats=0)
    held = standing(position="10", recent=(placed(1, side=Side.SELL),))
    sale = {"side": Side.SELL, "limit_price": "50"}
    assert judge(told, ask(**sale, purpose=Purpose.PROTECT), held).action is None
    assert not judge(told, ask(**sale), held).allows


# --- actions --------------------------------------------------------------------------------------------------------


def test_the_strictest_action_decides() -> None:
    told = limits(
        max_order_qty="5", max_order_notional="500", max_position_qty="5",
        actions={"max_order_qty": Action.WARN, "max_order_notional": Action.APPROVE, "max_position_qty": Action.REDUCE},
    )  # fmt: skip
    verdict = judge(told, ask(), standing())
    assert (verdict.action, rule_of(verdict), verdict.allows) == (Action.APPROVE, "max_order_notional", False)
    assert "1000; allowed is at most 500" in verdict.reason


def test_a_warning_lets_the_order_through_and_says_so() -> None:
    verdict = judge(limits(max_order_qty="5", actions={"max_order_qty": Action.WARN}), ask(), standing())
    assert (verdict.action, verdict.allows, verdict.quantity) == (Action.WARN, True, Decimal(10))


@pytest.mark.parametrize(
    ("limit", "stands", "left"),
    [
        ({"max_order_qty": "7.5"}, {}, "7"),
        ({"max_position_share": "0.0055"}, {"position": "1"}, "4"),
        ({"max_order_notional": "250"}, {}, "2"),
        ({"max_gross_exposure": "5100"}, {"others_gross": "5000"}, "1"),
    ],
)
def test_a_reduced_order_is_the_largest_whole_one_that_keeps_every_limit(
    limit: dict[str, Any], stands: dict[str, Any], left: str
) -> None:
    told = limits(**limit, actions=dict.fromkeys(limit, Action.REDUCE))
    verdict = judge(told, ask(), standing(**stands))
    assert (verdict.action, verdict.quantity) == (Action.REDUCE, Decimal(left))
    assert judge(told, ask(quantity=str(verdict.quantity)), standing(**stands)).action is None
    assert judge(told, ask(quantity=str(verdict.quantity + 1)), standing(**stands)).action is Action.REDUCE


def test_what_cannot_be_reduced_to_anything_is_blocked() -> None:
    told = limits(max_order_qty="0.5", actions={"max_order_qty": Action.REDUCE})
    assert judge(told, ask(), standing()).action is Action.BLOCK


# --- limits themselves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_order_qty": "-1"}, "max_order_qty"),
        ({"max_order_qty": Decimal("NaN")}, "max_order_qty"),
        ({"max_open_orders": -1}, "max_open_orders"),
        ({"price_collar": "1.1"}, "price_collar"),
        ({"min_confidence": "60"}, "min_confidence"),
        ({"per_symbol": {"SPY": ScopeLimits(max_open_orders=-1)}}, "per_symbol.SPY.max_open_orders"),
        ({"actions": {"nonsense": Action.WARN}}, "actions.nonsense"),
        ({"actions": {"hours": Action.REDUCE}}, "actions.hours"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        check_limits(limits(**changes))
    assert refused.value.field == field


def test_the_standard_limits_are_the_documented_ones() -> None:
    check_limits(STANDARD)
    assert (STANDARD.max_position_share, STANDARD.max_gross_exposure_share) == (Decimal("0.1"), Decimal("0.5"))
    assert (STANDARD.max_open_positions, STANDARD.max_daily_loss_share) == (15, Decimal("0.05"))
    assert (STANDARD.max_sector_share, STANDARD.min_confidence) == (Decimal("0.25"), Decimal("0.6"))
