"""Position sizing: how many units an idea is worth. Pure functions; what they cannot tell they refuse.

Every function returns units rounded towards zero to `step` (1 is whole shares), so that a size is never exceeded.
Prices, equity and risk amounts in account currency.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import ROUND_DOWN, Context, Decimal

from tradecore.domain.values import ZERO, Bar
from tradecore.errors import InputError

_WORKING = Context(prec=34, rounding=ROUND_DOWN)
ONE = Decimal(1)


def fixed(units: Decimal, *, step: Decimal = ONE) -> Decimal:
    """Always the same number of units."""
    return _stepped(_positive("units", units), step)


def fixed_amount(amount: Decimal, price: Decimal, *, step: Decimal = ONE) -> Decimal:
    """What an amount of money buys at `price`."""
    return _stepped(_divide(_positive("amount", amount), _positive("price", price)), step)


def percent_of_equity(equity: Decimal, share: Decimal, price: Decimal, *, step: Decimal = ONE) -> Decimal:
    """What a share of the equity buys at `price`; `share` 0.05 is five percent."""
    amount = _WORKING.multiply(_positive("equity", equity), _share("share", share))
    return _stepped(_divide(amount, _positive("price", price)), step)


def by_risk(equity: Decimal, risk: Decimal, entry: Decimal, stop: Decimal, *, step: Decimal = ONE) -> Decimal:
    """Units of which a fall from `entry` to `stop` (or a rise, when short) loses `risk` of the equity.

    Fixed fractional sizing: R. Vince, Portfolio Management Formulas (Wiley, 1990), chapter 1.
    """
    distance = abs(_WORKING.subtract(_positive("entry", entry), _positive("stop", stop)))
    if not distance:
        raise InputError("stop", stop, "a price away from the entry")
    return _stepped(_divide(_WORKING.multiply(_positive("equity", equity), _share("risk", risk)), distance), step)


def by_volatility(
    equity: Decimal, risk: Decimal, atr: Decimal, multiple: Decimal = Decimal(2), *, step: Decimal = ONE
) -> Decimal:
    """Units of which a move of `multiple` average true ranges is `risk` of the equity.

    Unit sizing by volatility as the Turtles did: C. Faith, Way of the Turtle (McGraw-Hill, 2007), chapter 8.
    """
    move = _WORKING.multiply(_positive("atr", atr), _positive("multiple", multiple))
    return _stepped(_divide(_WORKING.multiply(_positive("equity", equity), _share("risk", risk)), move), step)


def average_true_range(bars: Sequence[Bar], periods: int = 14) -> Decimal:
    """Wilder's average true range of the last bar, from at least `periods` + 1 bars, oldest first.

    The first average is the mean of `periods` true ranges, each later one moves by 1 / `periods` of the difference:
    J. W. Wilder, New Concepts in Technical Trading Systems (Trend Research, 1978), section III.
    """
    if periods < 1:
        raise InputError("periods", periods, "a whole number above zero")
    if len(bars) <= periods:
        raise InputError("bars", len(bars), f"at least {periods + 1} bars for {periods} true ranges")
    ranges = [_true_range(before, bar) for before, bar in itertools.pairwise(bars)]
    average = _divide(sum(ranges[:periods], ZERO), Decimal(periods))
    for true_range in ranges[periods:]:
        moved = _WORKING.add(_WORKING.multiply(average, Decimal(periods - 1)), true_range)
        average = _divide(moved, Decimal(periods))
    return average


def _true_range(before: Bar, bar: Bar) -> Decimal:
    return max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))


def kelly_share(win_rate: Decimal, payoff: Decimal, fraction: Decimal = Decimal("0.5")) -> Decimal:
    """A fraction of the share of equity that maximises its expected logarithm; zero when the odds are against it.

    f = p - (1 - p) / b for win rate p and payoff b (average win by average loss): J. L. Kelly, A New Interpretation of
    Information Rate, Bell System Technical Journal 35 (1956). Estimates are never exact, hence the fraction.
    """
    if not 0 <= win_rate <= 1:
        raise InputError("win_rate", win_rate, "a share from 0 to 1")
    _share("fraction", fraction)
    lost = _divide(ONE - win_rate, _positive("payoff", payoff))
    return max(ZERO, _WORKING.multiply(fraction, _WORKING.subtract(win_rate, lost)))


def by_kelly(
    equity: Decimal, win_rate: Decimal, payoff: Decimal, price: Decimal, *, fraction: Decimal = Decimal("0.5"),
    step: Decimal = ONE,
) -> Decimal:  # fmt: skip
    """Units for the fractional Kelly share of the equity; zero when the odds are against the idea."""
    share = kelly_share(win_rate, payoff, fraction)
    amount = _WORKING.multiply(_positive("equity", equity), share)
    return _stepped(_divide(amount, _positive("price", price)), step)


def _positive(field: str, number: object) -> Decimal:
    if not (isinstance(number, Decimal) and number.is_finite() and number > 0):
        raise InputError(field, number, "a Decimal above zero")
    return number


def _share(field: str, number: object) -> Decimal:
    if not (isinstance(number, Decimal) and number.is_finite() and 0 < number <= 1):
        raise InputError(field, number, "a Decimal above 0, at most 1")
    return number


def _divide(a: Decimal, b: Decimal) -> Decimal:
    return _WORKING.divide(a, b)


def _stepped(units: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `units`."""
    count = _divide(units, _positive("step", step)).to_integral_value(rounding=ROUND_DOWN)
    return _WORKING.multiply(count, step)
