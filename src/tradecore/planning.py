"""Which aggregates a command concerns, and in which order they decide. One command, one draft, one transaction."""

from __future__ import annotations

import msgspec

from tradecore import closing, gating, leaving, suspending, thinking
from tradecore.domain import (
    account,
    approval,
    decision,
    fill,
    kill,
    lane,
    order,
    order_plan,
    saga,
    streams,
    switch,
    trade,
)
from tradecore.domain import events as ev
from tradecore.domain.commands import (
    AcknowledgeAlert,
    ActivateKillSwitch,
    AdoptOrder,
    AdvanceSaga,
    BookActivity,
    BookAdjustment,
    CancelOrder,
    ClearKillSwitch,
    ClosePosition,
    Command,
    ExpireApproval,
    FireExit,
    GrantApproval,
    LeaveLane,
    MarkEquity,
    NoteSuspension,
    PinAccount,
    PlaceOrder,
    RaiseAlert,
    RaiseExit,
    RecordAnswer,
    RecordFill,
    RecordKillAnswer,
    RecordLiftAnswer,
    RefuseApproval,
    ReplaceOrder,
    RequestClear,
    RequestKill,
    ResolveSaga,
    ReviseFill,
    SetLimits,
    StartKill,
    StartLift,
    StartSaga,
    StartSubmit,
    TakeLane,
    TakeOverExits,
    UseLane,
    WithdrawOrder,
    WithdrawRisk,
)
from tradecore.domain.deliberation import Progress
from tradecore.domain.identity import client_order_id, closing_order_id, trade_id_of_order
from tradecore.domain.limits import Action
from tradecore.domain.reducing import is_against
from tradecore.domain.terms import check_terms
from tradecore.domain.values import ZERO, OrderStatus, Purpose, TradeStatus
from tradecore.draft import Draft
from tradecore.errors import (
    CancelRefused,
    GrantRefused,
    InputError,
    InvariantViolated,
    OrderRefused,
    ReplaceRefused,
    WrongVersion,
)
from tradecore.gating import Occasion
from tradecore.outside import adopt_order, book_activity, book_adjustment
from tradecore.revising import revise_awaited, revise_fill
from tradecore.settling import count_again, settle
from tradecore.sharing import Execution, share_out


def plan(draft: Draft, command: Command, here: Occasion) -> None:
    """Let every aggregate that the command concerns decide on it, into the draft."""
    match command:
        case StartSubmit() | RecordAnswer():  # what there is most of, first
            _on_order(draft, command)
        case PinAccount():
            draft.add(streams.account(command.account), account.pin(draft.account(command.account), command))
        case SetLimits():
            draft.add(streams.account(command.account), account.set_limits(draft.account(command.account), command))
        case MarkEquity():
            draft.add(streams.account(command.account), account.mark(draft.account(command.account), command))
        case ClearKillSwitch():
            suspending.clear(draft, command, here.now)
        case NoteSuspension() | StartLift() | RecordLiftAnswer():
            suspending.give(draft, command, here.now)
        case ActivateKillSwitch() | RequestClear() | RaiseAlert() | AcknowledgeAlert():
            holder = draft.account(command.account)
            draft.add(streams.account(command.account), switch.decide(holder, command, here.now))
        case WithdrawRisk():
            _withdraw_risk(draft, command)
        case PlaceOrder():
            _place(draft, command, here)
        case GrantApproval() | RefuseApproval() | ExpireApproval():
            _answer(draft, command, here)
        case ReplaceOrder():
            _replace(draft, command, here)
        case ClosePosition():
            _place(draft, closing.as_order(draft, command), here, is_reducing=True)
        case RecordFill():
            _record_fill(draft, command)
        case RequestKill():
            _request_kill(draft, command)
        case StartKill() | RecordKillAnswer():
            draft.add(streams.kill(command.account), kill.decide(draft.kill(command.account), command))
        case TakeLane() | UseLane() | LeaveLane():
            draft.add(streams.lane(command.lane), lane.decide(draft.lane(command.lane), command))
        case ReviseFill():
            revise_fill(draft, command)
        case BookActivity():
            book_activity(draft, command)
        case BookAdjustment():
            book_adjustment(draft, command)
        case AdoptOrder():
            adopt_order(draft, command)
        case FireExit() | RaiseExit() | TakeOverExits():
            follows = leaving.give(draft, command, here.now)
            if isinstance(follows, PlaceOrder):
                _place(draft, follows, here, is_reducing=True)
            elif follows is not None:
                plan(draft, follows, here)
        case StartSaga():
            draft.add(streams.saga(command.saga_id), saga.start(draft.saga(command.saga_id), command))
        case AdvanceSaga():
            _advance(draft, command, here)
        case ResolveSaga():
            draft.add(streams.saga(command.saga_id), saga.resolve(_saga(draft, command.saga_id), command))
        case _ if isinstance(command, thinking.Thought):
            thinking.decide(draft, command)
        case _:
            _on_order(draft, command)


