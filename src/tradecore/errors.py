"""Every error that tradecore raises on purpose.

::

    TradecoreError
    ├── InputError                 a value from outside is not acceptable
    ├── ConfigurationError         the settings do not make sense together
    │   └── MissingExtra           an optional dependency is not installed
    ├── RefusedError               the domain says no to a command
    │   ├── OrderRefused           a limit or a rule refuses an order
    │   ├── CancelRefused          the order cannot be canceled any more
    │   ├── ReplaceRefused         the order cannot be replaced (yet, or any more)
    │   ├── CloseRefused           there is nothing to close, or it is being closed already
    │   ├── GrantRefused           the order waits for no approval, or no longer
    │   ├── ResumeRefused          trading that was stopped cannot go on yet
    │   ├── WorkRefused            the work is not dead, so it can be neither retried nor discarded
    │   ├── LaneRefused            another process delivers this lane
    │   ├── BudgetRefused          a budget for model calls has no room for a call
    │   └── SessionRefused         a notebook's session cannot do that in the state that it is in
    ├── JournalError               the store cannot do what was asked
    │   ├── StoreUnavailable       it cannot be opened, read or written
    │   │   └── StoreFull          there is no room left on its disk
    │   ├── NotDurable             it would acknowledge what it could lose
    │   ├── CorruptLedger          its content contradicts itself
    │   ├── NewerLedger            it was written by a newer tradecore
    │   ├── OlderLedger            it lacks what every ledger has since
    │   ├── RewoundLedger          the broker has orders of this ledger that it has forgotten
    │   ├── WrongKey               it is encrypted, and the key is missing or another one
    │   ├── WrongVersion           another writer was faster; reload and decide again
    │   └── LeaseHeld              another runner works on this ledger
    │       └── MixedBuilds        … with other code
    ├── BrokerError                the broker, or the way to it
    │   ├── BrokerRefused          a definite no: nothing was done
    │   ├── NotSent                the request never left: safe to send again
    │   ├── OutcomeUnknown         it may or may not have been done
    │   │   └── AlreadyExists      the broker has an order under this client id: look it up
    │   ├── BrokerUnreachable      a question (not an instruction) had no answer
    │   ├── BrokerUnauthorized     the keys are wrong
    │   ├── WrongAccount           the keys open another account than the ledger's
    │   └── ProtocolError          the answer is not what the protocol promises
    ├── StaleError                 an answer about live state is too old to decide on, or there is none
    ├── LearningError              outcomes cannot teach what was asked
    │   ├── TooFewOutcomes         there are not enough of them yet
    │   └── CalibrationRefused     a calibration would not help
    ├── ModelError                 models, or the way to them
    │   ├── SecretInPrompt         a prompt holds a key: it is sent nowhere
    │   └── ReplayMiss             a recording does not have what was asked
    ├── BusUnavailable             published events could not be handed on
    └── InvariantViolated          a promise of ours is broken: stop, do not trade on

Operating errors carry what a handler needs. Programmer errors are not here: they stay assertions.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


class TradecoreError(Exception):
    """Base of every error that tradecore raises on purpose."""


class InputError(TradecoreError):
    """Raised when a value from outside is not acceptable; nothing was recorded.

    `field` names what is wrong, `value` is what came, `expected` says what would be right.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        shown = repr(value)
        if len(shown) > 80:
            shown = shown[:77] + "..."
        super().__init__(f"{field}: {shown} is not acceptable; expected {expected}")


class ConfigurationError(TradecoreError):
    """Raised when settings are missing, unknown, or contradict each other."""


class MissingExtra(ConfigurationError):
    """Raised when an optional dependency is needed and not installed; names the extra to install."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs an optional dependency: pip install 'tradecore[{extra}]'")


class RefusedError(TradecoreError):
    """Raised when the domain refuses a command; the refusal itself may be recorded."""


class OrderRefused(RefusedError):
    """Raised when a limit or a rule refuses an order; `rule` names it."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = rule
        self.reason = reason
        super().__init__(f"order refused by {rule}: {reason}")


class CancelRefused(RefusedError):
    """Raised when a cancel is asked for an order that is unknown or already finished."""


class ReplaceRefused(RefusedError):
    """Raised when a replacement is asked for an order that cannot be replaced, or would change nothing."""


class CloseRefused(RefusedError):
    """Raised when a position is to be closed that is flat, or that an order closes already."""


class GrantRefused(RefusedError):
    """Raised when an order is to be approved or refused that does not wait for that."""


class ResumeRefused(RefusedError):
    """Raised when stopped trading is to go on and must not yet."""


