"""All commands: what somebody wants done. Imperative, and not yet true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore.domain.events import (
    FillRevision,
    ModelAnswerReused,
    ModelCallAnswered,
    ModelCallFailed,
    ModelCallRequested,
    ModelChainExhausted,
    ModelSwitched,
    OpeningPosition,
)
from tradecore.domain.exit_plan import ExitPlan, ExitRule
from tradecore.domain.judgement import CycleMode, CycleStep, Judgement, Stance, StepResult
from tradecore.domain.limits import Limits
from tradecore.domain.listing import NOT_KNOWN, TRADED, Listing
from tradecore.domain.model_call import BudgetLimits, SettledBy
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import (
    OrderClass,
    OrderStatus,
    OrderType,
    Purpose,
    SagaStatus,
    Side,
    TimeInForce,
    TradingState,
)


@attrs.frozen
class Proposal:
    """What a strategy proposes, before the domain decides. `quantity` in units, `reference_price` as it saw it.

    What an agent `deliberated` may have lapsed meanwhile, and is nothing then.
    """

    decision_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    reference_price: Decimal | None
    data_as_of: dt.datetime
    reasoning: str
    confidence: Decimal | None = None
    deliberated: bool = False


@attrs.frozen
class PinAccount:
    """Bind an account of this ledger to the broker account behind the keys, for ever."""

    account: str
    broker: str
    broker_account_id: str
    paper: bool
    currency: str
    cash: Decimal
    positions: tuple[OpeningPosition, ...]
    as_of: dt.datetime
    activities: tuple[str, ...] = ()


@attrs.frozen
class SetLimits:
    """Replace the limits of an account; their version is counted by the ledger.

    What `who` is `settings` say counts once: limits that a person changed stay until the settings say something else.
    """

    account: str
    limits: Limits
    who: str
    reason: str


@attrs.frozen
class ActivateKillSwitch:
    """Stop trading; what is stopped already, at least as strictly, stays as it is.

    A trigger with a `cooldown_s` says itself once per stop, and is quiet for so long after trading goes on.
    """

    account: str
    state: TradingState
    trigger: str
    evidence: str
    who: str
    cooldown_s: Decimal = Decimal(0)


@attrs.frozen
class WithdrawRisk:
    """Have every open order canceled that neither closes nor protects nor is against the position."""

    account: str
    reason: str


@attrs.frozen
class RaiseAlert:
    """Hold new risk until a person has read an alert of the log, by its `position`; once per alert."""

    account: str
    position: int
    kind: str
    message: str


@attrs.frozen
class AcknowledgeAlert:
    """Say that an alert was read, or all of them when `position` is None."""

    account: str
    who: str
    reason: str
    position: int | None = None


@attrs.frozen
class RequestClear:
    """Ask that trading goes on: the first of two steps."""

    account: str
    who: str
    reason: str


@attrs.frozen
class ClearKillSwitch:
    """Let trading go on: the second step. `is_reconciled` when books and broker agreed when they were last compared.

    A suspension by a kill of this ledger is lifted first; that of somebody else only with `lift_suspension`.
    """

    account: str
    who: str
    reason: str
    is_reconciled: bool
    lift_suspension: bool = False


@attrs.frozen
class GrantApproval:
    """Let an order that waits for a person go on; `not_after` is when the intent goes stale.

    `listing` is what the broker says of the symbol by now.
    """

    order_id: str
    who: str
    reason: str
    not_after: dt.datetime
    listing: Listing = NOT_KNOWN


@attrs.frozen
class RefuseApproval:
    """Say no to an order that waits for a person."""

    order_id: str
    who: str
    reason: str


@attrs.frozen
class ExpireApproval:
    """Refuse an order that waited for a person too long; says nothing before its time."""

    order_id: str


@attrs.frozen
class MarkEquity:
    """Tell the account the prices of what it holds, by symbol, as of `at` (UTC)."""

    account: str
    marks: Mapping[str, Decimal]
    at: dt.datetime


@attrs.frozen
class PlaceOrder:
    """Record the intent to send an order; a runner delivers it. `not_after` is when the intent goes stale.

    The terms are those of `tradecore.domain.terms.Terms`. An order of an amount of money (`notional`) needs a
    `reference_price`, because its worst quantity must be counted. `tradable` is whether the broker trades the symbol,
    None when nobody asked, `whole_only` that it does so in whole units only, and `not_lent` that it lends none to sell
    short; `volatility` its average true range as a share of the price, None when nobody knows.
    `exits` is how the trade that it opens is to be left: by its legs where it has some, else by the engine.
    `approval` is why a person has to agree whatever the limits say, None where nobody has to. `decision_id` is the
    decision that it carries out where that is on record already, and there is no `proposal` for that.
    `is_repeat` says that one more of the same is meant, within `duplicate_window_s` too.
    """

    order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    strategy: str
    not_after: dt.datetime
    reference_price: Decimal | None = None
    extended_hours: bool = False
    proposal: Proposal | None = None
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    purpose: Purpose = Purpose.TRADE
    tradable: bool | None = None
    whole_only: bool = False
    not_lent: bool = False
    volatility: Decimal | None = None
    exits: ExitPlan | None = None
    approval: str | None = None
    decision_id: str | None = None
    is_repeat: bool = False


@attrs.frozen
class ReplaceOrder:
    """Record the intent to replace a working order by another with these terms; what is None stays as it is.

    The replacement is an order of its own, `new_order_id`. It may not happen: the old order can fill first.
    `quantity` is the new order's own; without it that is what is left of the old one. `listing` is what the broker says
    of the symbol; not given, that it trades it.
    """

    order_id: str
    new_order_id: str
    not_after: dt.datetime
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    time_in_force: TimeInForce | None = None
    reason: str = ""
    listing: Listing = TRADED


@attrs.frozen
class ClosePosition:
    """Record the intent to close what a strategy holds of a symbol, by an opposite order of exactly that size.

    `strategy` None is the only one that holds it. Cancels nothing; `not_after` is when the intent goes stale.
    """

    order_id: str
    account: str
    symbol: str
    not_after: dt.datetime
    strategy: str | None = None
    reference_price: Decimal | None = None
    reason: str = ""


@attrs.frozen
class RetryWork:
    """Try dead work again. A submit needs a new `not_after`."""

    order_id: str
    reason: str
    not_after: dt.datetime


@attrs.frozen
class DiscardWork:
    """Give dead work up for good: an order that never went out ends, one that could not be canceled works on."""

    order_id: str
    reason: str


@attrs.frozen
class RequestKill:
    """Cancel everything that works for the account, whoever placed it, until the broker shows nothing any more.

    What was not sent yet is withdrawn at once, but for what closes or protects. With `suspend` the broker is told to
    refuse new orders too. With `flat` it goes on until the broker shows no position either; it closes none itself.
    """

    account: str
    reason: str
    suspend: bool = False
    flat: bool = False


@attrs.frozen
class StartKill:
    """T2 of a kill."""

    account: str
    lease: str


@attrs.frozen
class RecordKillAnswer:
    """T3 of a kill; `open_orders` None when the broker could not be asked what is left, or the same of positions."""

    account: str
    accepted: bool
    message: str
    open_orders: int | None = None
    open_positions: int | None = None


@attrs.frozen
class NoteSuspension:
    """Whether the broker shows that its own switch refuses new orders. Where nobody here told it to, trading halts."""

    account: str
    suspended: bool


@attrs.frozen
class StartLift:
    """T2 of lifting a suspension."""

    account: str
    lease: str


@attrs.frozen
class RecordLiftAnswer:
    """T3 of lifting a suspension; `suspended` is what the broker showed after it, None when it could not be asked."""

    account: str
    accepted: bool
    message: str
    suspended: bool | None = None


@attrs.frozen
class TakeLane:
    """Become the one who delivers a lane, in the place of whoever held it under `fence` (0 for nobody)."""

    lane: str
    holder: str
    fence: int


@attrs.frozen
class UseLane:
    """Show that one still holds a lane; refused when somebody else does."""

    lane: str
    holder: str
    fence: int


@attrs.frozen
class LeaveLane:
    """Let go of a lane."""

    lane: str
    holder: str
    fence: int


@attrs.frozen
class CancelOrder:
    """Record the intent to cancel an order; a runner delivers it."""

    order_id: str
    reason: str


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class StartSubmit:
    """T2: mark that the order is about to be sent. Committed before any byte leaves.

    `attempt` is the number that the attempt is to have; when another sender took it, this one says nothing.
    """

    order_id: str
    lease: str
    body_hash: str
    now: dt.datetime
    attempt: int | None = None


@attrs.frozen
class StartCancel:
    """T2 of a cancel."""

    order_id: str
    lease: str


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class RecordAnswer:
    """T3: the broker has the order; its first word on it."""

    order_id: str
    broker_order_id: str
    status: OrderStatus
    filled_qty: Decimal
    updated_at: dt.datetime
    raw: str
    found_by_lookup: bool = False


@attrs.frozen
class RecordRejection:
    """T3: the broker definitely refused the order. `attempt` is the one that it refused, None for the last."""

    order_id: str
    code: str
    message: str
    raw: str
    attempt: int | None = None


@attrs.frozen
class RecordNotSent:
    """T3: the instruction certainly did not reach the broker; it may be sent again. `counts` as in `OrderNotSent`."""

    order_id: str
    reason: str
    attempt: int | None = None
    counts: bool = True


@attrs.frozen
class RecordUnknown:
    """T3: it is not known whether the broker has the order, or, with `exists`, only under which id it has it."""

    order_id: str
    reason: str
    exists: bool = False
    attempt: int | None = None


@attrs.frozen
class WithdrawOrder:
    """End an order that the broker never had: stale before it was sent, or proved absent."""

    order_id: str
    reason: str


@attrs.frozen
class RecordCancelAnswer:
    """T3 of a cancel: `accepted` when the broker took the request, else why not. Only a status ends the order.

    `counts` as in `OrderNotSent`.
    """

    order_id: str
    accepted: bool
    message: str
    counts: bool = True


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class RecordReport:
    """The broker's word on an order, from its stream or read again. Repeats and late words change nothing."""

    order_id: str
    broker_order_id: str
    status: OrderStatus
    filled_qty: Decimal
    updated_at: dt.datetime
    source: str
    raw: str
    reason: str = "canceled at the broker"


