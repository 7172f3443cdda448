"""Scorecards in a cell: what may be said of how good decisions were, and a diagram where there are enough."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tradecore.learning.cases import cases_by
from tradecore.learning.scorecard import Scorecard, scorecard
from tradecore_notebook import markup

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.views.view import Row

_SEED = 7
_SIDE, _MARGIN = 300, 10


class Scorecards:
    """One card per group, as `tradecore scorecard` counts them."""

    def __init__(self, by: str, cards: Sequence[Scorecard]) -> None:
        self.by = by
        self.cards = tuple(cards)

    def __len__(self) -> int:
        return len(self.cards)

    def __iter__(self) -> Iterator[Scorecard]:
        return iter(self.cards)

    def _repr_html_(self) -> str:
        shown = (markup.pairs(f"{self.by} {card.group}", _told(card)) + _diagram(card) for card in self.cards)
        return "".join(shown) or markup.text(_NOTHING)

    def __repr__(self) -> str:
        lines = (
            f"{self.by} {card.group}: " + ", ".join(f"{name} {value}" for name, value in _told(card)) for card in self
        )
        return "\n".join(lines) or _NOTHING


_NOTHING = "no decision has an outcome on record; `tradecore scorecard --resolve` puts them there"


def scorecards_of(journal: Journal, outcomes: Sequence[Row], by: str, *, stated: bool) -> Scorecards:
    """The cards of the outcomes of one moment; the same outcomes give the same cards. Raises `InputError`."""
    rng = random.Random(_SEED)  # noqa: S311 - resampling, the same each time
    groups = sorted(cases_by(journal, by, outcomes).items())
    return Scorecards(by, [scorecard(name, cases, rng, as_stated=stated) for name, cases in groups])


def _told(card: Scorecard) -> list[tuple[str, object]]:
    base = card.base_interval
    told: list[tuple[str, object]] = [
        ("outcomes", f"{card.outcomes}, of them {card.size} independent"),
        ("came true", f"{card.came_true}: {card.base_rate:.3f} (95 %: {base.low:.3f} to {base.high:.3f})"),
        ("profit", card.pnl),
        ("models", f"${card.model_cost}"),
    ]
    said = card.scores
    if said is None:
        return [*told, ("scores", f"insufficient: they need {card.needed} independent outcomes")]
    interval, corp = said.brier_interval, said.corp
    parts = f"miscalibration {corp.miscalibration:.4f} - discrimination {corp.discrimination:.4f}"
    return [
        *told,
        ("Brier score", f"{said.brier:.4f} (95 %: {interval.low:.4f} to {interval.high:.4f})"),
        ("its parts", f"{parts} + uncertainty {corp.uncertainty:.4f}"),
        ("skill", "not defined" if said.skill is None else f"{said.skill:.4f}"),
        ("calibration error", f"{said.calibration_error:.4f}; calibrated ones stay below {said.null_error:.4f}"),
        ("confidence", f"{said.overconfidence:+.2f} standard errors too high"),
    ]


def _diagram(card: Scorecard) -> str:
    """Stated confidence across, share that came true up; on the diagonal they are the same. Dots are as large as the
    number of decisions that they stand for."""
    if not card.curve:
        return ""
    inner = _SIDE - 2 * _MARGIN

    def at(across: float, up: float) -> str:
        return f"{_MARGIN + across * inner:.1f},{_SIDE - _MARGIN - up * inner:.1f}"

    points = " ".join(at(step.probability, step.calibrated) for step in card.curve)
    most = max(step.count for step in card.curve)
    dots = "".join(_dot(at(step.probability, step.came_true / step.count), step.count / most) for step in card.curve)
    axes = (
        f'<text x="{_SIDE - _MARGIN}" y="{_SIDE - 14}" text-anchor="end" font-size="11">stated &#8594;</text>'
        f'<text x="{_MARGIN + 2}" y="20" font-size="11">&#8593; came true</text>'
    )
    return (
        f'<svg width="{_SIDE}" height="{_SIDE}" viewBox="0 0 {_SIDE} {_SIDE}" role="img">'
        f"<title>{markup.text(f'reliability of {card.group}')}</title>"
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{inner}" height="{inner}" fill="none" stroke="#ccc"/>'
        f'<polyline points="{at(0, 0)} {at(1, 1)}" fill="none" stroke="#999"/>'
        f'<polyline points="{points}" fill="none" stroke="#1f5fbf"/>{dots}{axes}</svg>'
    )


def _dot(place: str, share: float) -> str:
    across, up = place.split(",")
    return f'<circle cx="{across}" cy="{up}" r="{2 + 5 * math.sqrt(share):.1f}" fill="#1f5fbf" fill-opacity="0.7"/>'
