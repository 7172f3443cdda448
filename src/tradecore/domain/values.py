"""Values of the domain: closed words, exact numbers, and the checks that let them in.

Numbers are `Decimal`, finite, and at most 9 places after the point (the finest step a broker accepts). Products and
sums are computed in a context that traps any inexact result, so a rounded amount can never enter the ledger unseen.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import TypeVar

import attrs

from tradecore.errors import InputError

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
_ROUNDED = Context(prec=28)
_NINE_PLACES = Decimal("1e-9")
_LARGEST = Decimal("1e15")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,11}([./-][A-Z0-9]{1,8})?", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?", re.ASCII)

ZERO = Decimal(0)

Word = TypeVar("Word", bound=enum.StrEnum)


class Side(enum.StrEnum):
    """Direction of an order or a fill."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.StrEnum):
    """How an order asks to be priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class OrderClass(enum.StrEnum):
    """Whether an order brings further orders, its legs, along.

    A bracket is an entry with a take-profit and a stop-loss; an OTO is an entry with one of them; an OCO is a
    take-profit (the order itself) with a stop-loss, for a position that is held already.
    """

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


class Leg(enum.StrEnum):
    """What an order does for the order that brought it along."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


class Purpose(enum.StrEnum):
    """What an order is for; what takes risk away goes before what adds it."""

    CLOSE = "close"
    PROTECT = "protect"
    TRADE = "trade"


class TimeInForce(enum.StrEnum):
    """How long an order asks to live."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"


class OrderStatus(enum.StrEnum):
    """Where an order stands. The first four are ours; the rest are the broker's words, plus `unknown`."""

    PLANNED = "planned"
    QUEUED = "queued"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    HELD = "held"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    CALCULATED = "calculated"
    DONE_FOR_DAY = "done_for_day"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"

    @property
    def is_terminal(self) -> bool:
        """True when the order can never be worked again (a late fill may still be recorded)."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REPLACED, OrderStatus.REJECTED}
)


class TradeStatus(enum.StrEnum):
    """The life of one position idea, from decision to flat."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WORKING = "working"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class TradingState(enum.StrEnum):
    """What an account may do: anything; only take risk away; nothing but protect and close what is open."""

    ACTIVE = "active"
    REDUCE_ONLY = "reduce_only"
    HALTED = "halted"


class SagaStatus(enum.StrEnum):
    """The life of a process over several orders."""

    PENDING = "pending"
    RUNNING = "running"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    FAILED = "failed"
    MANUAL = "manual"


@attrs.frozen
class Bar:
    """One bar of a market. `start` is the UTC beginning of the bar; prices in account currency, volume in units."""

    symbol: str
    start: dt.datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@attrs.frozen
class Quote:
    """Best bid and ask of a market at `at` (UTC)."""

    symbol: str
    at: dt.datetime
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal


# Bound methods: they are called dozens of times per event, and a function around each would cost as much again.
times: Callable[[Decimal, Decimal], Decimal] = _EXACT.multiply
"""Exact product; raises `decimal.Inexact` rather than round."""

plus: Callable[[Decimal, Decimal], Decimal] = _EXACT.add
"""Exact sum; raises `decimal.Inexact` rather than round."""

minus: Callable[[Decimal, Decimal], Decimal] = _EXACT.subtract
"""Exact difference; raises `decimal.Inexact` rather than round."""


def rounded_quotient(a: Decimal, b: Decimal) -> Decimal:
    """`a / b` to 9 places, half even: for averages that are shown, never for amounts that are booked."""
    return canonical(_ROUNDED.divide(a, b).quantize(_NINE_PLACES, context=_ROUNDED))


def rounded_up_quotient(a: Decimal, b: Decimal) -> Decimal:
    """`a / b` to 9 places, away from zero: for quantities that must be counted at their worst."""
    return canonical(_ROUNDED.divide(a, b).quantize(_NINE_PLACES, rounding=ROUND_UP, context=_ROUNDED))


def rounded_down_to_nine(a: Decimal, b: Decimal) -> Decimal:
    """`a / b` to 9 places, towards zero: for shares whose rest is booked elsewhere."""
    return canonical(_ROUNDED.divide(a, b).quantize(_NINE_PLACES, rounding=ROUND_DOWN, context=_ROUNDED))


def canonical(number: Decimal) -> Decimal:
    """The same number without trailing zeros or exponent, so that equal numbers are written alike."""
    if number == 0:
        return ZERO
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return Decimal(text)


def parse_number(field: str, raw: object) -> Decimal:
    """A finite number of at most 9 places from text, int or Decimal.

    Raises `InputError` for floats (they are not exact), bools, NaN, infinities, exponents, other scripts' digits.
    """
    expected = "a plain decimal number with at most 9 places, below 1e15"
    is_whole = isinstance(raw, int) and not isinstance(raw, bool)
    if not (isinstance(raw, Decimal) or is_whole or (isinstance(raw, str) and _NUMBER.fullmatch(raw))):
        raise InputError(field, raw, expected)
    number = Decimal(raw)  # type: ignore[arg-type]
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise InputError(field, raw, expected)
    number = canonical(number)
    if -int(number.as_tuple().exponent) > 9:
        raise InputError(field, raw, expected)
    return number


def parse_positive(field: str, raw: object) -> Decimal:
    """A number above zero; raises `InputError` otherwise."""
    number = parse_number(field, raw)
    if not number > 0:
        raise InputError(field, raw, "a number above zero")
    return number


def parse_symbol(field: str, raw: object) -> str:
    """A symbol as brokers write it (`AAPL`, `BRK.B`, `BTC/USD`); raises `InputError` otherwise."""
    if isinstance(raw, str) and _SYMBOL.fullmatch(raw):
        return raw
    raise InputError(field, raw, "a symbol in capital letters, such as AAPL, BRK.B or BTC/USD")


def parse_word(field: str, raw: object, words: type[Word]) -> Word:
    """One word of a closed list; raises `InputError` naming the list otherwise."""
    try:
        return words(raw)  # type: ignore[arg-type]
    except ValueError:
        raise InputError(field, raw, "one of " + ", ".join(word.value for word in words)) from None


def parse_instant(field: str, raw: object) -> dt.datetime:
    """An aware datetime in UTC; raises `InputError` for naive times."""
    if isinstance(raw, dt.datetime) and raw.tzinfo is not None:
        return raw.astimezone(dt.UTC)
    raise InputError(field, raw, "a time with a time zone")