class WorkRefused(RefusedError):
    """Raised when work is to be retried or discarded that is not dead."""


class LaneRefused(RefusedError):
    """Raised when a process that does not hold a lane wants to mark work there."""


class BudgetRefused(RefusedError):
    """Raised when a budget has no room for the worst that a model call could cost. Amounts in dollars.

    `scope` names the limit: per_request, per_decision, per_agent_per_day, per_day or per_month.
    """

    def __init__(self, scope: str, limit: Decimal, taken: Decimal, wanted: Decimal) -> None:
        self.scope = scope
        self.limit = limit
        self.taken = taken
        self.wanted = wanted
        super().__init__(f"the budget {scope} of ${limit} has ${taken} taken and no room for ${wanted}")


class SessionRefused(RefusedError):
    """Raised when a notebook's session is asked for something that the state it is in does not allow."""


class JournalError(TradecoreError):
    """Base of the errors of the store."""


class StoreUnavailable(JournalError):
    """Raised when the store cannot be opened, read or written."""


class StoreFull(StoreUnavailable):
    """Raised when the store's disk has no room left; what was acknowledged is safe."""


class NotDurable(JournalError):
    """Raised when the store would acknowledge a write that a power cut can lose."""


class CorruptLedger(JournalError):
    """Raised when what the store holds contradicts itself or cannot be decoded."""


class NewerLedger(JournalError):
    """Raised when the ledger was written by a newer tradecore than this one."""


class OlderLedger(JournalError):
    """Raised when the ledger was written by a tradecore that is too old for this one; the message says what to do."""


class RewoundLedger(JournalError):
    """Raised when the broker has orders under this ledger's epoch that the ledger does not have.

    Its history was rewound, as when a copy is restored: what was decided behind the copy is forgotten. `count` orders
    are, `examples` names some by client order id.
    """

    def __init__(self, count: int, examples: tuple[str, ...]) -> None:
        self.count = count
        self.examples = examples
        orders = "1 order" if count == 1 else f"{count} orders"
        super().__init__(
            f"this ledger was rewound: the broker has {orders} of it that it does not know (such as {examples[0]}); "
            "bring back the newest copy, or let go of them with `tradecore new-epoch --reason WHY` and look at "
            "positions and cash yourself"
        )


class WrongKey(JournalError):
    """Raised when an encrypted event cannot be read with the keys that there are: the key is missing or another one.

    `position` is the event's, `key` the name of the key that it was encrypted with.
    """

    def __init__(self, position: int, key: str, reason: str) -> None:
        self.position = position
        self.key = key
        super().__init__(
            f"the event at position {position} is encrypted, and its key {key!r} {reason}; name the file with the "
            "ledger's keys as encryption.keys_file or TRADECORE_ENCRYPTION__KEYS_FILE"
        )


class WrongVersion(JournalError):
    """Raised when a stream is not at the version that the decision was made on."""


class LeaseHeld(JournalError):
    """Raised when another runner already works on this ledger."""


class MixedBuilds(LeaseHeld):
    """Raised when a runner would work on a ledger beside one whose code is another; nothing was recorded."""


class BrokerError(TradecoreError):
    """Base of the errors of a broker and of the way to it."""


class RefusalReason(enum.StrEnum):
    """Why a broker refuses, as far as its own words tell; what to do about it follows from this, never from a text."""

    INSUFFICIENT_BUYING_POWER = "insufficient_buying_power"
    INSUFFICIENT_QUANTITY = "insufficient_quantity"  # not held, or promised to other orders
    WASH_TRADE = "wash_trade"  # `conflicting_order_id` could trade with it: cancel that one first
    OPPOSITE_ORDER = "opposite_order"  # an order in the other direction is open
    NOT_SHORTABLE = "not_shortable"
    NOT_FRACTIONABLE = "not_fractionable"
    NOT_TRADABLE = "not_tradable"
    DAY_TRADING = "day_trading"
    ACCOUNT_RESTRICTED = "account_restricted"  # blocked, suspended, or without the permission
    INTENT_MISMATCH = "intent_mismatch"  # it would open what it says to close, or the reverse
    TOO_SMALL = "too_small"
    PRICE_INCREMENT = "price_increment"
    PRICE_RELATION = "price_relation"  # a stop on the wrong side of the market or of another price
    UNCHANGED = "unchanged"  # a replacement that changes nothing
    ALREADY_FINISHED = "already_finished"  # filled, canceled, expired: read the order again
    AUCTION_CLOSED = "auction_closed"  # an order for an auction, at a time when that takes none
    NOT_NOW = "not_now"  # the order is in between two states: ask again a little later
    NOT_FOUND = "not_found"
    INVALID = "invalid"  # terms that no market takes in this combination
    OTHER = "other"