def _advance(draft: Draft, command: AdvanceSaga, here: Occasion) -> None:
    """A saga's step and what it commands, in one transaction: neither is ever there without the other."""
    stepped = saga.advance(_saga(draft, command.saga_id), command)
    if not stepped:
        return
    draft.add(streams.saga(command.saga_id), stepped)
    for part in command.commands:
        if isinstance(part, PlaceOrder) and part.purpose is not Purpose.TRADE:
            leaving.refuse_unheld(draft, part)
        plan(draft, part, here)


def _saga(draft: Draft, saga_id: str) -> saga.SagaState:
    state = draft.saga(saga_id)
    if state is None:
        raise InputError("saga", saga_id, "the id of a saga of this ledger")
    return state


def live_trade(draft: Draft, command: PlaceOrder) -> str | None:
    """The trade that an order joins, or None when it begins one; a closed trade takes no further order."""
    for trade_id in draft.account(command.account).trades_for(command.strategy, command.symbol):
        idea = draft.trade(trade_id)
        if idea is not None and idea.status not in (TradeStatus.CLOSED, TradeStatus.ABANDONED):
            return trade_id
    return None


def _place(draft: Draft, command: PlaceOrder, here: Occasion, *, is_reducing: bool = False) -> None:
    """Reserve, plan, begin or join the trade, and record the decision: all or nothing.

    What `is_reducing` takes risk away and passes whatever the limits are.
    """
    check_terms(command)
    if command.proposal is not None and draft.exists(streams.decision(command.proposal.decision_id)):
        return  # decided before, perhaps just before a crash
    if command.proposal is not None and command.proposal.deliberated:
        _check_deliberated(draft, command, command.proposal.decision_id)
    if draft.order(command.order_id) is not None:
        raise InputError("order_id", command.order_id, "an id that no order has yet")
    holder = draft.account(command.account)
    live = live_trade(draft, command)
    trade_id = live or trade_id_of_order(command.order_id)
    gated = gating.gate_order(holder, command, here)
    must_ask = gated.verdict.action is Action.APPROVE and not is_reducing
    if not (gated.verdict.allows or is_reducing or must_ask):
        _refuse(draft, command, trade_id, gated.rule, gated.reason, is_new=live is None)
        return
    command, gated = _made_smaller(draft, command, gated, here)
    behind = leaving.behind_legs(draft, command, trade_id)
    saga = None if behind is None or must_ask else leaving.by_decision(draft, behind, command, here.now)
    if command.proposal is not None:
        order_id = command.order_id if saga is None else closing_order_id(saga.saga_id)
        executed = decision.execute(command.proposal, order_id, trade_id)
        draft.add(streams.decision(command.proposal.decision_id), executed)
    if saga is not None:
        plan(draft, saga, here)
        return
    reserved = gating.reserve_order(holder, command, trade_id, gated)
    warned = gating.warning(command.account, command.order_id, gated)
    draft.add(streams.account(command.account), [*warned, reserved])
    if live is None:
        draft.add(streams.trade(trade_id), trade.propose(command, trade_id))
    idea = draft.trade(trade_id)
    assert idea is not None, "a reservation or a holding names its trade"
    planned = order_plan.plan(command, client_order_id(command.order_id, here.epoch), trade_id)
    if must_ask:
        planned = [planned[0], gating.ask_a_person(holder, command.order_id, gated, here)]
    draft.add(streams.order(command.order_id), planned)
    if command.exits is not None:
        draft.add(streams.exits(trade_id), leaving.arm(command, command.exits, idea, draft.exits(trade_id)))
    draft.add(streams.trade(trade_id), trade.work(idea, command.order_id, command.side))
    assert isinstance(planned[0], ev.OrderPlanned), "an order begins with its plan"
    _plan_legs(draft, planned[0], here.epoch)


