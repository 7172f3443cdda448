"""Numbers as other frameworks write them: floats, percents, texts. Exact from here on, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from tradecore.domain.values import canonical
from tradecore.errors import InputError

_WIDE = Context(prec=34)
_NINE = Decimal("1e-9")


def exact(field: str, raw: object) -> Decimal:
    """A finite number to nine places, a float as it prints. Raises `InputError`."""
    try:
        number = Decimal(str(raw)) if not isinstance(raw, bool) and raw is not None else Decimal("NaN")
    except InvalidOperation:
        raise InputError(field, raw, "a number") from None
    if not number.is_finite() or abs(number) >= Decimal("1e15"):
        raise InputError(field, raw, "a finite number below 1e15")
    return canonical(number.quantize(_NINE, rounding=ROUND_HALF_EVEN, context=_WIDE))


def share(field: str, raw: object, *, percent: bool = False) -> Decimal:
    """A share from 0 to 1; with `percent` it is written from 0 to 100. Raises `InputError`."""
    number = exact(field, raw)
    number = canonical(_WIDE.divide(number, Decimal(100))) if percent else number
    if not 0 <= number <= 1:
        raise InputError(field, raw, "from 0 to 100" if percent else "from 0 to 1")
    return number


def fraction_of(part: Decimal, whole: Decimal) -> Decimal:
    """A share rounded down to nine places."""
    return canonical(_WIDE.divide(part, whole).quantize(_NINE, rounding=ROUND_DOWN, context=_WIDE))


def table(field: str, raw: object) -> Mapping[str, object]:
    """A mapping with names as keys. Raises `InputError`."""
    if not isinstance(raw, Mapping) or not all(isinstance(key, str) for key in raw):
        raise InputError(field, type(raw).__name__, "a table with names")
    return raw
