"""View `decisions`: every decision from its question to what became of it. Key: decision id."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant, text, text_or_none
from tradecore.views.view import Row, Rows


class Decisions:
    """Decisions of agents and strategies.

    `status` is requested, concluded, hold, abstain, buy or sell (validated, and not an order yet), lapsed, refused or
    executed; `outcome` is none, void, earned or lost.
    """

    name = "decisions"
    shape = "decisions/2"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of a decision."""
        event = recorded.event
        if isinstance(event, ev.DecisionRequested):
            rows.put(event.decision_id, _row(event.decision_id, event.agent, event.symbol, recorded, event.cycle_id))
            return
        if isinstance(event, ev.DecisionGenerated):
            found = rows.get(event.decision_id)
            row = _row(event.decision_id, event.strategy, event.symbol, recorded, None) if found is None else found
            row.update(
                stance=event.side.value, confidence=text_or_none(event.confidence), quantity=text(event.quantity)
            )
            rows.put(event.decision_id, row)
            return
        change = _change(event)
        if change:
            row = rows.require(change["decision_id"])
            row.update(change)
            rows.put(row["decision_id"], row)


def _change(event: ev.Event) -> Row:
    match event:
        case ev.DecisionConcluded():
            return {
                "decision_id": event.decision_id,
                "status": "concluded",
                "stance": event.stance.value,
                "stated": text_or_none(event.confidence),
                "model": event.model,
                "reason": event.reasoning,
            }
        case ev.DecisionValidated():
            change: Row = {
                "decision_id": event.decision_id,
                "status": event.stance.value,
                "confidence": text_or_none(event.confidence),
                "quantity": text_or_none(event.quantity),
            }
            return change | ({"reason": event.reason} if event.reason else {})
        case ev.DecisionLapsed():
            return {"decision_id": event.decision_id, "status": "lapsed", "reason": event.reason}
        case ev.DecisionExecuted():
            return {
                "decision_id": event.decision_id,
                "status": "executed",
                "order_id": event.order_id,
                "trade_id": event.trade_id,
            }
        case ev.DecisionRefused():
            return {"decision_id": event.decision_id, "status": "refused", "reason": f"{event.rule}: {event.reason}"}
        case ev.OutcomeResolved():
            outcome = "earned" if event.came_true else "lost"
            return {"decision_id": event.decision_id, "outcome": outcome, "realised_pnl": text(event.realised_pnl)}
        case ev.OutcomeVoided():
            return {"decision_id": event.decision_id, "outcome": "void", "realised_pnl": None}
        case _:
            return {}


def _row(decision_id: str, agent: str, symbol: str, recorded: Recorded[ev.Event], cycle_id: str | None) -> Row:
    event = recorded.event
    assert isinstance(event, ev.DecisionRequested | ev.DecisionGenerated), "a decision begins with one of them"
    return {
        "decision_id": decision_id,
        "agent": agent,
        "symbol": symbol,
        "status": "requested",
        "stance": None,
        "stated": None,
        "confidence": None,
        "quantity": None,
        "model": None,
        "reason": "",
        "cycle_id": cycle_id,
        "data_as_of": instant(event.data_as_of),
        "order_id": None,
        "trade_id": None,
        "outcome": None,
        "realised_pnl": None,
        "trace_id": recorded.envelope.trace_id,
        "position": recorded.envelope.position,
    }
