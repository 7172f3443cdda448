"""View `outcomes`: what became of decisions. Key: decision id; the newest resolution counts."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.views.plain import instant, text, text_or_none
from tradecore.views.view import Row, Rows


class Outcomes:
    """Outcomes with what was said before. Amounts net of fees, in account currency; `model_cost` in dollars."""

    name = "outcomes"
    shape = "outcomes/1"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an outcome."""
        event = recorded.event
        if isinstance(event, ev.OutcomeResolved):
            rows.put(event.decision_id, _row(event, recorded))
        elif isinstance(event, ev.OutcomeVoided):
            rows.delete(event.decision_id)


def _row(event: ev.OutcomeResolved, recorded: Recorded[ev.Event]) -> Row:
    return {
        "decision_id": event.decision_id,
        "trade_id": event.trade_id,
        "account": event.account,
        "agent": event.agent,
        "symbol": event.symbol,
        "stance": event.stance.value,
        "came_true": event.came_true,
        "realised_pnl": text(event.realised_pnl),
        "fees": text(event.fees),
        "return_share": text(event.return_share),
        "slippage": text_or_none(event.slippage),
        "holding_s": event.holding_s,
        "max_gain": text_or_none(event.max_gain),
        "max_drawdown": text_or_none(event.max_drawdown),
        "stated": text_or_none(event.stated),
        "confidence": text_or_none(event.confidence),
        "calibration_id": event.calibration_id,
        "model": event.model,
        "model_cost": text(event.model_cost),
        "opened_at": instant(event.opened_at),
        "closed_at": instant(event.closed_at),
        "shares": [
            {"role": one.role, "model": one.model, "weight": text(one.weight), "pnl": text(one.pnl)}
            for one in event.shares
        ],
        "position": recorded.envelope.position,
    }