class BrokerRefused(BrokerError):
    """Raised when the broker definitely refused: nothing was done there.

    `status` is the HTTP status, `code` the broker's own code (or None), `message` its words, `raw` the whole body,
    `details` the other words of that body. `reason` says what kind of no it is.
    """

    def __init__(
        self,
        status: int,
        code: int | None,
        message: str,
        raw: str = "",
        reason: RefusalReason = RefusalReason.OTHER,
        details: Mapping[str, str] = _NOTHING,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.raw = raw
        self.reason = reason
        self.details = details
        shown = f"{status}" if code is None else f"{status}/{code}"
        super().__init__(f"the broker refused ({shown}): {message}")

    @property
    def conflicting_order_id(self) -> str | None:
        """The broker's id of the order that stands in the way, where the broker names it."""
        return self.details.get("existing_order_id")


class NotSent(BrokerError):
    """Raised when an instruction certainly did not reach the broker; `retry_after_s` is its wish, if it had one."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class OutcomeUnknown(BrokerError):
    """Raised when an instruction was sent and its outcome is not known: look it up, never assume."""


class AlreadyExists(OutcomeUnknown):
    """Raised when the broker says that it has an order under this client order id: it exists, and must be looked up."""


class BrokerUnreachable(BrokerError):
    """Raised when a question to the broker (never an instruction) got no usable answer."""


class BrokerUnauthorized(BrokerError):
    """Raised when the broker does not accept the keys."""


class WrongAccount(BrokerError):
    """Raised when the keys open another account than the one this ledger is pinned to."""


class ProtocolError(BrokerError):
    """Raised when an answer is not what the broker's protocol promises; carries the raw text."""

    def __init__(self, message: str, raw: str = "") -> None:
        self.raw = raw
        super().__init__(message)


class StaleError(TradecoreError):
    """Raised when a decision would rest on an answer about live state that is too old, or was never given.

    `field` names the answer, `as_of` when it was true, `age` how old it is, `limit` how old it may be; None is what
    nobody knows.
    """

    def __init__(
        self, field: str, as_of: dt.datetime | None, age: dt.timedelta | None, limit: dt.timedelta | None
    ) -> None:
        self.field = field
        self.as_of = as_of
        self.age = age
        self.limit = limit
        most = "" if limit is None else f"; at most {limit.total_seconds():g} s are accepted"
        if as_of is None:
            told = "nobody has said yet"
        elif age is None:
            told = f"as of {as_of.isoformat(timespec='seconds')}, and nobody knows how long ago that is"
        else:
            told = f"as of {as_of.isoformat(timespec='seconds')}, {age.total_seconds():.1f} s ago"
        super().__init__(f"{field} is not live: {told}{most}")


class LearningError(TradecoreError):
    """Base of the errors of learning from outcomes; nothing was changed."""


class TooFewOutcomes(LearningError):
    """Raised when there are too few independent outcomes; `size` is how many there are, `needed` how many it takes."""

    def __init__(self, what: str, size: int, needed: int) -> None:
        self.size = size
        self.needed = needed
        super().__init__(f"{what} needs {needed} independent outcomes; there are {size}: insufficient")


class CalibrationRefused(LearningError):
    """Raised when a calibration would not help: the confidence is not off, or what is learned does not carry over."""


class ModelError(TradecoreError):
    """Base of the errors of models; that no model answers is none, it is an outcome."""


class SecretInPrompt(ModelError):
    """Raised when a prompt holds one of the keys that this process knows; nothing was sent and nothing recorded.

    `variable` is the environment variable that the key comes from.
    """

    def __init__(self, variable: str) -> None:
        self.variable = variable
        super().__init__(f"the prompt holds the value of {variable}; a key has no place in a prompt")


class ReplayMiss(ModelError):
    """Raised when a recording does not hold the answer to a request; `request_hash` and `occurrence` name it."""

    def __init__(self, run: str, request_hash: str, occurrence: int, why: str) -> None:
        self.run = run
        self.request_hash = request_hash
        self.occurrence = occurrence
        super().__init__(f"run {run} has no answer to request {request_hash} (occurrence {occurrence}): {why}")


class BusUnavailable(TradecoreError):
    """Raised by a bus that could not take published events; they are handed on again later."""


class InvariantViolated(TradecoreError):
    """Raised when a promise of tradecore itself is broken; the runner stops rather than trade on."""
