"""Numbers as the protocol writes them: exact inside, minimal decimal text outside."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from tradecore.domain.values import canonical

NINE_PLACES = Decimal("1e-9")
_CENT = Decimal("0.01")


def number_text(number: Decimal) -> str:
    """`1`, `0.5`, `-12.000000001`: no exponent, no trailing zeros."""
    return format(canonical(number), "f")


def cents(amount: Decimal) -> Decimal:
    """The amount rounded to whole cents, half to even, as balances are shown."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def floor_qty(qty: Decimal, *, whole: bool) -> Decimal:
    """The quantity cut down to whole units, or to nine places: never more than there is."""
    return qty.quantize(Decimal(1) if whole else NINE_PLACES, rounding=ROUND_DOWN)


def is_whole(number: Decimal) -> bool:
    """True for a number without a fraction."""
    return number == number.to_integral_value()
