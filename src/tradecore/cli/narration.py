"""Events in words: the stage of the story that they belong to, and a phrase."""

from __future__ import annotations

from tradecore.cli.agent_narration import agent_phrase, agent_stage
from tradecore.domain import events as ev
from tradecore.views.plain import instant, text


def stage_of(event: ev.Event) -> str:
    """Decision, intent, attempt, answer, fill, outcome …"""
    stage = agent_stage(event)
    if stage is not None:
        return stage
    match event:
        case ev.DecisionGenerated() | ev.DecisionExecuted() | ev.DecisionRefused():
            return "decision"
        case ev.OrderPlanned() | ev.OrderQueued() | ev.CancelRequested():
            return "intent"
        case ev.OrderSubmitted() | ev.OrderNotSent() | ev.OrderOutcomeUnknown() | ev.CancelSubmitted():
            return "attempt"
        case ev.OrderAccepted() | ev.OrderUpdated() | ev.CancelAnswered():
            return "answer"
        case ev.FillRecorded() | ev.OrderPartiallyFilled() | ev.TradeFilled():
            return "fill"
        case ev.OrderFilled() | ev.OrderRejected() | ev.OrderCanceled() | ev.OrderExpired() | ev.OrderReplaced():
            return "outcome"
        case ev.TradeClosed() | ev.TradeAbandoned() | ev.TradeRefused():
            return "outcome"
        case ev.LimitBreached():
            return "refusal"
        case ev.ApprovalRequested() | ev.ApprovalGranted() | ev.ApprovalRefused() | ev.ApprovalExpired():
            return "approval"
        case _:
            return event.NAME.split(".")[1]


def phrase_of(event: ev.Event) -> str:
    """What happened, in a phrase; empty where the event's name says it all."""
    phrase = agent_phrase(event)
    if phrase is not None:
        return phrase
    match event:
        case ev.DecisionGenerated():
            return f"{event.strategy}: {event.side} {text(event.quantity)} {event.symbol}: {event.reasoning}"
        case ev.DecisionExecuted():
            return f"became order {event.order_id}"
        case ev.DecisionRefused() | ev.TradeRefused() | ev.LimitBreached():
            return f"refused by {event.rule}: {event.reason}"
        case ev.OrderPlanned():
            price = "" if event.limit_price is None else f" at {text(event.limit_price)}"
            stop = "" if event.stop_price is None else f" stop {text(event.stop_price)}"
            terms = f"{event.order_type}{stop}{price} {event.time_in_force}"
            leg = "" if event.leg is None else f", the {event.leg.value.replace('_', ' ')} leg"
            return f"{event.side} {_amount(event)} {event.symbol} {terms}{leg}, as {event.client_order_id}"
        case ev.OrderQueued():
            return f"to be sent before {instant(event.not_after)}"
        case ev.OrderSubmitted():
            return f"submit {event.attempt} under lease {event.lease}"
        case ev.OrderNotSent():
            return f"submit {event.attempt} was not sent: {event.reason}"
        case ev.OrderOutcomeUnknown():
            return f"submit {event.attempt}, outcome unknown: {event.reason}"
        case ev.CancelSubmitted():
            return f"cancel {event.attempt} under lease {event.lease}"
        case ev.OrderAccepted():
            found = ", learned outside its own call" if event.found_by_lookup else ""
            return f"{event.status} as {event.broker_order_id}{found}"
        case ev.OrderUpdated():
            return f"{event.status}, by {event.source}"
        case ev.CancelRequested():
            return f"cancel: {event.reason}"
        case ev.CancelAnswered():
            return "cancel taken" if event.accepted else f"cancel not taken: {event.message}"
        case ev.FillRecorded():
            fill = f"{event.side} {text(event.quantity)} {event.symbol} at {text(event.price)}"
            return f"{fill}, fees {text(event.fees)}, by {event.source}, {instant(event.occurred_at)}"
        case ev.OrderPartiallyFilled() | ev.OrderFilled():
            done = "filled" if isinstance(event, ev.OrderFilled) else "partially filled"
            return f"{done}: {text(event.filled_qty)} so far"
        case _:
            return _outcome(event)


