"""Verbs of learning: `decisions`, `scorecard`, `calibrate`."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing, rows_now
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_pairs, show_table
from tradecore.domain.calibration import CalibrationKind
from tradecore.domain.messages import Cause
from tradecore.domain.values import parse_word

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.learning.scorecard import Scorecard

_SEED = 7


def decisions(*, options: Options = DEFAULTS) -> int:
    """List decisions with what was stated, what it was worth, and what became of it."""
    columns = ("decision_id", "agent", "symbol", "status", "stance", "stated", "confidence", "outcome", "realised_pnl")
    with open_existing(options) as journal:
        rows = rows_now(journal, "decisions")
    show_json(rows) if options.json else show_table(rows, columns, "no decisions")
    return 0


def scorecard(*, by: str = "agent", stated: bool = False, resolve: bool = False, options: Options = DEFAULTS) -> int:
    """Show how good decisions were: counts always, scores only where there are enough independent outcomes.

    Parameters
    ----------
    by
        agent (or strategy), model, role or symbol
    stated
        judge confidences as they were stated, not as they counted
    resolve
        first put on record what became of trades that ended; a runner with an agent does that itself
    """
    from tradecore.learning.cases import cases_by
    from tradecore.learning.scorecard import scorecard as make

    with open_existing(options) as journal:
        if resolve:
            _resolve(journal)
        rows_now(journal, "outcomes")
        rng = random.Random(_SEED)  # noqa: S311 - the same outcomes give the same card
        cards = [make(name, cases, rng, as_stated=stated) for name, cases in sorted(cases_by(journal, by).items())]
    if options.json:
        show_json([_plain(card) for card in cards])
        return 0
    if not cards:
        show_line("no decision has an outcome yet")
    for number, card in enumerate(cards):
        if number:
            show_line("")
        _show(card, by)
    return 0


def calibrate(
    agent: str,
    /,
    *,
    reason: str,
    model: str | None = None,
    method: str = "platt",
    options: Options = DEFAULTS,
) -> int:
    """Learn from an agent's outcomes what its confidence is worth; its next decisions count with that.

    Refused (code 1) with the needed number of outcomes where there are too few, and where it would not help.

    Parameters
    ----------
    agent
        the agent's (or strategy's) name
    reason
        why, for the record
    model
        only where this model had the last word, as provider/model
    method
        platt (from 100 independent outcomes), isotonic (from 1000), or identity to take back what was learned
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.learning.calibrating import calibrate as learn
        from tradecore.ledger import Ledger

        rows_now(journal, "outcomes")
        ids = SystemIds()
        ledger = Ledger(journal, SystemClock(), ids)
        cause = Cause(ids.trace_id(), actor=actor(), source="cli")
        made = learn(ledger, agent, model, parse_word("method", method, CalibrationKind), actor(), reason, cause)
    told = {
        "calibration": made.calibration_id,
        "method": made.calibration.kind.value,
        "outcomes": made.outcomes,
        "independent": made.size,
        "brier_before": None if made.brier_before is None else str(made.brier_before),
        "brier_after": None if made.brier_after is None else str(made.brier_after),
        "overconfidence": None if made.z is None else str(made.z),
    }
    if options.json:
        show_json([told])
    else:
        show_pairs((name, value) for name, value in told.items() if value is not None)
    return 0


def _resolve(journal: Journal) -> None:
    import anyio

    from tradecore.learning.outcomes import OutcomeResolver
    from tradecore.ledger import Ledger
    from tradecore.runner.system import SystemClock, SystemIds

    rows_now(journal, "decisions")
    ids = SystemIds()
    anyio.run(OutcomeResolver(Ledger(journal, SystemClock(), ids), ids).resolve)


def _plain(card: Scorecard) -> dict[str, Any]:
    import attrs

    return attrs.asdict(card) | {"pnl": str(card.pnl), "model_cost": str(card.model_cost)}


def _show(card: Scorecard, by: str) -> None:
    low, high = card.base_interval.low, card.base_interval.high
    pairs = [
        (by, card.group),
        ("outcomes", f"{card.outcomes}, of them {card.size} independent"),
        ("came true", f"{card.came_true}: {card.base_rate:.3f} (95 %: {low:.3f} to {high:.3f})"),
        ("profit", str(card.pnl)),
        ("models", f"${card.model_cost}"),
    ]
    if card.scores is None:
        show_pairs([*pairs, ("scores", f"insufficient: they need {card.needed} independent outcomes")])
        return
    said = card.scores
    corp = said.corp
    parts = f"miscalibration {corp.miscalibration:.4f} - discrimination {corp.discrimination:.4f}"
    parts += f" + uncertainty {corp.uncertainty:.4f}"
    pairs += [
        ("Brier", f"{said.brier:.4f} (95 %: {said.brier_interval.low:.4f} to {said.brier_interval.high:.4f})"),
        ("parts", parts),
        ("skill", "not defined" if said.skill is None else f"{said.skill:.4f}"),
        ("log loss", f"{said.log_loss.value:.4f} ({said.log_loss.clipped} clipped)"),
        ("calibration", f"error {said.calibration_error:.4f}; calibrated ones stay below {said.null_error:.4f}"),
        ("confidence", f"{said.overconfidence:+.2f} standard errors too high"),
    ]
    show_pairs(pairs)
    columns = ("stated", "decisions", "came_true", "calibrated")
    rows = [
        {
            "stated": f"{step.probability:.3f}",
            "decisions": step.count,
            "came_true": step.came_true,
            "calibrated": f"{step.calibrated:.3f}",
        }
        for step in card.curve
    ]
    show_table(rows, columns, "")
