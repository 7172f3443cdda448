"""Names as beancount accepts them, and back. Every mapping is reversible.

Commodities: most symbols stay as they are (`SPY`, `BRK.B`, `T`), and `/` becomes `_` (`BTC/USD` is `BTC_USD`). A symbol
that means something else there (`TRUE`, a currency of the books) or is written in other characters gets the mark `S'`
in front, and each such character becomes `'` and six hexadecimal digits.

Accounts: `Assets:Account-main:Securities:BRK-dot-B`. Letters and digits of ASCII stay; every other character becomes a
word between hyphens: `-dot-`, `-slash-`, `-hyphen-`, or for others `-u20-` with its hexadecimal code. A first character
that is no capital and no digit becomes such a word too, behind `S-`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tradecore.errors import InputError

_KEYWORDS = frozenset({"TRUE", "FALSE", "NULL"})
_PLAIN = re.compile(r"[A-Z](?:[A-Z0-9./-]*[A-Z0-9])?", re.ASCII)
_ODD = re.compile(r"[^A-Z0-9./-]|[./-]\Z", re.ASCII)
_CODED = re.compile(r"'([0-9A-F]{6})")
_CURRENCY = re.compile(r"[A-Z][A-Z0-9]{1,10}", re.ASCII)
_FIRST = re.compile(r"[A-Z0-9]", re.ASCII)
_WORD = re.compile(r"-(dot|slash|hyphen|u[0-9a-f]+)-")
_WORDS = {".": "dot", "/": "slash", "-": "hyphen"}
_CHARACTERS = {word: char for char, word in _WORDS.items()}
_MARK = "S'"
_FRONT = "S-"
_TRADING_ACCOUNT = "Account-"


def commodity(symbol: str, currencies: Collection[str] = ()) -> str:
    """The commodity of a symbol; `currencies` are those that the books count money in."""
    if _PLAIN.fullmatch(symbol) and symbol not in _KEYWORDS and symbol not in currencies:
        return symbol.replace("/", "_")
    coded = _ODD.sub(lambda found: f"'{ord(found[0]):06X}", symbol)
    return _MARK + coded.replace("/", "_")


def symbol_of_commodity(name: str) -> str:
    """The symbol behind a commodity."""
    coded = name.removeprefix(_MARK).replace("_", "/")
    return _CODED.sub(lambda found: chr(int(found[1], 16)), coded)


def component(name: str) -> str:
    """A symbol as one component of an account's name."""
    if _FIRST.match(name):
        return _escaped(name)
    return _FRONT + _code(name[0]) + _escaped(name[1:])


def name_of_component(written: str) -> str:
    """The name behind a component."""
    if written.startswith(_FRONT + "-"):
        written = written.removeprefix(_FRONT)
    return _WORD.sub(lambda found: _CHARACTERS.get(found[1]) or chr(int(found[1][1:], 16)), written)


def trading_account(name: str) -> str:
    """The component of a trading account: `Account-main`."""
    return _TRADING_ACCOUNT + _escaped(name)


def currency(name: str) -> str:
    """A currency, which must be written as beancount does. Raises `InputError`."""
    if not _CURRENCY.fullmatch(name):
        raise InputError("currency", name, "two or more capital letters or digits, which beancount can read")
    return name


def _escaped(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else _code(char) for char in name)


def _code(char: str) -> str:
    return f"-{_WORDS.get(char) or f'u{ord(char):x}'}-"


def outside(account: str) -> str:
    """The account of cash without an order, with a place for the trading account: `Income:{}:Dividends`."""
    group, _, name = account.partition(":")
    return f"{group.capitalize()}:{{}}:{name.title()}"