@attrs.frozen(slots=False)  # made for every order, and twice as fast so
class RecordFill:
    """One execution of an order, from whichever source brings it first.

    `revisions` are those of the order that the execution's id was told from: with another number it may be another.
    """

    fill_id: str
    order_id: str
    broker_order_id: str
    execution_id: str
    quantity: Decimal
    price: Decimal
    cumulative_qty: Decimal
    fees: Decimal
    occurred_at: dt.datetime
    source: str
    raw: str
    revisions: int | None = None


@attrs.frozen
class FilledSoFar:
    """What the broker shows of an order: how much of it is filled, at which average price."""

    quantity: Decimal
    price: Decimal


@attrs.frozen
class ReviseFill:
    """The broker takes back an execution of the order, or tells it anew. Repeats change nothing.

    `shown` is what the broker showed of the order at that moment or later; a revision that waits is judged again by it.
    """

    order_id: str
    revision: FillRevision
    shown: FilledSoFar | None = None


@attrs.frozen
class AdoptOrder:
    """Take up an order of the account that this ledger did not place, in the broker's terms."""

    order_id: str
    account: str
    client_order_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: Decimal | None
    notional: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce
    reference_price: Decimal | None
    status: OrderStatus
    updated_at: dt.datetime
    raw: str
    replaces: str | None = None
    filled_before: Decimal = Decimal(0)


