"""All events: what happened. Past tense, permanent, each with a stable name and a schema version.

A name is never used again for something else. Adding an optional field keeps the schema version; anything more is a
new version with an upcaster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import msgspec

from tradecore.domain.calibration import CalibrationMap
from tradecore.domain.exit_plan import ExitPlan, ExitRule, Keeper
from tradecore.domain.judgement import CycleMode, CycleStep, Factor, Share, Stance, StepResult, Vote
from tradecore.domain.limits import Limits
from tradecore.domain.model_call import ChainStep, Criticality, ModelFailure, ModelPrice, SettledBy
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, OrderType, Purpose, Side, TimeInForce, TradingState
from tradecore.domain.work import Work


class Part(msgspec.Struct, frozen=True, gc=False):
    """Base of the values that only events hold."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """Base of all events. A dozen are made per order: structs cost a tenth of what attrs classes do (record 0042)."""

    NAME: ClassVar[str]
    SCHEMA: ClassVar[int] = 1


# --- system ---------------------------------------------------------------------------------------------------------


class LedgerCreated(Event, frozen=True):
    """The first event of a ledger. `epoch` (8 hex digits) is part of every client order id."""

    NAME: ClassVar[str] = "system.ledger.created"
    ledger_id: str
    epoch: str
    created_by: str


class EpochChanged(Event, frozen=True):
    """From here on client order ids carry another epoch, because the ledger was rewound (restored from a copy).

    Orders that the ledger has keep theirs. What the broker has under `previous` and the ledger has not is foreign.
    """

    NAME: ClassVar[str] = "system.ledger.epoch_changed"
    previous: str
    epoch: str
    reason: str


class SubjectErased(Event, frozen=True):
    """Everything that the side store kept of a subject is gone. Only the subject's hash is told, never its name.

    `texts` is how many there were; `reason` must name a request or a rule, not a person: it stays for ever.
    """

    NAME: ClassVar[str] = "system.subject.erased"
    subject_hash: str
    texts: int
    reason: str


class RunnerStarted(Event, frozen=True):
    """A runner took the lease and begins to work, `alone` or beside others that share it.

    `build` is a hash of its code (tradecore, the broker's adapter, the strategy), `limits` one of its settings' limits.
    """

    NAME: ClassVar[str] = "system.runner.started"
    runner_id: str
    version: str
    broker: str
    strategy: str
    build: str = ""
    limits: str = ""
    alone: bool = True


class RunnerStopped(Event, frozen=True):
    """A runner stopped in good order."""

    NAME: ClassVar[str] = "system.runner.stopped"
    runner_id: str
    reason: str


class LedgerChecked(Event, frozen=True):
    """The daily check went through the ledger up to `head`. `finding` is the first damage, None when it is sound."""

    NAME: ClassVar[str] = "system.ledger.checked"
    head: int
    finding: str | None


class DiskLow(Event, frozen=True):
    """The ledger's disk has less room than is wanted, both in bytes: only what reduces a position is sent from here."""

    NAME: ClassVar[str] = "system.disk.low"
    free_bytes: int
    wanted_bytes: int


class DiskRecovered(Event, frozen=True):
    """The ledger's disk has room again, in bytes: new intents are taken from here."""

    NAME: ClassVar[str] = "system.disk.recovered"
    free_bytes: int
    wanted_bytes: int


class AssetsRefreshed(Event, frozen=True):
    """The symbols that the broker trades, as it says itself.

    `whole_only` are those of which it trades no fractions, `not_lent` those that cannot be sold short; of both it
    says nothing unless `is_full`, because earlier builds did not ask.
    """

    NAME: ClassVar[str] = "system.assets.refreshed"
    broker: str
    symbols: tuple[str, ...]
    whole_only: tuple[str, ...] = ()
    not_lent: tuple[str, ...] = ()
    is_full: bool = False


class AssetsConfirmed(Event, frozen=True):
    """The broker was asked again what it trades, and said what is recorded already."""

    NAME: ClassVar[str] = "system.assets.confirmed"
    broker: str


class ReportParked(Event, frozen=True):
    """A message of the broker that tradecore does not understand, kept for a person; never dropped, never guessed."""

    NAME: ClassVar[str] = "system.report.parked"
    source: str
    reason: str
    raw: str


class StreamLost(Event, frozen=True):
    """The stream of reports broke off: until it is restored, what the broker does is only seen when it is asked."""

    NAME: ClassVar[str] = "system.stream.lost"
    account: str
    reason: str


class StreamRestored(Event, frozen=True):
    """The stream of reports is connected again; what came meanwhile is read."""

    NAME: ClassVar[str] = "system.stream.restored"
    account: str


class ReconciliationCompleted(Event, frozen=True):
    """Books and broker were compared. `as_of` is the broker's time; `differences` are those that are unresolved.

    `why` is one of start, reconnect, schedule, end, person. `gating` are the differences that stop new risk.
    `orders_from`: of orders since then it is not known yet whose they are; None when all are known.
    """

    NAME: ClassVar[str] = "system.reconciliation.completed"
    account: str
    why: str
    as_of: dt.datetime
    open_orders: int
    positions: int
    differences: int
    gating: int
    orders_from: dt.datetime | None = None


class DifferenceFound(Event, frozen=True):
    """Books and broker disagree, each in its own words. `gates` says that new risk waits until it is resolved."""

    NAME: ClassVar[str] = "system.reconciliation.difference"
    difference_id: str
    account: str
    kind: str
    subject: str
    ours: str
    theirs: str
    gates: bool
    as_of: dt.datetime


class DifferenceResolved(Event, frozen=True):
    """The difference is gone; `how` is `agreed` when books and broker came to agree, `adopted` when a person booked."""

    NAME: ClassVar[str] = "system.reconciliation.resolved"
    difference_id: str
    account: str
    how: str
    reason: str


class DifferenceDisputed(Event, frozen=True):
    """A person looked at the difference and keeps it. `gates` says whether new risk goes on waiting."""

    NAME: ClassVar[str] = "system.reconciliation.disputed"
    difference_id: str
    account: str
    gates: bool
    reason: str


class AlertTriggered(Event, frozen=True):
    """Something that a person should see."""

    NAME: ClassVar[str] = "system.alert.triggered"
    kind: str
    message: str


# --- decisions ------------------------------------------------------------------------------------------------------


class DecisionGenerated(Event, frozen=True):
    """A strategy proposed something. `data_as_of` is the moment of the newest data that it saw."""

    NAME: ClassVar[str] = "ai.decision.generated"
    decision_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    reference_price: Decimal | None
    data_as_of: dt.datetime
    reasoning: str
    confidence: Decimal | None


class DecisionExecuted(Event, frozen=True):
    """The decision became an order."""

    NAME: ClassVar[str] = "ai.decision.executed"
    decision_id: str
    order_id: str
    trade_id: str


class DecisionRefused(Event, frozen=True):
    """The risk gate refused the decision; `rule` is the limit that did."""

    NAME: ClassVar[str] = "ai.decision.refused"
    decision_id: str
    rule: str
    reason: str


# --- models ---------------------------------------------------------------------------------------------------------


class ModelPricesPublished(Event, frozen=True):
    """The prices that calls are counted with from here on; calls name them by `version`."""

    NAME: ClassVar[str] = "ai.prices.published"
    version: str
    prices: tuple[ModelPrice, ...]


class ModelCallRequested(Event, frozen=True):
    """One request to one model is about to be sent. Amounts in dollars, times in seconds.

    A question is asked of one model after the other; `attempt` counts from 1. The question's identity is its `run`,
    the hash of the whole request and the `occurrence` (from 1) of that hash in the run. `prompt_hash` names the
    request in the side store, `wire_hash` is of what is sent to the provider. `fallback_from` is the step before,
    as provider/model, and `fallback_reason` why it gave no answer.
    """

    NAME: ClassVar[str] = "ai.call.requested"
    question_id: str
    attempt: int
    run: str
    request_hash: str
    occurrence: int
    role: str
    criticality: Criticality
    purpose: str
    agent: str | None
    decision_id: str | None
    provider: str
    model: str
    prompt_hash: str
    wire_hash: str
    budget: str
    reserved: Decimal
    price_version: str
    timeout_s: Decimal
    fallback_from: str | None
    fallback_reason: ModelFailure | None


class ModelCallAnswered(Event, frozen=True):
    """The model answered, and the answer fits its schema. `abstained` when it says that nothing should be done.

    Tokens are None where the provider counted none; `cost` is then the whole reservation. `answer_hash` names the
    answer in the side store. `response_model` is the model that the provider says it used.
    """

    NAME: ClassVar[str] = "ai.call.answered"
    question_id: str
    attempt: int
    provider: str
    model: str
    response_model: str
    response_id: str
    finish_reason: str
    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None
    reasoning_tokens: int | None
    cost: Decimal
    latency_s: Decimal
    answer_hash: str
    abstained: bool
    system_fingerprint: str | None = None
    first_token_s: Decimal | None = None


class ModelCallFailed(Event, frozen=True):
    """The request led to nothing that can be used. `status` is the HTTP status, None where there was none.

    `answer_hash` names what the model said, where it said something that does not fit.
    """

    NAME: ClassVar[str] = "ai.call.failed"
    question_id: str
    attempt: int
    provider: str
    model: str
    failure: ModelFailure
    status: int | None
    message: str
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal
    latency_s: Decimal
    answer_hash: str | None
    retry_after_s: Decimal | None


class ModelSwitched(Event, frozen=True):
    """A step of the chain gave no answer, and the question goes on to the next one."""

    NAME: ClassVar[str] = "ai.model.switched"
    question_id: str
    provider: str
    model: str
    failure: ModelFailure
    message: str
    next_provider: str
    next_model: str


class ModelAnswerReused(Event, frozen=True):
    """A question was answered from the cache, with what a model had answered to the same request `age_s` seconds ago.

    It cost nothing. `source_question_id` is the question that was asked then.
    """

    NAME: ClassVar[str] = "ai.call.reused"
    question_id: str
    run: str
    request_hash: str
    occurrence: int
    role: str
    criticality: Criticality
    purpose: str
    agent: str | None
    decision_id: str | None
    provider: str
    model: str
    prompt_hash: str
    answer_hash: str
    source_question_id: str
    age_s: Decimal
    abstained: bool
    finish_reason: str = "stop"


class ModelChainExhausted(Event, frozen=True):
    """No model of the chain answered: whoever asked holds. Not the same as a model that says so."""

    NAME: ClassVar[str] = "ai.chain.exhausted"
    question_id: str
    run: str
    request_hash: str
    occurrence: int
    role: str
    criticality: Criticality
    purpose: str
    agent: str | None
    decision_id: str | None
    prompt_hash: str
    steps: tuple[ChainStep, ...]


class BudgetReserved(Event, frozen=True):
    """Room for the worst that a call can cost was taken, in dollars, before it is made; it counts from `at` (UTC).

    A reservation that is not settled by `expires_at` belongs to a process that is gone.
    """

    NAME: ClassVar[str] = "ai.budget.reserved"
    budget: str
    reservation_id: str
    amount: Decimal
    at: dt.datetime
    expires_at: dt.datetime
    agent: str | None
    decision_id: str | None


class BudgetSettled(Event, frozen=True):
    """What a call really cost took the place of its reservation, in dollars."""

    NAME: ClassVar[str] = "ai.budget.settled"
    budget: str
    reservation_id: str
    reserved: Decimal
    amount: Decimal
    settled_by: SettledBy


# --- agents, cycles and what is learned from them ---------------------------------------------------------------------


class DecisionRequested(Event, frozen=True):
    """An agent is asked about a symbol. `data_as_of` is the beginning of the newest bar that it sees.

    A decision that is not made by `deadline` (UTC) is to hold. `cycle_id` is None where no cycle asked.
    """

    NAME: ClassVar[str] = "ai.decision.requested"
    decision_id: str
    agent: str
    account: str
    symbol: str
    cycle_id: str | None
    data_as_of: dt.datetime
    deadline: dt.datetime


class FeaturesRecorded(Event, frozen=True):
    """What was known when a decision was made, by name; what was not is `missing`, so that nothing is just not there.

    `sources` are those that answered, `notes` the texts from outside by their hashes in the side store, the newest
    last. Everything was known by `as_of`.
    """

    NAME: ClassVar[str] = "ai.features.recorded"
    decision_id: str
    symbol: str
    as_of: dt.datetime
    values: Mapping[str, Decimal]
    missing: tuple[str, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()


class DecisionConcluded(Event, frozen=True):
    """An agent came to a judgement, as it stated it: nothing is checked or calibrated yet. See `Judgement`."""

    NAME: ClassVar[str] = "ai.decision.concluded"
    decision_id: str
    agent: str
    symbol: str
    stance: Stance
    confidence: Decimal | None
    size_fraction: Decimal | None
    stop_price: Decimal | None
    target_price: Decimal | None
    horizon_s: int | None
    reasoning: str
    factors: tuple[Factor, ...]
    votes: tuple[Vote, ...]
    model: str | None
    cost: Decimal
    escalated: str
    rule: str = ""


class DecisionValidated(Event, frozen=True):
    """A judgement was checked before money: `stance` is what remains of it, and `reason` why it is less than stated.

    `confidence` is what the stated one is worth by the calibration `calibration_id` (None: none is active); the risk
    gate sees this one. `quantity` in units. `needs_approval` says why a person has to agree, None where nobody has to.
    `closes`: whether it is to close what the agent holds, None where an older build did not say.
    """

    NAME: ClassVar[str] = "ai.decision.validated"
    decision_id: str
    stance: Stance
    reason: str
    confidence: Decimal | None
    calibration_id: str | None
    quantity: Decimal | None
    reference_price: Decimal | None
    needs_approval: str | None
    closes: bool | None = None


class DecisionLapsed(Event, frozen=True):
    """A decision will not be executed any more, although it could have been: too late, or nobody agreed in time."""

    NAME: ClassVar[str] = "ai.decision.lapsed"
    decision_id: str
    reason: str


class CycleStarted(Event, frozen=True):
    """A round of looking, deciding and acting begins. `due_at` is its place in time (UTC); there is one per place."""

    NAME: ClassVar[str] = "orchestrator.cycle.started"
    cycle_id: str
    account: str
    agent: str
    mode: CycleMode
    due_at: dt.datetime
    symbols: tuple[str, ...]


class CycleStepped(Event, frozen=True):
    """A step of the cycle ended. `duration_s` in seconds."""

    NAME: ClassVar[str] = "orchestrator.cycle.stepped"
    cycle_id: str
    step: CycleStep
    result: StepResult
    detail: str
    duration_s: Decimal


class CycleCompleted(Event, frozen=True):
    """The cycle ended. `result` is ok, or the worst that a step came to; `orders` are intents that were recorded."""

    NAME: ClassVar[str] = "orchestrator.cycle.completed"
    cycle_id: str
    result: StepResult
    decisions: int
    orders: int
    duration_s: Decimal


class CycleFailed(Event, frozen=True):
    """The cycle did not come to its end: its process did, or something broke that no step expects."""

    NAME: ClassVar[str] = "orchestrator.cycle.failed"
    cycle_id: str
    reason: str


class CycleSkipped(Event, frozen=True):
    """A cycle was due and did not begin, because the one before it was still at work: cycles never overlap."""

    NAME: ClassVar[str] = "orchestrator.cycle.skipped"
    cycle_id: str
    account: str
    agent: str
    due_at: dt.datetime
    running: str


class CyclesPaused(Event, frozen=True):
    """No further cycle begins until somebody resumes; what is open goes on."""

    NAME: ClassVar[str] = "orchestrator.cycle.paused"
    account: str
    who: str
    reason: str


class CyclesResumed(Event, frozen=True):
    """Cycles begin again."""

    NAME: ClassVar[str] = "orchestrator.cycle.resumed"
    account: str
    who: str
    reason: str


class OutcomeResolved(Event, frozen=True):
    """What became of a decision, by the trade that it opened. Amounts in account currency, net of fees.

    `came_true` is whether it earned. `return_share` is profit by what was paid. `max_gain` and `max_drawdown` are the
    furthest that the price went for and against it, as shares of the entry price; None where prices are not known.
    A trade whose fills were revised resolves again: the last one counts.
    """

    NAME: ClassVar[str] = "ai.outcome.resolved"
    decision_id: str
    trade_id: str
    account: str
    agent: str
    symbol: str
    stance: Stance
    came_true: bool
    realised_pnl: Decimal
    fees: Decimal
    return_share: Decimal
    slippage: Decimal | None
    holding_s: int
    sessions: int
    target_hit: bool | None
    stop_hit: bool | None
    max_gain: Decimal | None
    max_drawdown: Decimal | None
    exit_reason: str
    exit_decision_id: str | None
    stated: Decimal | None
    confidence: Decimal | None
    calibration_id: str | None
    model: str | None
    model_cost: Decimal
    opened_at: dt.datetime
    closed_at: dt.datetime
    shares: tuple[Share, ...]


class OutcomeVoided(Event, frozen=True):
    """Nothing became of a decision that was executed: its trade never held anything."""

    NAME: ClassVar[str] = "ai.outcome.voided"
    decision_id: str
    trade_id: str
    reason: str


class CalibrationCompleted(Event, frozen=True):
    """From here on the confidence of `agent` (with `model`, where that is named) is worth what `calibration` says.

    `size` of the `outcomes` are independent. Brier scores are of the same decisions before and after, `z` is how many
    standard errors too much was said. `fitted_through` is the position of the ledger up to which outcomes were read.
    """

    NAME: ClassVar[str] = "ai.calibration.completed"
    calibration_id: str
    agent: str
    model: str | None
    version: int
    calibration: CalibrationMap
    outcomes: int
    size: int
    brier_before: Decimal | None
    brier_after: Decimal | None
    z: Decimal | None
    fitted_through: int
    who: str
    reason: str


# --- orders ---------------------------------------------------------------------------------------------------------


class OrderPlanned(Event, frozen=True):
    """The intent to send an order, recorded before anything is sent.

    A leg (`leg`, `parent_order_id`) is never sent by itself: the broker makes it with its parent. `replaces` names the
    order that this one is to take the place of.
    """

    NAME: ClassVar[str] = "trade.order.planned"
    SCHEMA: ClassVar[int] = 2
    order_id: str
    client_order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    extended_hours: bool
    strategy: str
    trade_id: str
    decision_id: str | None
    reference_price: Decimal | None
    notional: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    purpose: Purpose = Purpose.TRADE
    parent_order_id: str | None = None
    leg: Leg | None = None
    replaces: str | None = None


class OrderAdopted(Event, frozen=True):
    """An order of the account that this ledger did not place, in the broker's terms: it can fill, so it counts.

    Never sent and never canceled by tradecore unless a person asks. `replaces` names the order of this ledger whose
    place it took at the broker; strategy and trade are then that one's, else the strategy is `external`. What it had
    filled when the books began is in their opening balances: `filled_before`, which `quantity` leaves out.
    """

    NAME: ClassVar[str] = "trade.order.adopted"
    order_id: str
    client_order_id: str
    broker_order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal | None
    notional: Decimal | None
    order_type: OrderType
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: TimeInForce
    strategy: str
    trade_id: str
    reference_price: Decimal | None
    status: OrderStatus
    updated_at: dt.datetime
    raw: str
    replaces: str | None = None
    filled_before: Decimal = Decimal(0)


class OrderHalted(Event, frozen=True):
    """What the broker says of the order contradicts what was decided: nothing is done with it until a person looks."""

    NAME: ClassVar[str] = "trade.order.halted"
    order_id: str
    reason: str
    raw: str


class OrderQueued(Event, frozen=True):
    """The intent awaits delivery. `body_hash` fixes what may be sent, `not_after` until when."""

    NAME: ClassVar[str] = "trade.order.queued"
    order_id: str
    body_hash: str
    not_after: dt.datetime


class OrderSubmitted(Event, frozen=True):
    """The order is being sent: from here on the broker may have it. Recorded before the first byte."""

    NAME: ClassVar[str] = "trade.order.submitted"
    order_id: str
    attempt: int
    lease: str


class OrderNotSent(Event, frozen=True):
    """The attempt certainly did not reach the broker; the order is queued again.

    `counts` is false when the broker, or who guards the way to it, said when to come again: that spends no attempt.
    """

    NAME: ClassVar[str] = "trade.order.not_sent"
    order_id: str
    attempt: int
    reason: str
    counts: bool = True


class OrderOutcomeUnknown(Event, frozen=True):
    """The attempt was sent and nobody knows what became of it; it will be looked up.

    `exists` says that the broker claims to have an order under this client order id: it is never sent again.
    """

    NAME: ClassVar[str] = "trade.order.outcome_unknown"
    order_id: str
    attempt: int
    reason: str
    exists: bool


class OrderAccepted(Event, frozen=True):
    """The broker has the order, under its own id."""

    NAME: ClassVar[str] = "trade.order.accepted"
    order_id: str
    broker_order_id: str
    status: OrderStatus
    updated_at: dt.datetime
    found_by_lookup: bool
    raw: str


class OrderUpdated(Event, frozen=True):
    """The broker moved a live order to another working status."""

    NAME: ClassVar[str] = "trade.order.updated"
    order_id: str
    status: OrderStatus
    updated_at: dt.datetime
    source: str
    raw: str


class OrderPartiallyFilled(Event, frozen=True):
    """A fill was applied and more is to come."""

    NAME: ClassVar[str] = "trade.order.partially_filled"
    order_id: str
    fill_id: str
    quantity: Decimal
    price: Decimal
    filled_qty: Decimal


class OrderFilled(Event, frozen=True):
    """A fill was applied and the order is complete."""

    NAME: ClassVar[str] = "trade.order.filled"
    order_id: str
    fill_id: str
    quantity: Decimal
    price: Decimal
    filled_qty: Decimal


class OrderFillRevised(Event, frozen=True):
    """A fill of the order was busted (`quantity` is zero) or corrected. `filled_qty` is what remains filled.

    The status stays: an order that was filled is finished, whatever becomes of its fills.
    """

    NAME: ClassVar[str] = "trade.order.fill_revised"
    order_id: str
    fill_id: str
    execution_id: str
    previous_quantity: Decimal
    previous_price: Decimal
    quantity: Decimal
    price: Decimal
    filled_qty: Decimal
    revised_at: dt.datetime


class OrderRevisionAwaited(Event, frozen=True):
    """A bust or a correction names an execution that is not recorded yet; it is applied when that comes."""

    NAME: ClassVar[str] = "trade.order.revision_awaited"
    order_id: str
    revision: FillRevision


class OrderRejected(Event, frozen=True):
    """The broker definitely refused the order."""

    NAME: ClassVar[str] = "trade.order.rejected"
    order_id: str
    code: str
    message: str
    raw: str


class OrderCanceled(Event, frozen=True):
    """The order ended before it was complete. `broker_filled_qty` is what the broker says was filled by then."""

    NAME: ClassVar[str] = "trade.order.canceled"
    order_id: str
    reason: str
    broker_filled_qty: Decimal
    raw: str


class OrderExpired(Event, frozen=True):
    """The order's time in force ran out. `broker_filled_qty` is what the broker says was filled by then."""

    NAME: ClassVar[str] = "trade.order.expired"
    order_id: str
    broker_filled_qty: Decimal
    raw: str


class OrderCompleted(Event, frozen=True):
    """The broker filled an order of an amount of money; `broker_filled_qty` is the quantity that this came to."""

    NAME: ClassVar[str] = "trade.order.completed"
    order_id: str
    broker_filled_qty: Decimal
    raw: str


class ReplaceRequested(Event, frozen=True):
    """Somebody wants another order in this one's place; the broker may not do it."""

    NAME: ClassVar[str] = "trade.order.replace_requested"
    order_id: str
    by_order_id: str
    reason: str


class ReplaceFailed(Event, frozen=True):
    """The order that was to take this one's place ended without doing so; this one works on."""

    NAME: ClassVar[str] = "trade.order.replace_failed"
    order_id: str
    by_order_id: str
    reason: str


class OrderReplaced(Event, frozen=True):
    """The broker replaced the order by another; what was filled stays with this one."""

    NAME: ClassVar[str] = "trade.order.replaced"
    order_id: str
    broker_filled_qty: Decimal
    raw: str


class CancelRequested(Event, frozen=True):
    """Somebody wants the order canceled; only the broker can say that it is."""

    NAME: ClassVar[str] = "trade.order.cancel_requested"
    order_id: str
    reason: str


class CancelSubmitted(Event, frozen=True):
    """The cancel is being sent."""

    NAME: ClassVar[str] = "trade.order.cancel_submitted"
    order_id: str
    attempt: int
    lease: str


class CancelAnswered(Event, frozen=True):
    """The broker took the request to cancel, or said why not. `counts` as in `OrderNotSent`."""

    NAME: ClassVar[str] = "trade.order.cancel_answered"
    order_id: str
    accepted: bool
    message: str
    counts: bool = True


class OrderDead(Event, frozen=True):
    """Delivery gave the work up after `attempts`: a person must retry or discard it. The broker certainly lacks it."""

    NAME: ClassVar[str] = "trade.order.dead"
    order_id: str
    work: Work
    attempts: int
    reason: str


class OrderRetried(Event, frozen=True):
    """A person wants dead work tried again; a submit until `not_after`."""

    NAME: ClassVar[str] = "trade.order.retried"
    order_id: str
    work: Work
    reason: str
    not_after: dt.datetime | None = None


class OrderDiscarded(Event, frozen=True):
    """A person gave dead work up for good."""

    NAME: ClassVar[str] = "trade.order.discarded"
    order_id: str
    work: Work
    reason: str


class StaleOutcome(Event, frozen=True):
    """What became of an attempt after another one had begun: kept, and changing nothing."""

    NAME: ClassVar[str] = "trade.order.stale_outcome"
    order_id: str
    attempt: int
    outcome: str
    reason: str


# --- fills ----------------------------------------------------------------------------------------------------------


class ClosedLot(Part, frozen=True):
    """Part of a position that a fill closed, first in first out. `quantity` is signed as the lot was."""

    opened_by: str
    quantity: Decimal
    entry_price: Decimal


class OpenLot(Part, frozen=True):
    """A lot as it is left. `quantity` is signed: above zero is long."""

    opened_by: str
    quantity: Decimal
    price: Decimal


class FillPart(Part, frozen=True):
    """What of a fill belongs to one trade, and the lots that it closed: the account's, and the trade's own."""

    trade_id: str
    signed_qty: Decimal
    closed: tuple[ClosedLot, ...]
    trade_closed: tuple[ClosedLot, ...]


class FillRevision(Part, frozen=True):
    """A bust (`busts`) or a correction as a source tells it. A correction's quantity, price and fees are the new ones.

    `previous_execution_id` is the execution that it revises, where the source says which; `cumulative_qty` what the
    broker counts as filled of the order after it.
    """

    busts: bool
    execution_id: str
    previous_execution_id: str | None
    quantity: Decimal
    price: Decimal
    fees: Decimal
    cumulative_qty: Decimal
    occurred_at: dt.datetime
    source: str
    raw: str


class FillRecorded(Event, frozen=True):
    """One execution, once, whichever source brought it first. `cumulative_qty` is the order's fill with this one.

    `parts` say where it was booked; events from before parts were recorded have none.
    """

    NAME: ClassVar[str] = "trade.fill.recorded"
    fill_id: str
    order_id: str
    trade_id: str
    account: str
    broker_order_id: str
    execution_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    cumulative_qty: Decimal
    fees: Decimal
    occurred_at: dt.datetime
    source: str
    raw: str
    parts: tuple[FillPart, ...] = ()


class FillBusted(Event, frozen=True):
    """The execution did not happen after all. Quantity, price and fees are those that are taken back."""

    NAME: ClassVar[str] = "trade.fill.busted"
    fill_id: str
    order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fees: Decimal
    revision: FillRevision


class FillCorrected(Event, frozen=True):
    """The execution happened otherwise: the previous quantity, price and fees are taken back, the new ones count."""

    NAME: ClassVar[str] = "trade.fill.corrected"
    fill_id: str
    order_id: str
    account: str
    symbol: str
    side: Side
    previous_quantity: Decimal
    previous_price: Decimal
    previous_fees: Decimal
    quantity: Decimal
    price: Decimal
    fees: Decimal
    parts: tuple[FillPart, ...]
    revision: FillRevision


# --- trades ---------------------------------------------------------------------------------------------------------


class TradeProposed(Event, frozen=True):
    """A position idea, with the decision that had it."""

    NAME: ClassVar[str] = "trade.trade.proposed"
    trade_id: str
    account: str
    strategy: str
    symbol: str
    side: Side
    decision_id: str | None
    thesis: str
    reference_price: Decimal | None


class TradeApproved(Event, frozen=True):
    """The risk gate let the idea through."""

    NAME: ClassVar[str] = "trade.trade.approved"
    trade_id: str


class TradeRefused(Event, frozen=True):
    """The risk gate stopped the idea; `rule` is the limit that did."""

    NAME: ClassVar[str] = "trade.trade.refused"
    trade_id: str
    rule: str
    reason: str


class TradeWorking(Event, frozen=True):
    """An order works for the trade: an entry adds to it, an exit reduces it."""

    NAME: ClassVar[str] = "trade.trade.working"
    trade_id: str
    order_id: str
    is_exit: bool


class TradeFilled(Event, frozen=True):
    """A fill, or its part that belongs to this trade, was applied. `open_qty` is signed: above zero is long.

    `slippage` is what the fill cost against the decision's reference price (above zero is worse), None without one.
    `is_transfer`: nothing was executed. Units that a revised fill gave back to a trade that was over go to the trade
    that its strategy holds by now, at the price of that fill.
    """

    NAME: ClassVar[str] = "trade.trade.filled"
    trade_id: str
    order_id: str
    fill_id: str
    signed_qty: Decimal
    price: Decimal
    fees: Decimal
    realised_pnl: Decimal
    open_qty: Decimal
    slippage: Decimal | None
    occurred_at: dt.datetime
    is_transfer: bool = False


class TradeRevised(Event, frozen=True):
    """A fill of the trade was busted or corrected. Amounts are changes; `lots` are what is open after it.

    A closed trade that holds something again is open again. `busts` says that the fill is gone.
    """

    NAME: ClassVar[str] = "trade.trade.revised"
    trade_id: str
    order_id: str
    fill_id: str
    signed_qty: Decimal
    fees: Decimal
    realised_pnl: Decimal
    open_qty: Decimal
    lots: tuple[OpenLot, ...]
    busts: bool


class TradeSplit(Event, frozen=True):
    """A split changed what the trade holds, at the same cost."""

    NAME: ClassVar[str] = "trade.trade.split"
    trade_id: str
    activity_id: str
    signed_qty: Decimal
    realised_pnl: Decimal
    open_qty: Decimal
    lots: tuple[OpenLot, ...]
    occurred_at: dt.datetime


class TradeOrderDone(Event, frozen=True):
    """An order of the trade is finished and works for it no more."""

    NAME: ClassVar[str] = "trade.trade.order_done"
    trade_id: str
    order_id: str


class TradeClosed(Event, frozen=True):
    """The trade is flat again: the idea has its outcome. Amounts in account currency, net of fees."""

    NAME: ClassVar[str] = "trade.trade.closed"
    trade_id: str
    realised_pnl: Decimal
    fees: Decimal
    opened_at: dt.datetime
    closed_at: dt.datetime
    exit_reason: str


class TradeAbandoned(Event, frozen=True):
    """No order of the trade filled anything and none works any more."""

    NAME: ClassVar[str] = "trade.trade.abandoned"
    trade_id: str
    reason: str


# --- account --------------------------------------------------------------------------------------------------------


class ExitsArmed(Event, frozen=True):
    """How the trade is to be left, from here on by its `keeper`. `order_id` is the entry; `reason` why it changed."""

    NAME: ClassVar[str] = "trade.exit.armed"
    SCHEMA: ClassVar[int] = 2
    trade_id: str
    account: str
    symbol: str
    order_id: str
    plan: ExitPlan
    keeper: Keeper
    reason: str = ""


class ExitsPlanned(Event, frozen=True):
    """How the trade is to be left once the order fills that would add to it; until then nothing changes."""

    NAME: ClassVar[str] = "trade.exit.planned"
    trade_id: str
    order_id: str
    plan: ExitPlan


class ExitsSplit(Event, frozen=True):
    """A split made `before` units of the trade `after` (signed): prices and quantities of its exits move with it."""

    NAME: ClassVar[str] = "trade.exit.split"
    trade_id: str
    activity_id: str
    before: Decimal
    after: Decimal


class ExitRaised(Event, frozen=True):
    """The stop of the trade follows the market, or is at the entry now. `price` is what the market showed."""

    NAME: ClassVar[str] = "trade.exit.raised"
    trade_id: str
    rule: ExitRule
    level: Decimal
    price: Decimal


class ExitFired(Event, frozen=True):
    """The trade is being left, `quantity` units of it. `entered` is what was held when it was first left in part.

    `rung` is the rung of the ladder, from 1; 0 for none.
    """

    NAME: ClassVar[str] = "trade.exit.fired"
    trade_id: str
    rule: ExitRule
    quantity: Decimal
    evidence: str
    entered: Decimal
    rung: int = 0


class OpeningPosition(Part, frozen=True):
    """A position that the broker held before this ledger began. `quantity` is signed; price is the broker's average."""

    symbol: str
    quantity: Decimal
    average_price: Decimal


class AccountPinned(Event, frozen=True):
    """The account is bound to one broker account; its cash and positions there are where the books begin."""

    NAME: ClassVar[str] = "account.identity.pinned"
    account: str
    broker: str
    broker_account_id: str
    paper: bool
    currency: str
    cash: Decimal
    positions: tuple[OpeningPosition, ...]
    as_of: dt.datetime
    activities: tuple[str, ...] = ()


class ActivityRecorded(Event, frozen=True):
    """The broker changed the account without an order; recorded once, whoever tells it how often."""

    NAME: ClassVar[str] = "account.activity.recorded"
    account: str
    activity_id: str
    kind: str
    symbol: str | None
    amount: Decimal
    quantity: Decimal
    occurred_at: dt.datetime
    raw: str


class CashBooked(Event, frozen=True):
    """Cash came or went without an order. `kind` is dividend, fee, interest, deposit, withdrawal or other."""

    NAME: ClassVar[str] = "account.cash.booked"
    account: str
    activity_id: str
    kind: str
    symbol: str | None
    amount: Decimal
    occurred_at: dt.datetime


class LotsRestated(Event, frozen=True):
    """What changes lots and is no fill. Amounts are changes; `lots` are those of the symbol after it, oldest first."""

    account: str
    symbol: str
    signed_qty: Decimal
    cash_delta: Decimal
    realised_pnl: Decimal
    quantity_after: Decimal
    lots: tuple[OpenLot, ...]


class TradeShare(Part, frozen=True):
    """What of a change belongs to the trade of one strategy."""

    strategy: str
    trade_id: str
    signed_qty: Decimal


class PositionSplit(LotsRestated, frozen=True):
    """A split: quantities of lots change, what they cost does not. `shares` are the parts that belong to trades."""

    NAME: ClassVar[str] = "account.position.split"
    activity_id: str
    shares: tuple[TradeShare, ...]
    occurred_at: dt.datetime


class AdjustmentBooked(LotsRestated, frozen=True):
    """A person took over what the broker says, against equity. `symbol` is empty when only cash changes."""

    NAME: ClassVar[str] = "account.adjustment.booked"
    difference_id: str
    price: Decimal
    reason: str


class LimitsSet(Event, frozen=True):
    """The limits of the account from here on, all of them, with their version. `who` is `settings`, or a person."""

    NAME: ClassVar[str] = "risk.limits.set"
    SCHEMA: ClassVar[int] = 3
    account: str
    limits: Limits
    who: str
    reason: str


class LimitBreached(Event, frozen=True):
    """An order was refused by the risk gate."""

    NAME: ClassVar[str] = "risk.limit.breached"
    account: str
    order_id: str
    symbol: str
    rule: str
    reason: str


class LimitWarned(Event, frozen=True):
    """An order is outside a limit that only warns, and goes on."""

    NAME: ClassVar[str] = "risk.limit.warned"
    account: str
    order_id: str
    symbol: str
    rule: str
    reason: str


class OrderReduced(Event, frozen=True):
    """An order is placed at a smaller quantity than was asked for, because of a limit that reduces."""

    NAME: ClassVar[str] = "risk.order.reduced"
    account: str
    order_id: str
    symbol: str
    rule: str
    reason: str
    asked: Decimal
    placed: Decimal


class ApprovalRequested(Event, frozen=True):
    """An order waits for a person: it is outside of `rules`. Without an answer before `until` it is refused."""

    NAME: ClassVar[str] = "risk.approval.requested"
    order_id: str
    rules: tuple[str, ...]
    reason: str
    until: dt.datetime


class ApprovalGranted(Event, frozen=True):
    """A person lets the order pass the rules that it waited for; it was held against all others again."""

    NAME: ClassVar[str] = "risk.approval.granted"
    order_id: str
    who: str
    reason: str


class ApprovalRefused(Event, frozen=True):
    """A person says no to the order."""

    NAME: ClassVar[str] = "risk.approval.refused"
    order_id: str
    who: str
    reason: str


class ApprovalExpired(Event, frozen=True):
    """Nobody answered in time, which is a no."""

    NAME: ClassVar[str] = "risk.approval.expired"
    order_id: str
    until: dt.datetime


class KillSwitchActivated(Event, frozen=True):
    """Trading stops: only what takes risk away may be placed and sent, or, when halted, only what closes or protects.

    `trigger` is a word (manual, file, day_loss, …), `evidence` what was seen, `who` a person or a part of the system.
    After trading goes on, the same trigger is quiet for `cooldown_s` (0: never).
    """

    NAME: ClassVar[str] = "risk.kill_switch.activated"
    account: str
    state: TradingState
    trigger: str
    evidence: str
    who: str
    cooldown_s: Decimal = Decimal(0)


class KillSwitchClearRequested(Event, frozen=True):
    """Somebody asks that trading goes on; it takes a second step."""

    NAME: ClassVar[str] = "risk.kill_switch.clear_requested"
    account: str
    who: str
    reason: str


class KillSwitchCleared(Event, frozen=True):
    """Trading goes on, from `at`."""

    NAME: ClassVar[str] = "risk.kill_switch.cleared"
    account: str
    who: str
    reason: str
    at: dt.datetime | None = None


class AlertRaised(Event, frozen=True):
    """A critical alert is unread: until it is acknowledged, only what takes risk away may be placed and sent.

    `position` is that of the alert in the log.
    """

    NAME: ClassVar[str] = "risk.alert.raised"
    account: str
    position: int
    kind: str
    message: str


class AlertAcknowledged(Event, frozen=True):
    """A person has read an alert."""

    NAME: ClassVar[str] = "risk.alert.acknowledged"
    account: str
    position: int
    who: str
    reason: str


class EquityMarked(Event, frozen=True):
    """What positions are worth by the broker's prices, and the account with them. `day` is the UTC day it counts for.

    `marks` are prices by symbol, in account currency.
    """

    NAME: ClassVar[str] = "account.equity.marked"
    account: str
    day: str
    equity: Decimal
    marks: Mapping[str, Decimal]


class ReservationMade(Event, frozen=True):
    """An order counts at full size from here on, until its end is proved.

    `checks` are the rules that it was held against under `limits_version`, each with what was found and what is
    allowed; `price` is the one that it was counted at, `at` when that was. `factor` is what limits on amounts were
    multiplied by.
    """

    NAME: ClassVar[str] = "account.reservation.made"
    account: str
    order_id: str
    trade_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Decimal
    limits_version: int
    replaces: str | None = None
    agent: str = ""
    at: dt.datetime | None = None
    price: Decimal | None = None
    limit_price: Decimal | None = None
    checks: str = ""
    factor: Decimal = Decimal(1)


class ReservationReleased(Event, frozen=True):
    """The order's end is proved: what was not filled no longer counts."""

    NAME: ClassVar[str] = "account.reservation.released"
    account: str
    order_id: str
    quantity: Decimal


class PositionChange(Event, frozen=True):
    """What one fill did to a position and to cash. Quantities are signed: above zero is long."""

    account: str
    symbol: str
    fill_id: str
    order_id: str
    trade_id: str
    strategy: str
    signed_qty: Decimal
    price: Decimal
    fees: Decimal
    cash_delta: Decimal
    realised_pnl: Decimal
    quantity_after: Decimal
    closed_lots: tuple[ClosedLot, ...]


class PositionOpened(PositionChange, frozen=True):
    """A fill opened a position."""

    NAME: ClassVar[str] = "trade.position.opened"


class PositionUpdated(PositionChange, frozen=True):
    """A fill changed a position that stays open."""

    NAME: ClassVar[str] = "trade.position.updated"


class PositionClosed(PositionChange, frozen=True):
    """A fill made the position flat."""

    NAME: ClassVar[str] = "trade.position.closed"


class PositionRevised(LotsRestated, frozen=True):
    """A fill was busted or corrected: what it did to position and cash is undone, or done otherwise.

    `reserved` is what its order reserves after it, None when it reserves nothing.
    """

    NAME: ClassVar[str] = "trade.position.revised"
    fill_id: str
    order_id: str
    trade_id: str
    strategy: str
    fees: Decimal
    reserved: Decimal | None


class HoldingMoved(Event, frozen=True):
    """Units go from one trade of a strategy to another: `shares` add up to nothing."""

    NAME: ClassVar[str] = "account.holding.moved"
    account: str
    symbol: str
    fill_id: str
    shares: tuple[TradeShare, ...]


# --- sagas ----------------------------------------------------------------------------------------------------------


class SagaStarted(Event, frozen=True):
    """A process over several orders begins; `terms` are what its kind needs, `deadline` when it must have ended."""

    NAME: ClassVar[str] = "saga.started"
    saga_id: str
    kind: str
    account: str
    terms: Mapping[str, str]
    deadline: dt.datetime


class SagaStepped(Event, frozen=True):
    """The process took a step; `notes` are what later steps need to know."""

    NAME: ClassVar[str] = "saga.step"
    saga_id: str
    step: str
    reason: str
    notes: Mapping[str, str]
    deadline: dt.datetime


class SagaCompensating(Event, frozen=True):
    """The process cannot reach its aim and undoes what it did."""

    NAME: ClassVar[str] = "saga.compensating"
    saga_id: str
    step: str
    reason: str
    notes: Mapping[str, str]
    deadline: dt.datetime


class SagaCompleted(Event, frozen=True):
    """The process reached its aim, or as much of it as `result` says."""

    NAME: ClassVar[str] = "saga.completed"
    saga_id: str
    result: str


class SagaFailed(Event, frozen=True):
    """The process did not reach its aim, and nothing of it is left to be undone."""

    NAME: ClassVar[str] = "saga.failed"
    saga_id: str
    reason: str


class SagaNeedsPerson(Event, frozen=True):
    """The process could not undo what it did: a person must look."""

    NAME: ClassVar[str] = "saga.manual"
    saga_id: str
    reason: str


# --- delivery -------------------------------------------------------------------------------------------------------


class KillRequested(Event, frozen=True):
    """Everything that works for the account is to be canceled at the broker, whoever placed it, until that is proved.

    With `suspend` the broker is also told to refuse new orders; with `flat` it must hold no position either.
    """

    NAME: ClassVar[str] = "account.kill.requested"
    account: str
    suspend: bool
    reason: str
    flat: bool = False


class KillSubmitted(Event, frozen=True):
    """The instruction to cancel everything is being sent."""

    NAME: ClassVar[str] = "account.kill.submitted"
    account: str
    attempt: int
    lease: str


class KillAnswered(Event, frozen=True):
    """What became of the attempt; `open_orders` is what the broker still works on, None when it could not be asked.

    `open_positions` is what it holds, None when nobody wanted to know.
    """

    NAME: ClassVar[str] = "account.kill.answered"
    account: str
    attempt: int
    accepted: bool
    message: str
    open_orders: int | None
    open_positions: int | None = None


class KillVerified(Event, frozen=True):
    """The broker works on no order of the account any more, and, when `flat` was wanted, holds nothing for it."""

    NAME: ClassVar[str] = "account.kill.verified"
    account: str
    attempts: int
    flat: bool = False


class SuspensionShown(Event, frozen=True):
    """The broker shows that its own switch refuses new orders of the account, or that it does not any more."""

    NAME: ClassVar[str] = "account.suspension.shown"
    account: str
    suspended: bool


class SuspensionLiftRequested(Event, frozen=True):
    """A person confirmed that trading goes on: the broker is to take new orders again, until that is proved.

    `ours` says whether a kill of this ledger had suspended the account.
    """

    NAME: ClassVar[str] = "account.suspension.lift_requested"
    account: str
    who: str
    reason: str
    ours: bool


class SuspensionLiftSubmitted(Event, frozen=True):
    """The instruction to take new orders again is being sent."""

    NAME: ClassVar[str] = "account.suspension.lift_submitted"
    account: str
    attempt: int
    lease: str


class SuspensionLiftAnswered(Event, frozen=True):
    """What became of the attempt; `suspended` is what the broker showed after it, None when it could not be asked."""

    NAME: ClassVar[str] = "account.suspension.lift_answered"
    account: str
    attempt: int
    accepted: bool
    message: str
    suspended: bool | None


class SuspensionLifted(Event, frozen=True):
    """The broker showed that it takes new orders of the account again."""

    NAME: ClassVar[str] = "account.suspension.lifted"
    account: str
    attempts: int


class LaneTaken(Event, frozen=True):
    """A process took over the delivery of a lane. `fence` rises with each holder; earlier ones can mark nothing."""

    NAME: ClassVar[str] = "system.lane.taken"
    lane: str
    fence: int
    holder: str


class LaneUsed(Event, frozen=True):
    """The holder of a lane is at work there: recorded with what it marks, and while it has open work."""

    NAME: ClassVar[str] = "system.lane.used"
    lane: str
    fence: int


class LaneLeft(Event, frozen=True):
    """The holder of a lane stopped in good order: anybody may take it at once."""

    NAME: ClassVar[str] = "system.lane.left"
    lane: str
    fence: int


class ScheduledWorkFailed(Event, frozen=True):
    """A run of scheduled work (`sync`, `assets`) failed, the first of a row. Times in seconds."""

    NAME: ClassVar[str] = "system.work.failed"
    work: str
    started_at: dt.datetime
    duration_s: Decimal
    reason: str


class ScheduledWorkRecovered(Event, frozen=True):
    """A run of scheduled work succeeded after `failures` in a row."""

    NAME: ClassVar[str] = "system.work.recovered"
    work: str
    failures: int
    failing_since: dt.datetime


EVENTS: dict[str, type[Event]] = {
    item.NAME: item
    for item in tuple(globals().values())
    if isinstance(item, type) and issubclass(item, Event) and "NAME" in item.__dict__
}
"""Every event class by its stable name."""
