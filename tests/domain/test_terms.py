"""Every combination of terms that no market takes is refused, by the field and the rule that refuse it."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tradecore.domain.terms import StopLoss, TakeProfit, body_hash, check_terms, legs_of, size
from tradecore.domain.values import Leg, OrderClass, OrderType, Side, TimeInForce
from tradecore.errors import InputError

D = Decimal


@attrs.frozen
class Asked:
    """Terms, as simple as they come."""

    symbol: str = "SPY"
    side: Side = Side.BUY
    quantity: Decimal | None = D(10)
    notional: Decimal | None = None
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    client_order_id: str = "tc-0a1b2c3d-00000000000000000000000000000001"
    replaces: str | None = None


LIMIT: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": D(100)}
STOP: dict[str, Any] = {"order_type": OrderType.STOP, "stop_price": D(90)}
STOP_LIMIT: dict[str, Any] = {"order_type": OrderType.STOP_LIMIT, "stop_price": D(90), "limit_price": D(89)}
TRAIL: dict[str, Any] = {"order_type": OrderType.TRAILING_STOP, "trail_percent": D(1)}
BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "take_profit": TakeProfit(D(110)),
    "stop_loss": StopLoss(D(90)),
}
OTO: dict[str, Any] = {"order_class": OrderClass.OTO, "stop_loss": StopLoss(D(90))}
OCO: dict[str, Any] = {"order_class": OrderClass.OCO, "side": Side.SELL, "stop_loss": StopLoss(D(90)), **LIMIT}
CRYPTO: dict[str, Any] = {"symbol": "BTC/USD", "time_in_force": TimeInForce.GTC}
WHOLE_TYPES: dict[OrderType, dict[str, Any]] = {
    OrderType.MARKET: {},
    OrderType.LIMIT: LIMIT,
    OrderType.STOP: STOP,
    OrderType.STOP_LIMIT: STOP_LIMIT,
    OrderType.TRAILING_STOP: TRAIL,
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "market": {},
    "market on open": {"time_in_force": TimeInForce.OPG},
    "market on close": {"time_in_force": TimeInForce.CLS},
    "market, fill or kill": {"time_in_force": TimeInForce.FOK},
    "limit": LIMIT,
    "limit, immediate or cancel": {**LIMIT, "time_in_force": TimeInForce.IOC},
    "limit in extended hours": {**LIMIT, "extended_hours": True},
    "limit in extended hours, good till canceled": {
        **LIMIT,
        "extended_hours": True,
        "time_in_force": TimeInForce.GTC,
    },
    "stop": STOP,
    "stop limit": STOP_LIMIT,
    "trail in percent": TRAIL,
    "trail in dollars": {"order_type": OrderType.TRAILING_STOP, "trail_price": D("0.5")},
    "fraction": {"quantity": D("0.5")},
    "fraction with a limit": {"quantity": D("0.5"), **LIMIT},
    "amount of money": {"quantity": None, "notional": D("50.25")},
    "bracket around a market order": BRACKET,
    "bracket around a limit order": {**BRACKET, **LIMIT},
    "bracket with a stop limit": {**BRACKET, "stop_loss": StopLoss(D(90), D(89))},
    "bracket to sell short": {
        **BRACKET,
        "side": Side.SELL,
        "take_profit": TakeProfit(D(90)),
        "stop_loss": StopLoss(D(110)),
    },
    "oto with a stop": OTO,
    "oto with a profit": {"order_class": OrderClass.OTO, "take_profit": TakeProfit(D(110))},
    "oco": OCO,
    "crypto": CRYPTO,
    "crypto, a fraction, good till canceled": {**CRYPTO, "quantity": D("0.000000001")},
    "crypto, immediate or cancel": {**CRYPTO, "time_in_force": TimeInForce.IOC},
    "crypto stop limit": {**CRYPTO, **STOP_LIMIT},
    "a hundredth of a cent below a dollar": {"order_type": OrderType.LIMIT, "limit_price": D("0.1234")},
}

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    # amounts
    "neither quantity nor money": ({"quantity": None}, "quantity", "above zero"),
    "both quantity and money": ({"notional": D(5)}, "notional", "not both"),
    "zero units": ({"quantity": D(0)}, "quantity", "above zero"),
    "negative units": ({"quantity": D(-1)}, "quantity", "above zero"),
    "NaN units": ({"quantity": D("NaN")}, "quantity", "above zero"),
    "endless units": ({"quantity": D("Infinity")}, "quantity", "above zero"),
    "no money": ({"quantity": None, "notional": D(0)}, "notional", "above zero"),
    "NaN money": ({"quantity": None, "notional": D("NaN")}, "notional", "above zero"),
    # prices that a type needs, and those that it has none of
    "limit without a price": ({"order_type": OrderType.LIMIT}, "limit_price", "limit order needs one"),
    "stop without a price": ({"order_type": OrderType.STOP}, "stop_price", "stop order needs one"),
    "stop limit without a limit": (
        {"order_type": OrderType.STOP_LIMIT, "stop_price": D(90)},
        "limit_price",
        "stop_limit order needs one",
    ),
    "stop limit without a stop": (
        {"order_type": OrderType.STOP_LIMIT, "limit_price": D(90)},
        "stop_price",
        "stop_limit order needs one",
    ),
    "trail without a distance": ({"order_type": OrderType.TRAILING_STOP}, "trail_price", "trailing stop"),
    "trail with two distances": ({**TRAIL, "trail_price": D(1)}, "trail_price", "either"),
    "trail of 100 percent": ({**TRAIL, "trail_percent": D(100)}, "trail_percent", "below 100"),
    "trail of NaN percent": ({**TRAIL, "trail_percent": D(0)}, "trail_percent", "above 0"),
    "market with a limit": ({"limit_price": D(100)}, "limit_price", "market order has none"),
    "market with a stop": ({"stop_price": D(100)}, "stop_price", "market order has none"),
    "limit with a trail": ({**LIMIT, "trail_price": D(1)}, "trail_price", "limit order has none"),
    "limit with a trail percentage": ({**LIMIT, "trail_percent": D(1)}, "trail_percent", "limit order has none"),
    "limit of zero": ({"order_type": OrderType.LIMIT, "limit_price": D(0)}, "limit_price", "above zero"),
    "limit of NaN": ({"order_type": OrderType.LIMIT, "limit_price": D("NaN")}, "limit_price", "above zero"),
    "negative stop": ({"order_type": OrderType.STOP, "stop_price": D(-1)}, "stop_price", "above zero"),
    # increments
    "a tenth of a cent above a dollar": (
        {"order_type": OrderType.LIMIT, "limit_price": D("1.001")},
        "limit_price",
        "at most 2 places",
    ),
    "too fine below a dollar": (
        {"order_type": OrderType.LIMIT, "limit_price": D("0.12345")},
        "limit_price",
        "at most 4 places",
    ),
    "too fine a stop": ({"order_type": OrderType.STOP, "stop_price": D("90.001")}, "stop_price", "at most 2 places"),
    "too fine a profit": (
        {**BRACKET, "take_profit": TakeProfit(D("110.001"))},
        "take_profit.limit_price",
        "at most 2 places",
    ),
    "too fine a loss": ({**BRACKET, "stop_loss": StopLoss(D("90.001"))}, "stop_loss.stop_price", "at most 2 places"),
    "too fine a limit of the loss": (
        {**BRACKET, "stop_loss": StopLoss(D(90), D("89.001"))},
        "stop_loss.limit_price",
        "at most 2 places",
    ),
    # sessions
    "market in extended hours": ({"extended_hours": True}, "extended_hours", "limit order"),
    "stop in extended hours": ({**STOP, "extended_hours": True}, "extended_hours", "limit order"),
    "ioc in extended hours": (
        {**LIMIT, "extended_hours": True, "time_in_force": TimeInForce.IOC},
        "extended_hours",
        "limit order",
    ),
    "crypto in extended hours": ({**CRYPTO, **LIMIT, "extended_hours": True}, "extended_hours", "around the clock"),
    "bracket in extended hours": ({**BRACKET, **LIMIT, "extended_hours": True}, "order_class", "extended hours"),
    # time in force
    "fraction, good till canceled": (
        {"quantity": D("0.5"), "time_in_force": TimeInForce.GTC},
        "time_in_force",
        "fractional",
    ),
    "money, good till canceled": (
        {"quantity": None, "notional": D(5), "time_in_force": TimeInForce.GTC},
        "time_in_force",
        "fractional",
    ),
    "stop, immediate or cancel": ({**STOP, "time_in_force": TimeInForce.IOC}, "time_in_force", "is a stop"),
    "trail, fill or kill": ({**TRAIL, "time_in_force": TimeInForce.FOK}, "time_in_force", "is a trailing_stop"),
    "trail of a fraction": ({**TRAIL, "quantity": D("0.5")}, "quantity", "no fractions"),
    "bracket on open": ({**BRACKET, "time_in_force": TimeInForce.OPG}, "time_in_force", "is a bracket"),
    # crypto
    "crypto for the day": ({"symbol": "BTC/USD"}, "time_in_force", "for crypto"),
    "crypto stop": ({**CRYPTO, **STOP}, "order_type", "for crypto"),
    "crypto trail": ({**CRYPTO, **TRAIL}, "order_type", "for crypto"),
    "crypto bracket": ({**CRYPTO, **BRACKET}, "order_class", "for crypto"),
    # classes
    "simple with a profit": ({"take_profit": TakeProfit(D(110))}, "order_class", "no legs"),
    "simple with a loss": ({"stop_loss": StopLoss(D(90))}, "order_class", "no legs"),
    "bracket without a profit": ({**BRACKET, "take_profit": None}, "order_class", "take-profit and a stop-loss"),
    "bracket without a loss": ({**BRACKET, "stop_loss": None}, "order_class", "take-profit and a stop-loss"),
    "oto with both": ({**BRACKET, "order_class": OrderClass.OTO}, "order_class", "one of them"),
    "oto with neither": ({"order_class": OrderClass.OTO}, "order_class", "one of them"),
    "oco with a profit": ({**OCO, "take_profit": TakeProfit(D(110))}, "order_class", "stop-loss only"),
    "oco of a market order": (
        {**OCO, "order_type": OrderType.MARKET, "limit_price": None},
        "order_type",
        "limit, for an order of class oco",
    ),
    "bracket of a stop": ({**BRACKET, **STOP}, "order_type", "market or limit"),
    "bracket of a fraction": ({**BRACKET, "quantity": D("0.5")}, "order_class", "fractional"),
    # prices of legs
    "a profit below the entry": (
        {**BRACKET, **LIMIT, "take_profit": TakeProfit(D(99))},
        "take_profit.limit_price",
        "direction of a profit",
    ),
    "a loss above the entry": ({**BRACKET, **LIMIT, "stop_loss": StopLoss(D(101))}, "stop_loss.stop_price", "0.01"),
    "a loss above the profit": ({**BRACKET, "stop_loss": StopLoss(D(111))}, "stop_loss.stop_price", "0.01"),
    "a loss at the target of an oco": ({**OCO, "stop_loss": StopLoss(D(100))}, "stop_loss.stop_price", "0.01"),
    "a profit of nothing": (
        {**BRACKET, "take_profit": TakeProfit(D(0))},
        "take_profit.limit_price",
        "above zero",
    ),
    "a loss of NaN": ({**BRACKET, "stop_loss": StopLoss(D("NaN"))}, "stop_loss.stop_price", "above zero"),
    "a limit of the loss of zero": (
        {**BRACKET, "stop_loss": StopLoss(D(90), D(0))},
        "stop_loss.limit_price",
        "above zero",
    ),
}


@pytest.mark.parametrize("terms", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_a_market_takes_is_let_through(terms: dict[str, Any]) -> None:
    check_terms(Asked(**terms))


@pytest.mark.parametrize(("terms", "field", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_market_takes_is_refused_by_its_field_and_rule(terms: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        check_terms(Asked(**terms))
    assert caught.value.field == field
    assert rule in caught.value.expected


def test_every_combination_of_type_class_time_session_and_asset_is_taken_or_refused_by_a_named_rule() -> None:
    """960 combinations: none ends in anything but an agreement or an `InputError` that names a field."""
    fields = set()
    taken = 0
    classes: dict[OrderClass, dict[str, Any]] = {
        OrderClass.SIMPLE: {},
        OrderClass.BRACKET: BRACKET,
        OrderClass.OTO: OTO,
        OrderClass.OCO: {key: OCO[key] for key in ("order_class", "side", "stop_loss")},
    }
    quantities: tuple[dict[str, Any], ...] = ({}, {"quantity": D("0.5")})
    symbols = ("SPY", "BTC/USD")
    for kind, order_class, force, extended, amount, symbol in itertools.product(
        WHOLE_TYPES, classes, TimeInForce, (False, True), quantities, symbols
    ):
        terms = {**WHOLE_TYPES[kind], **classes[order_class], **amount}
        asked = Asked(**{**terms, "time_in_force": force, "extended_hours": extended, "symbol": symbol})
        try:
            check_terms(asked)
        except InputError as refusal:
            fields.add(refusal.field)
            continue
        taken += 1
        assert not (symbol == "BTC/USD" and (extended or order_class is not OrderClass.SIMPLE))
        assert not (extended and kind is not OrderType.LIMIT)
        assert not (amount and order_class is not OrderClass.SIMPLE)
    assert fields == {"time_in_force", "order_type", "order_class", "extended_hours", "quantity"}
    assert taken == 47


@pytest.mark.parametrize(
    ("terms", "legs"),
    [
        ({}, ()),
        (BRACKET, (Leg.TAKE_PROFIT, Leg.STOP_LOSS)),
        (OTO, (Leg.STOP_LOSS,)),
        ({"order_class": OrderClass.OTO, "take_profit": TakeProfit(D(110))}, (Leg.TAKE_PROFIT,)),
        (OCO, (Leg.STOP_LOSS,)),
    ],
)
def test_the_legs_that_an_order_brings_along(terms: dict[str, Any], legs: tuple[Leg, ...]) -> None:
    assert legs_of(Asked(**terms)) == legs


def test_an_amount_of_money_counts_at_the_most_that_it_buys() -> None:
    money = Asked(quantity=None, notional=D(100))
    assert size(money, D(3)) == D("33.333333334")
    assert size(money, None) is None
    assert size(money, D(0)) is None
    assert size(Asked(), None) == 10


CHANGES: tuple[dict[str, Any], ...] = (
    {"symbol": "QQQ"},
    {"side": Side.SELL},
    {"quantity": D(11)},
    {"quantity": None, "notional": D(10)},
    {"order_type": OrderType.LIMIT},
    {"limit_price": D(1)},
    {"stop_price": D(1)},
    {"trail_price": D(1)},
    {"trail_percent": D(1)},
    {"time_in_force": TimeInForce.GTC},
    {"extended_hours": True},
    {"order_class": OrderClass.OTO},
    {"take_profit": TakeProfit(D(1))},
    {"stop_loss": StopLoss(D(1))},
    {"stop_loss": StopLoss(D(1), D(2))},
    {"client_order_id": "tc-0a1b2c3d-00000000000000000000000000000002"},
    {"replaces": "00000000-0000-0000-0000-000000000001"},
)


def test_the_hash_changes_with_everything_that_can_be_sent() -> None:
    hashes = {body_hash(Asked()), *(body_hash(Asked(**change)) for change in CHANGES)}
    assert len(hashes) == 1 + len(CHANGES)


@pytest.mark.parametrize(
    ("terms", "begins"),
    [
        ({}, "5ed8ff407dddd5ac"),
        (LIMIT, "b5fc7497f4107e24"),
        ({**LIMIT, "extended_hours": True}, "c6eaca9548c28aa8"),
        (STOP, "bca8867d2cb4c8e1"),
        (STOP_LIMIT, "d468ccf864897f32"),
        (TRAIL, "e6145b24d2e4cb7c"),
        ({"order_type": OrderType.TRAILING_STOP, "trail_price": D("0.5")}, "f6b6325f04ff1623"),
        ({"quantity": None, "notional": D("50.25")}, "3bd09f4505daec61"),
        (BRACKET, "da89a2a8d1e48f4c"),
        ({**BRACKET, "stop_loss": StopLoss(D(90), D(89))}, "8e91e1e53301dd68"),
        (OTO, "808f8c79b405844e"),
        (OCO, "2e362d27fa166d89"),
        ({"replaces": "o1"}, "01f04f1c893b36d5"),
    ],
)
def test_an_order_keeps_the_hash_that_earlier_versions_gave_it(terms: dict[str, Any], begins: str) -> None:
    """What is queued in a ledger is sent by later versions: another hash would stop it."""
    found = body_hash(Asked(**terms))
    assert (found[:16], len(found)) == (begins, 64)


@pytest.mark.parametrize(
    ("terms", "field", "value"),
    [
        ({**TRAIL, "trail_price": D(2)}, "trail_price", "2 and 1 percent"),
        ({"order_type": OrderType.TRAILING_STOP}, "trail_price", None),
        ({**BRACKET, "order_class": OrderClass.OTO}, "order_class", "oto with take_profit and stop_loss"),
        ({**OTO, "order_class": OrderClass.SIMPLE}, "order_class", "simple with stop_loss"),
        ({"order_class": OrderClass.OTO}, "order_class", "oto with no legs"),
        ({"extended_hours": True}, "extended_hours", True),
        ({**CRYPTO, **LIMIT, "extended_hours": True}, "extended_hours", True),
        ({**BRACKET, **LIMIT, "take_profit": TakeProfit(D(99))}, "take_profit.limit_price", D(99)),
        ({**BRACKET, **LIMIT, "stop_loss": StopLoss(D(101))}, "stop_loss.stop_price", D(101)),
    ],
)
def test_a_refusal_names_what_was_asked(terms: dict[str, Any], field: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        check_terms(Asked(**terms))
    assert (caught.value.field, caught.value.value) == (field, value)


@pytest.mark.parametrize(
    "terms",
    [
        {**BRACKET, **LIMIT, "take_profit": TakeProfit(D("100.01")), "stop_loss": StopLoss(D("99.99"))},
        {"order_type": OrderType.LIMIT, "limit_price": D("1.00")},
        {"order_type": OrderType.LIMIT, "limit_price": D("0.9999")},
        {**CRYPTO, "order_type": OrderType.LIMIT, "limit_price": D("1.000000001")},
    ],
)
def test_a_cent_is_enough_and_so_is_the_increment(terms: dict[str, Any]) -> None:
    check_terms(Asked(**terms))


@pytest.mark.parametrize(
    "terms",
    [
        {**BRACKET, **LIMIT, "take_profit": TakeProfit(D("100.00"))},
        {"order_type": OrderType.LIMIT, "limit_price": D("1.0001")},
        {"order_type": OrderType.LIMIT, "limit_price": D("0.99999")},
    ],
)
def test_less_than_a_cent_or_finer_than_the_increment_is_not(terms: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        check_terms(Asked(**terms))


def test_nobody_knows_the_size_of_an_order_without_quantity_and_money() -> None:
    assert size(Asked(quantity=None), D(3)) is None
    assert size(Asked(quantity=None, notional=D(1)), D("0.5")) == 2
