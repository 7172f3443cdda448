"""Terms of sagas: numbers and words that travel as text, read with one clear error each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tradecore.domain.values import parse_number
from tradecore.errors import InputError


def word(terms: Mapping[str, str], name: str) -> str:
    """A term that must be there. Raises `InputError`."""
    value = terms.get(name, "")
    if not value:
        raise InputError(name, value, "a word, because the saga needs it")
    return value


def number(terms: Mapping[str, str], name: str) -> Decimal:
    """A number that must be there. Raises `InputError`."""
    return parse_number(name, word(terms, name))


def optional_number(terms: Mapping[str, str], name: str) -> Decimal | None:
    """A number, or None when the term is absent or empty. Raises `InputError`."""
    return parse_number(name, terms[name]) if terms.get(name) else None


def weights(terms: Mapping[str, str], name: str) -> dict[str, Decimal]:
    """`AAPL=0.5 MSFT=0.3` as symbols and numbers. Raises `InputError`."""
    found: dict[str, Decimal] = {}
    for part in terms.get(name, "").split():
        symbol, sign, value = part.partition("=")
        if not sign or symbol in found:
            raise InputError(name, part, "each symbol once, as SYMBOL=NUMBER")
        found[symbol] = parse_number(f"{name} of {symbol}", value)
    return found
