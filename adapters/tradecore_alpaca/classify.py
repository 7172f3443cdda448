"""What became of an instruction, from what was heard of it.

Done, definitely refused, certainly not sent, or unknown: in doubt it is unknown, and the outbox looks it up. A refusal
counts only in the broker's own words (a JSON object with `message` or `code`); a page of some gateway proves nothing.
"""

from __future__ import annotations

import datetime as dt
import re

import attrs
import msgspec

from tradecore.errors import (
    AlreadyExists,
    BrokerError,
    BrokerRefused,
    BrokerUnauthorized,
    NotSent,
    OutcomeUnknown,
    ProtocolError,
)
from tradecore.ports.broker import BrokerOrder
from tradecore_alpaca.decode import decode_order
from tradecore_alpaca.http import Answer, NoAnswer
from tradecore_alpaca.json_text import read
from tradecore_alpaca.retry_after import retry_after_s

DUPLICATE_ID = "duplicate client_order_id: an order under this id exists already, look it up"

_DUPLICATE = re.compile(r"client.?order.?id.*(unique|exist|duplicat|already|in use)", re.IGNORECASE | re.DOTALL)
_WRONG_KEYS = re.compile(r"(forbidden|unauthorized|request is not authorized)\.?", re.IGNORECASE)
_AMBIGUOUS = frozenset({408, 409, 425})


class _Error(msgspec.Struct):
    message: str | None = None
    code: int | None = None


@attrs.frozen
class BrokerWords:
    """An error body in the broker's own form."""

    code: int | None
    message: str


def broker_words(answer: Answer) -> BrokerWords | None:
    """The broker's own words in an error answer, or None when it is not the broker that speaks."""
    try:
        error = read(answer.body, _Error)
    except ProtocolError:
        return None
    if error.message is None and error.code is None:
        return None
    return BrokerWords(error.code, error.message or "")


def keys_refused(answer: Answer) -> bool:
    """True when the answer can only mean that the keys are wrong."""
    if answer.status == 401:
        return True
    words = broker_words(answer) if answer.status == 403 else None
    return words is not None and words.code is None and _WRONG_KEYS.fullmatch(words.message.strip()) is not None


def accepted_order(answer: Answer, client_order_id: str) -> BrokerOrder:
    """The order of a 2xx answer. Raises `OutcomeUnknown` when it is unreadable or another order."""
    try:
        order = decode_order(answer.body)
    except ProtocolError as error:
        raise OutcomeUnknown(f"HTTP {answer.status} without a readable order: {error}") from None
    if order.client_order_id != client_order_id:
        raise OutcomeUnknown(f"HTTP {answer.status} with another order: {order.client_order_id!r}")
    return order


def failed_instruction(outcome: Answer | NoAnswer, now: dt.datetime) -> BrokerError:
    """The error for every outcome that is not success."""
    if isinstance(outcome, NoAnswer):
        if outcome.written:
            return OutcomeUnknown(f"no answer: {outcome.reason}")
        return NotSent(outcome.reason)
    if outcome.status == 429:
        return NotSent("HTTP 429: rate limit exceeded", retry_after_s(outcome, now))
    if keys_refused(outcome):
        return BrokerUnauthorized(f"HTTP {outcome.status}: the broker does not accept the keys")
    words = broker_words(outcome)
    if words is not None and 400 <= outcome.status < 500 and _DUPLICATE.search(words.message):
        return AlreadyExists(f"HTTP {outcome.status}: {DUPLICATE_ID}")
    if words is not None and 400 <= outcome.status < 500 and outcome.status not in _AMBIGUOUS:
        return BrokerRefused(outcome.status, words.code, words.message, outcome.text)
    return OutcomeUnknown(f"HTTP {outcome.status} does not tell what was done: {outcome.text[:200]!r}")
