"""Validation: what remains of a judgement before money. Out of range is to hold with the reason, never a repair.

Blind to text: only stance, numbers, and what the books and the broker say are looked at.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.cycle.rules import CycleRules
from tradecore.domain.calibration import calibrated
from tradecore.domain.commands import ValidateDecision
from tradecore.domain.events import CalibrationCompleted, DecisionConcluded
from tradecore.domain.judgement import CycleMode, Stance
from tradecore.domain.sizing import percent_of_equity
from tradecore.domain.terms import is_crypto
from tradecore.domain.values import ZERO
from tradecore.errors import InputError
from tradecore.ports.agent import Standing

_COIN = Decimal("0.0001")


@attrs.frozen
class Market:
    """What validation is told of the symbol: the price of the newest bar, and whether the broker trades it.

    `tradable` is None where the broker could not be asked: that is not a no.
    """

    price: Decimal
    tradable: bool | None


def validate(
    made: DecisionConcluded,
    own: Standing,
    market: Market,
    rules: CycleRules,
    calibration: CalibrationCompleted | None,
) -> ValidateDecision:
    """The decision that may become an order, or to hold, and why."""
    confidence = made.confidence
    if confidence is not None and calibration is not None:
        confidence = calibrated(calibration.calibration, confidence)
    plain = ValidateDecision(
        decision_id=made.decision_id,
        stance=made.stance,
        reason="",
        confidence=confidence,
        calibration_id=None if calibration is None else calibration.calibration_id,
        quantity=None,
        reference_price=market.price,
        needs_approval=None,
    )
    if not made.stance.acts:
        return plain
    closes = not own.opens(made.stance)
    try:
        quantity = _close(made.stance, own) if closes else _open(made, own, market, rules)
    except InputError as error:
        return attrs.evolve(plain, stance=Stance.HOLD, reason=str(error))
    approval = _approval(made, own, confidence, rules)
    return attrs.evolve(plain, quantity=quantity, closes=closes, needs_approval=approval)


def _open(made: DecisionConcluded, own: Standing, market: Market, rules: CycleRules) -> Decimal:
    """The units of a new position, or of what is added to one."""
    is_long = made.stance is Stance.BUY
    if not is_long and is_crypto(made.symbol):
        raise InputError("symbol", made.symbol, "one that can be borrowed: coins are not sold short")
    if made.confidence is None or not ZERO <= made.confidence <= 1:
        raise InputError("confidence", made.confidence, "a share from 0 to 1 on what opens a position")
    if market.tradable is False:
        raise InputError("symbol", made.symbol, "one that the broker trades")
    if own.working:
        raise InputError("symbol", made.symbol, "one without a working order of the agent")
    if own.held and not own.may_add:
        raise InputError("symbol", made.symbol, "one that the agent does not hold yet (cycle.allow_adding is off)")
    size = made.size_fraction
    if size is None or not ZERO < size <= rules.max_size_fraction:
        raise InputError("size_fraction", size, f"above 0, at most {rules.max_size_fraction}")
    _check_price("stop_price", made.stop_price, market.price, rules, below=is_long)
    _check_price("target_price", made.target_price, market.price, rules, below=not is_long)
    if own.equity is None or own.equity <= 0:
        raise InputError("equity", own.equity, "the account's equity, to size by")
    if abs(own.held) * market.price > (rules.max_size_fraction - size) * own.equity:
        raise InputError("size_fraction", size, f"with what is held at most {rules.max_size_fraction}")
    quantity = percent_of_equity(own.equity, size, market.price, step=_COIN if is_crypto(made.symbol) else Decimal(1))
    if quantity <= 0:
        raise InputError("size_fraction", size, f"enough for one unit at {market.price}")
    return quantity


def _close(stance: Stance, own: Standing) -> Decimal:
    """All that is held, by what is against it."""
    if own.held <= 0 if stance is Stance.SELL else own.held >= 0:
        raise InputError("action", stance.value, "against what the agent holds (cycle.allow_short is off)")
    if own.working:
        raise InputError("action", stance.value, "a symbol without a working order of the agent")
    return abs(own.held)


def _check_price(field: str, price: Decimal | None, last: Decimal, rules: CycleRules, *, below: bool) -> None:
    if price is None:
        return
    right_side = price < last if below else price > last
    if not price.is_finite() or not right_side or abs(price - last) > rules.max_price_distance * last:
        side = "below" if below else "above"
        raise InputError(field, price, f"a price {side} {last}, within {rules.max_price_distance} of it")


def _approval(made: DecisionConcluded, own: Standing, confidence: Decimal | None, rules: CycleRules) -> str | None:
    """Why a person must agree. What closes a position waits for nobody in the semi-automatic mode."""
    if rules.mode is CycleMode.MANUAL:
        return "cycles of this account are manual"
    is_asked = rules.mode is CycleMode.SEMI_AUTOMATIC and own.opens(made.stance)
    if is_asked and (confidence is None or confidence < rules.approve_below):
        return f"confidence {confidence} is below {rules.approve_below}"
    return None