def _outcome(event: ev.Event) -> str:
    match event:
        case ev.OrderRejected():
            return f"rejected: {event.code} {event.message}"
        case ev.OrderCanceled():
            return f"canceled: {event.reason}"
        case ev.OrderExpired() | ev.OrderReplaced():
            return event.NAME.rsplit(".", 1)[1]
        case ev.ApprovalRequested():
            return f"waits for a person until {instant(event.until)}: {', '.join(event.rules)}: {event.reason}"
        case ev.ApprovalGranted() | ev.ApprovalRefused():
            return f"{event.NAME.rsplit('.', 1)[1]} by {event.who}: {event.reason}"
        case ev.KillSwitchActivated():
            return f"{event.state.value} by {event.trigger}: {event.evidence}"
        case ev.KillSwitchClearRequested() | ev.KillSwitchCleared() | ev.AlertAcknowledged():
            return f"by {event.who}: {event.reason}"
        case ev.ExitsArmed():
            return f"kept by the {event.keeper.value}"
        case ev.ExitsPlanned():
            return f"once order {event.order_id} fills"
        case ev.ExitsSplit():
            return f"{text(event.before)} units are {text(event.after)} now"
        case ev.ExitRaised():
            return f"stop at {text(event.level)} by {event.rule.value}"
        case ev.ExitFired():
            return f"{event.rule.value}, {text(event.quantity)} units: {event.evidence}"
        case ev.AlertRaised():
            return f"{event.kind}: {event.message}"
        case ev.ApprovalExpired():
            return f"nobody answered until {instant(event.until)}"
        case ev.TradeProposed():
            return f"{event.side} {event.symbol} for {event.strategy}: {event.thesis}"
        case ev.TradeWorking():
            return ("exit" if event.is_exit else "entry") + f" order {event.order_id}"
        case ev.TradeFilled():
            moved = " between trades: a fill was revised" if event.is_transfer else ""
            return f"{text(event.signed_qty)} at {text(event.price)}, open {text(event.open_qty)}{moved}"
        case ev.TradeClosed():
            return f"closed: profit {text(event.realised_pnl)}, fees {text(event.fees)}"
        case ev.TradeAbandoned():
            return f"abandoned: {event.reason}"
        case ev.ReservationReleased():
            return f"{event.NAME.rsplit('.', 1)[1]}: {text(event.quantity)} of order {event.order_id}"
        case ev.PositionChange():
            after = f"{event.symbol} {text(event.signed_qty)}, now {text(event.quantity_after)}"
            return f"{after}, cash {text(event.cash_delta)}, profit {text(event.realised_pnl)}"
        case ev.HoldingMoved():
            moves = (f"{text(share.signed_qty)} in trade {share.trade_id}" for share in event.shares)
            return f"{event.symbol} moves: {', '.join(moves)}"
        case ev.RunnerStarted():
            return f"{event.runner_id}, {event.broker}, {event.strategy}"
        case ev.RunnerStopped() | ev.ReportParked():
            return event.reason
        case ev.AlertTriggered():
            return f"{event.kind}: {event.message}"
        case ev.AssetsRefreshed():
            return f"{len(event.symbols)} symbols at {event.broker}"
        case ev.AssetsConfirmed():
            return f"the same symbols at {event.broker}"
        case ev.LedgerChecked():
            return f"checked up to {event.head}: {event.finding or 'sound'}"
        case ev.DiskLow() | ev.DiskRecovered():
            return f"{event.free_bytes} bytes are free on the disk, {event.wanted_bytes} are wanted"
        case ev.TradeOrderDone():
            return f"order {event.order_id} is done"
        case ev.TradeApproved():
            return "approved"
        case ev.EpochChanged():
            return f"{event.previous} ended, {event.epoch} begins: {event.reason}"
        case ev.SubjectErased():
            return f"{event.texts} texts erased: {event.reason}"
        case _:
            return ""


def _amount(event: ev.OrderPlanned) -> str:
    if event.quantity is not None:
        return text(event.quantity)
    assert event.notional is not None, "an order has a quantity or an amount of money"
    return f"for {text(event.notional)} of"