@attrs.frozen
class HaltOrder:
    """Stop working on an order of which the broker says what cannot be."""

    order_id: str
    reason: str
    raw: str


@attrs.frozen
class BookActivity:
    """Book a change of the account that no order made: cash, or a split (`quantity` is the signed change of units).

    `kind` is a word of `tradecore.ports.broker.ActivityKind`; `occurred_at` the beginning of its day in UTC.
    """

    account: str
    activity_id: str
    kind: str
    symbol: str | None
    amount: Decimal
    quantity: Decimal
    occurred_at: dt.datetime
    raw: str


@attrs.frozen
class BookAdjustment:
    """Take over what the broker says where the books say otherwise: a position at a price, or cash when no symbol.

    `instead_of` is the quantity, or cash, of the books that a person saw; None when nobody looked.
    """

    account: str
    difference_id: str
    symbol: str
    signed_qty: Decimal
    price: Decimal
    cash_delta: Decimal
    reason: str
    instead_of: Decimal | None = None


@attrs.frozen
class FireExit:
    """Leave a trade, by `quantity` units. `after` is how often an exit of it was begun before; `rung` as in events."""

    trade_id: str
    rule: ExitRule
    quantity: Decimal
    evidence: str
    after: int
    rung: int = 0


@attrs.frozen
class RaiseExit:
    """Bring the stop of a trade nearer to the market; further away it never goes."""

    trade_id: str
    rule: ExitRule
    level: Decimal
    price: Decimal


@attrs.frozen
class TakeOverExits:
    """The engine keeps the exits of a trade that the broker kept: its orders there ended and the position did not."""

    trade_id: str
    reason: str


@attrs.frozen
class StartSaga:
    """Begin a process over several orders; `terms` are what its kind wants to know, as text."""

    saga_id: str
    kind: str
    account: str
    terms: Mapping[str, str]
    deadline: dt.datetime


@attrs.frozen
class AdvanceSaga:
    """Take a saga's next step, together with what the step commands: all of it or nothing.

    `after_steps` is how many steps were taken before: a step that another process took already says nothing.
    """

    saga_id: str
    after_steps: int
    step: str
    status: SagaStatus
    reason: str = ""
    notes: Mapping[str, str] = attrs.field(factory=dict)
    deadline: dt.datetime | None = None
    commands: tuple[Command, ...] = ()


@attrs.frozen
class ResolveSaga:
    """A person dealt with what a saga could not undo."""

    saga_id: str
    reason: str


