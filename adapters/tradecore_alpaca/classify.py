"""What became of an instruction, from what was heard of it.

Done, definitely refused, certainly not sent, or unknown: in doubt it is unknown, and the outbox looks it up. A refusal
counts only in the broker's own words (a JSON object with `message` or `code`); a page of some gateway proves nothing.
So with a 429: the broker's limiter stands before everything else and names its code; another one may stand behind.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

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
from tradecore_alpaca.http import Answer, NoAnswer
from tradecore_alpaca.json_text import as_text, read
from tradecore_alpaca.refusals import reason_of
from tradecore_alpaca.retry_after import retry_after_s

DUPLICATE_ID = "duplicate client_order_id: an order under this id exists already, look it up"

_DUPLICATE = re.compile(r"client.?order.?id.*(unique|exist|duplicat|already|in use)", re.IGNORECASE | re.DOTALL)
_WRONG_KEYS = re.compile(r"(forbidden|unauthorized|request is not authorized)\.?", re.IGNORECASE)
_AMBIGUOUS = frozenset({408, 409, 425, 429})
_RATE_LIMITED = 42910000


class _Error(msgspec.Struct):
    message: str | None = None
    code: int | None = None


_SAID_ELSEWHERE = frozenset({"message", "code"})


@attrs.frozen
class BrokerWords:
    """An error body in the broker's own form."""

    code: int | None
    message: str
    details: Mapping[str, str]


def broker_words(answer: Answer) -> BrokerWords | None:
    """The broker's own words in an error answer, or None when it is not the broker that speaks."""
    try:
        error = read(answer.body, _Error)
    except ProtocolError:
        return None
    if error.message is None and error.code is None:
        return None
    return BrokerWords(error.code, error.message or "", _details(answer.body))


def _details(body: bytes) -> Mapping[str, str]:
    """The further fields of an error body, as text."""
    fields = read(body, dict[str, msgspec.Raw])
    return {
        name: as_text(raw).strip('"')
        for name, raw in fields.items()
        if name not in _SAID_ELSEWHERE and bytes(raw) != b"null"
    }


def keys_refused(answer: Answer) -> bool:
    """True when the answer can only mean that the keys are wrong."""
    if answer.status == 401:
        return True
    words = broker_words(answer) if answer.status == 403 else None
    return words is not None and words.code is None and _WRONG_KEYS.fullmatch(words.message.strip()) is not None


def failed_instruction(outcome: Answer | NoAnswer, now: dt.datetime) -> BrokerError:
    """The error for every outcome that is not success."""
    if isinstance(outcome, NoAnswer):
        if outcome.written:
            return OutcomeUnknown(f"no answer: {outcome.reason}")
        return NotSent(outcome.reason, outcome.retry_after_s)
    if keys_refused(outcome):
        return BrokerUnauthorized(f"HTTP {outcome.status}: the broker does not accept the keys")
    words = broker_words(outcome)
    if outcome.status == 429 and words is not None and words.code == _RATE_LIMITED:
        return NotSent("HTTP 429: rate limit exceeded", retry_after_s(outcome, now))
    if words is not None and 400 <= outcome.status < 500 and _DUPLICATE.search(words.message):
        return AlreadyExists(f"HTTP {outcome.status}: {DUPLICATE_ID}")
    if words is not None and 400 <= outcome.status < 500 and outcome.status not in _AMBIGUOUS:
        reason = reason_of(outcome.status, words.code, words.message)
        return BrokerRefused(outcome.status, words.code, words.message, outcome.text, reason, words.details)
    return OutcomeUnknown(f"HTTP {outcome.status} does not tell what was done: {outcome.text[:200]!r}")
