"""Words and prices of model calls: how much hangs on a question, why a model did not answer it, what a call costs.

Money is in US dollars, as providers bill it. A cost is rounded up to nine places, so a sum is never below the bill.
"""

from __future__ import annotations

import enum
from decimal import ROUND_UP, Context, Decimal

import attrs

_MILLION = Decimal(1_000_000)
_NANO = Decimal("1e-9")
_WIDE = Context(prec=40)


class Criticality(enum.StrEnum):
    """How much hangs on a question; with the role it names a chain of models."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ModelFailure(enum.StrEnum):
    """Why one step of a chain gave no answer. Each of them moves on to the next step.

    Those after `LOST` are decided without asking the provider.
    """

    RATE_LIMITED = "rate_limited"  # 429
    TIMEOUT = "timeout"  # no whole answer in time
    SERVER_ERROR = "server_error"  # 5xx
    UNAUTHORIZED = "unauthorized"  # 401, 403: the key is wrong, or may not use this model
    REFUSED = "refused"  # any other 4xx: the request is not to the provider's liking
    UNREACHABLE = "unreachable"  # no connection: nothing was sent
    BROKEN = "broken"  # cut off, or not what the protocol promises
    INCOMPLETE = "incomplete"  # stopped at the limit of output tokens
    DECLINED = "declined"  # the model refuses to answer, or a filter did
    INVALID = "invalid"  # the answer does not fit the schema
    LOST = "lost"  # the process ended before the answer was recorded
    BREAKER_OPEN = "breaker_open"  # the provider failed too often a moment ago
    COOLING_DOWN = "cooling_down"  # the provider asked to be left alone until later
    NO_PRICE = "no_price"  # nobody said what the model costs
    NO_KEY = "no_key"  # the environment variable with the provider's key is not set
    OVER_BUDGET = "over_budget"  # the budget has no room for the worst that the call could cost
    OUT_OF_TIME = "out_of_time"  # the deadline of the question or of the decision is reached
    NO_MODEL = "no_model"  # no chain is configured for the role
    CANCELED = "canceled"  # whoever asked went away


class SettledBy(enum.StrEnum):
    """Where the settled amount of a reservation comes from."""

    USAGE = "usage"  # the tokens that the provider counted
    RESERVATION = "reservation"  # nobody knows what was used, so all of it counts
    NOTHING = "nothing"  # the provider bills nothing for this
    EXPIRY = "expiry"  # its process is gone, so all of it counts


@attrs.frozen
class ModelPrice:
    """What a model costs, in dollars per million tokens. Zero must be said, it is never assumed."""

    provider: str
    model: str
    input_per_million: Decimal
    output_per_million: Decimal
    cached_input_per_million: Decimal


@attrs.frozen
class BudgetLimits:
    """Limits of a budget, in dollars: None is not limited, zero is zero."""

    per_request: Decimal | None = None
    per_decision: Decimal | None = None
    per_agent_per_day: Decimal | None = None
    per_day: Decimal | None = None
    per_month: Decimal | None = None


@attrs.frozen
class ChainStep:
    """One step of a chain that gave no answer."""

    provider: str
    model: str
    failure: ModelFailure
    message: str


@attrs.frozen
class Usage:
    """Tokens that a provider counted. Cached ones are part of the input, reasoning ones part of the output."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0


def cost_of(price: ModelPrice, usage: Usage) -> Decimal:
    """What a call cost, in dollars, rounded up to nine places."""
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    fresh = usage.input_tokens - cached
    return _dollars(
        price.input_per_million * fresh
        + price.cached_input_per_million * cached
        + price.output_per_million * usage.output_tokens
    )


def worst_cost(price: ModelPrice, input_tokens: int, output_tokens: int) -> Decimal:
    """What a call costs at most with so many tokens, in dollars: as if nothing were cached, or everything."""
    dearer = max(price.input_per_million, price.cached_input_per_million)
    return _dollars(dearer * input_tokens + price.output_per_million * output_tokens)


def _dollars(millionths: Decimal) -> Decimal:
    return _WIDE.divide(millionths, _MILLION).quantize(_NANO, rounding=ROUND_UP, context=_WIDE).normalize(_WIDE)