@attrs.frozen
class RequestDecision:
    """Record that an agent is asked, and what it is shown. Asking again for the same decision says nothing new."""

    decision_id: str
    agent: str
    account: str
    symbol: str
    cycle_id: str | None
    data_as_of: dt.datetime
    deadline: dt.datetime
    values: Mapping[str, Decimal]
    missing: tuple[str, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()


@attrs.frozen
class ConcludeDecision:
    """Record what the agent came to; the first judgement counts, a later one says nothing."""

    decision_id: str
    judgement: Judgement


@attrs.frozen
class ValidateDecision:
    """Record what remains of a judgement once it is checked and calibrated; the first time counts."""

    decision_id: str
    stance: Stance
    reason: str
    confidence: Decimal | None
    calibration_id: str | None
    quantity: Decimal | None
    reference_price: Decimal | None
    needs_approval: str | None
    closes: bool | None = None


@attrs.frozen
class LapseDecision:
    """Record that a decision will not be executed any more."""

    decision_id: str
    reason: str


@attrs.frozen
class StartCycle:
    """Begin a cycle at its place in time; what has begun already is not begun again.

    `turn` is the lane of cycles as its holder knows it, where processes share the ledger: the cycle begins only while
    that is still so.
    """

    cycle_id: str
    account: str
    agent: str
    mode: CycleMode
    due_at: dt.datetime
    symbols: tuple[str, ...]
    turn: UseLane | None = None


@attrs.frozen
class SkipCycle:
    """Record that a cycle that was due does not begin, because the cycle `running` is still at work."""

    cycle_id: str
    account: str
    agent: str
    due_at: dt.datetime
    running: str


@attrs.frozen
class StepCycle:
    """Record how a step went."""

    cycle_id: str
    step: CycleStep
    result: StepResult
    detail: str
    duration_s: Decimal


@attrs.frozen
class CompleteCycle:
    """Record the end of a cycle."""

    cycle_id: str
    result: StepResult
    decisions: int
    orders: int
    duration_s: Decimal


@attrs.frozen
class FailCycle:
    """Record that a cycle did not come to its end."""

    cycle_id: str
    reason: str


@attrs.frozen
class ReserveBudget:
    """Take room in a budget for the worst that a call can cost, in dollars, at `at` (UTC)."""

    budget: str
    reservation_id: str
    amount: Decimal
    at: dt.datetime
    expires_at: dt.datetime
    agent: str | None
    decision_id: str | None
    limits: BudgetLimits


@attrs.frozen
class SettleBudget:
    """Put what a call cost in the place of its reservation; `amount` None counts the whole of it."""

    budget: str
    reservation_id: str
    amount: Decimal | None
    settled_by: SettledBy


@attrs.frozen
class BeginModelCall:
    """A call is about to be made: it and its reservation are recorded together, or neither is."""

    requested: ModelCallRequested
    reserve: ReserveBudget
    switched: tuple[ModelSwitched, ...] = ()


@attrs.frozen
class EndModelCall:
    """A call has an end: it and what it cost are recorded together, once."""

    ended: ModelCallAnswered | ModelCallFailed
    settle: SettleBudget


@attrs.frozen
class CloseQuestion:
    """A question ends without a call: from the cache, or because no model of the chain answered."""

    event: ModelAnswerReused | ModelChainExhausted


Command = (
    PinAccount
    | SetLimits
    | MarkEquity
    | GrantApproval
    | RefuseApproval
    | ExpireApproval
    | ActivateKillSwitch
    | RequestClear
    | ClearKillSwitch
    | WithdrawRisk
    | RaiseAlert
    | AcknowledgeAlert
    | PlaceOrder
    | ReplaceOrder
    | ClosePosition
    | CancelOrder
    | RetryWork
    | DiscardWork
    | RequestKill
    | StartKill
    | RecordKillAnswer
    | NoteSuspension
    | StartLift
    | RecordLiftAnswer
    | TakeLane
    | UseLane
    | LeaveLane
    | StartSubmit
    | StartCancel
    | RecordAnswer
    | RecordRejection
    | RecordNotSent
    | RecordUnknown
    | WithdrawOrder
    | RecordCancelAnswer
    | RecordReport
    | RecordFill
    | ReviseFill
    | AdoptOrder
    | HaltOrder
    | BookActivity
    | BookAdjustment
    | FireExit
    | RaiseExit
    | TakeOverExits
    | StartSaga
    | AdvanceSaga
    | ResolveSaga
    | RequestDecision
    | ConcludeDecision
    | ValidateDecision
    | LapseDecision
    | StartCycle
    | SkipCycle
    | StepCycle
    | CompleteCycle
    | FailCycle
    | BeginModelCall
    | EndModelCall
    | CloseQuestion
)