def _check_deliberated(draft: Draft, command: PlaceOrder, decision_id: str) -> None:
    """The process that came to the decision may have slept: it lapsed meanwhile, or what it closes is gone."""
    state = draft.deliberation(decision_id)
    if state is not None and state.progress is Progress.LAPSED:
        raise InputError("decision_id", decision_id, "a decision that has not lapsed")
    held = draft.account(command.account).held(command.strategy, command.symbol)
    if command.purpose is Purpose.TRADE and held * command.side.sign < 0:
        raise InputError("decision_id", decision_id, f"one that knew of the {held} {command.symbol} held by now")
    if command.purpose is Purpose.CLOSE:
        leaving.refuse_unheld(draft, command)
        idea = draft.trade(live_trade(draft, command) or "")
        if idea is not None:
            leaving.refuse_second(draft, idea)


def _answer(draft: Draft, command: approval.ApprovalCommand, here: Occasion) -> None:
    """A person's yes lets the order go on when every other limit still does; a no, and no answer, end it."""
    state = draft.order(command.order_id)
    if state is None:
        raise GrantRefused(f"there is no order {command.order_id}")
    answered = approval.decide(state, command, here.now)
    if isinstance(command, GrantApproval):
        gated = gating.gate_again(draft.account(state.account), state, command.listing, here)
        if gated.verdict.action not in (None, Action.WARN):
            raise OrderRefused(gated.rule, gated.reason)
        if (why := _why_not(draft, state)) is not None:
            raise GrantRefused(why)
        if state.purpose is Purpose.CLOSE:
            leaving.refuse_unheld(draft, state)
    behind = leaving.behind_legs(draft, state, state.trade_id) if isinstance(command, GrantApproval) else None
    if behind is not None and (saga := leaving.by_decision(draft, behind, state, here.now)) is not None:
        told = f"approved: the position is closed by saga {saga.saga_id}, which withdraws its legs first"
        answered = [answered[0], ev.OrderCanceled(state.order_id, told, ZERO, "")]
        plan(draft, saga, here)
    draft.add(streams.order(state.order_id), answered)
    settle(draft, state)


def _made_smaller(
    draft: Draft, command: PlaceOrder, gated: gating.Gated, here: Occasion
) -> tuple[PlaceOrder, gating.Gated]:
    """The order and its checks at the quantity that the limits leave."""
    asked, verdict = gated.ask.quantity, gated.verdict
    if verdict.action is not Action.REDUCE:
        return command, gated
    smaller = gating.reduced(command, verdict.quantity)
    event = ev.OrderReduced(
        command.account, command.order_id, command.symbol, gated.rule, verdict.reason, asked, verdict.quantity
    )
    draft.add(streams.account(command.account), [event])
    return smaller, gating.gate_order(draft.account(command.account), smaller, here)


def _plan_legs(draft: Draft, parent: ev.OrderPlanned, epoch: str) -> None:
    """Record the orders that the broker will make with this one; they reduce, so they reserve nothing."""
    for leg in order_plan.plan_legs(parent, epoch):
        draft.add(streams.order(leg.order_id), [leg])
        idea = draft.trade(leg.trade_id)
        assert idea is not None, "its parent works for it already"
        draft.add(streams.trade(leg.trade_id), trade.work(idea, leg.order_id, leg.side))


def _replace(draft: Draft, command: ReplaceOrder, here: Occasion) -> None:
    """Plan the order that is to take the place of another, and reserve what it adds: all or nothing."""
    old = draft.order(command.order_id)
    if old is None:
        raise ReplaceRefused(f"there is no order {command.order_id}")
    if draft.order(command.new_order_id) is not None:
        raise InputError("new_order_id", command.new_order_id, "an id that no order has yet")
    planned = order_plan.replacement(old, command, client_order_id(command.new_order_id, here.epoch))
    new = planned[0]
    assert isinstance(new, ev.OrderPlanned), "an order begins with its plan"
    holder = draft.account(old.account)
    if old.leg is None:
        gated = gating.gate_replacement(holder, old, new, command.listing, here)
        if gated.verdict.action not in (None, Action.WARN):
            refused = ev.LimitBreached(old.account, new.order_id, old.symbol, gated.rule, gated.reason)
            draft.add(streams.account(old.account), [refused])
            return
        warned = gating.warning(old.account, new.order_id, gated)
        draft.add(streams.account(old.account), [*warned, gating.reserve_replacement(holder, old, new, gated)])
    draft.add(streams.order(new.order_id), planned)
    draft.add(streams.order(old.order_id), [ev.ReplaceRequested(old.order_id, new.order_id, command.reason)])
    idea = draft.trade(old.trade_id)
    assert idea is not None, "an order names its trade"
    draft.add(streams.trade(old.trade_id), trade.work(idea, new.order_id, new.side))


