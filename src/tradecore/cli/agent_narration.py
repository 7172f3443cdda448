"""Events of agents, models and learning in words."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.views.plain import instant, text, text_or_none


def agent_stage(event: ev.Event) -> str | None:
    """The stage of the story that an event belongs to; None where it is not one of these."""
    match event:
        case ev.CycleStarted() | ev.CycleStepped() | ev.CycleCompleted() | ev.CycleFailed() | ev.CycleSkipped():
            return "cycle"
        case ev.DecisionRequested() | ev.DecisionConcluded() | ev.DecisionValidated() | ev.DecisionLapsed():
            return "decision"
        case ev.FeaturesRecorded():
            return "features"
        case ev.ModelCallRequested() | ev.ModelCallAnswered() | ev.ModelCallFailed() | ev.ModelAnswerReused():
            return "model"
        case ev.ModelSwitched() | ev.ModelChainExhausted():
            return "model"
        case ev.BudgetReserved() | ev.BudgetSettled():
            return "budget"
        case ev.ReservationMade():
            return "risk"
        case ev.OutcomeResolved() | ev.OutcomeVoided():
            return "outcome"
        case ev.CalibrationCompleted():
            return "calibration"
        case _:
            return None


def agent_phrase(event: ev.Event) -> str | None:
    """What happened, in a phrase; None where the event is not one of these."""
    match event:
        case ev.CycleStarted():
            return f"{event.agent}, {event.mode}, due {instant(event.due_at)}: {', '.join(event.symbols)}"
        case ev.CycleStepped():
            detail = f": {event.detail}" if event.detail else ""
            return f"{event.step} {event.result}{detail}, {text(event.duration_s)} s"
        case ev.CycleCompleted():
            return f"{event.result}: {event.decisions} decisions, {event.orders} orders, {text(event.duration_s)} s"
        case ev.CycleFailed():
            return f"failed: {event.reason}"
        case ev.CycleSkipped():
            return f"skipped: cycle {event.running} was still at work"
        case ev.DecisionRequested():
            return f"{event.agent} is asked about {event.symbol}, data as of {instant(event.data_as_of)}"
        case ev.FeaturesRecorded():
            notes = f", {len(event.notes)} notes" if event.notes else ""
            return f"{len(event.values)} known, missing {', '.join(event.missing) or 'none'}{notes}"
        case ev.DecisionConcluded():
            votes = f", {len(event.votes)} votes" if event.votes else ""
            judge = f", escalated: {event.escalated}" if event.escalated else ""
            return (
                f"{event.stance}, stated confidence {text_or_none(event.confidence)}{votes}{judge}: {event.reasoning}"
            )
        case ev.DecisionValidated():
            return _validated(event)
        case ev.DecisionLapsed():
            return f"lapsed: {event.reason}"
        case ev.OutcomeResolved():
            earned = "earned" if event.came_true else "lost"
            return f"{earned}: profit {text(event.realised_pnl)}, fees {text(event.fees)}, held {event.holding_s} s"
        case ev.OutcomeVoided():
            return f"nothing came of it: {event.reason}"
        case ev.CalibrationCompleted():
            return f"{event.calibration_id}: {event.calibration.kind} from {event.size} independent outcomes"
        case _:
            return _model_phrase(event)


def _validated(event: ev.DecisionValidated) -> str:
    worth = f"confidence {text_or_none(event.confidence)}"
    by = f" by calibration {event.calibration_id}" if event.calibration_id else ""
    size = f", {text(event.quantity)} units" if event.quantity is not None else ""
    why = f": {event.reason}" if event.reason else ""
    person = f", a person must agree: {event.needs_approval}" if event.needs_approval else ""
    return f"{event.stance}, {worth}{by}{size}{person}{why}"


def _model_phrase(event: ev.Event) -> str | None:
    match event:
        case ev.ModelCallRequested():
            instead = f", instead of {event.fallback_from} ({event.fallback_reason})" if event.fallback_from else ""
            return f"{event.role} asks {event.provider}/{event.model}, attempt {event.attempt}{instead}"
        case ev.ModelCallAnswered():
            tokens = f"{event.input_tokens} tokens in, {event.output_tokens} out"
            return f"answered: {tokens}, ${text(event.cost)}, {text(event.latency_s)} s"
        case ev.ModelCallFailed():
            return f"failed: {event.failure} {event.message}, ${text(event.cost)}, {text(event.latency_s)} s"
        case ev.ModelSwitched():
            return f"on to {event.next_provider}/{event.next_model}, because {event.provider}: {event.failure}"
        case ev.ModelAnswerReused():
            return f"reused the answer of {event.provider}/{event.model}, {text(event.age_s)} s old"
        case ev.ModelChainExhausted():
            return "no model answered: hold"
        case ev.BudgetReserved() | ev.BudgetSettled():
            return f"{event.budget}: ${text(event.amount)}"
        case ev.ReservationMade():
            return f"{text(event.quantity)} of order {event.order_id} within all limits: {event.checks}"
        case _:
            return None