def _refuse(draft: Draft, command: PlaceOrder, trade_id: str, rule: str, reason: str, *, is_new: bool) -> None:
    if command.proposal is not None:
        draft.add(streams.decision(command.proposal.decision_id), decision.refuse(command.proposal, rule, reason))
    breached = ev.LimitBreached(command.account, command.order_id, command.symbol, rule, reason)
    draft.add(streams.account(command.account), [breached])
    if is_new:
        draft.add(streams.trade(trade_id), trade.refuse(command, trade_id, rule, reason))


def _on_order(draft: Draft, command: order.OrderCommand) -> None:
    """A command that concerns one order; when it settles the order, account and trade learn it in the same breath."""
    state = draft.order(command.order_id)
    if state is None:
        raise CancelRefused(f"there is no order {command.order_id}")
    if isinstance(command, StartSubmit) and (reason := _why_not(draft, state)):
        command = WithdrawOrder(state.order_id, reason)
    draft.add(streams.order(state.order_id), order.decide(state, command))
    if isinstance(command, CancelOrder) and state.replaced_by is not None:
        _cancel_replacement(draft, state.replaced_by, command)
    count_again(draft, state)
    settle(draft, state)


def _why_not(draft: Draft, state: order.OrderState) -> str | None:
    """Why an order that was never sent may not be sent any more, or None."""
    if state.in_flight:
        return None  # it may be there already, and is looked up
    killed = draft.kill(state.account)
    if killed is not None and killed.is_open and state.purpose is Purpose.TRADE:
        return "everything that works for the account is being canceled"
    if (stopped := switch.why_not_sent(draft.account(state.account), state)) is not None:
        return stopped
    old = draft.order(state.replaces) if state.replaces is not None else None
    if old is not None and (old.status.is_terminal or old.cancel_requested):
        return f"the order that it was to replace is {old.status.value}, or to be canceled"
    if old is not None and state.leg is None and old.filled_qty != old.filled_at_replace:
        return "of the order that it was to replace more has filled since, and would be asked for again"
    return None


def _cancel_replacement(draft: Draft, order_id: str, command: CancelOrder) -> None:
    """Who wants an order canceled does not want the one that is to take its place either."""
    new = draft.order(order_id)
    if new is not None and not new.status.is_terminal:
        _on_order(draft, CancelOrder(order_id, command.reason))


def _request_kill(draft: Draft, command: RequestKill) -> None:
    """Withdraw what was not sent, and have the rest canceled order by order as well as in one stroke."""
    draft.add(streams.kill(command.account), kill.decide(draft.kill(command.account), command))
    for order_id in draft.account(command.account).reservations:
        state = draft.order(order_id)
        if state is not None and not state.status.is_terminal and not state.cancel_requested:
            is_waiting = state.status is OrderStatus.QUEUED
            if not (is_waiting and state.purpose is not Purpose.TRADE):
                _on_order(draft, CancelOrder(order_id, command.reason))


def _withdraw_risk(draft: Draft, command: WithdrawRisk) -> None:
    for order_id, reserved in draft.account(command.account).reservations.items():
        state = draft.order(order_id)
        if state is None or state.status.is_terminal or state.cancel_requested or state.purpose is not Purpose.TRADE:
            continue
        if not is_against(draft.account(command.account), reserved.symbol, reserved.side, state.remaining):
            _on_order(draft, CancelOrder(order_id, command.reason))


def _record_fill(draft: Draft, command: RecordFill) -> None:
    """Record an execution once: on the fill, the order, the trade or trades, and the account."""
    state = draft.order(command.order_id)
    if state is None:
        raise InvariantViolated(f"a fill names order {command.order_id}, which this ledger does not have")
    if command.revisions not in (None, len(state.revised_at)):
        raise WrongVersion(f"fill {command.fill_id} was told from {command.revisions} revisions of its order")
    recorded = fill.record(draft.fill(command.fill_id), command, state)
    if not recorded:
        return
    here = len(draft.events)
    leaving.take_effect(draft, state)
    draft.add(streams.order(state.order_id), order.decide(state, command))
    count_again(draft, state)
    execution = Execution(command.fill_id, state, command.quantity, command.price, command.fees, command.occurred_at)
    parts = share_out(draft, execution)
    leaving.follow(draft, state, parts[-1].trade_id)
    draft.insert(here, streams.fill(command.fill_id), msgspec.structs.replace(recorded[0], parts=parts))
    revise_awaited(draft, state.order_id)
    settle(draft, state)
