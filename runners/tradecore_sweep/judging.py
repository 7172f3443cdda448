"""Which trial is best, and how much of that is luck."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from tradecore.metrics import NotDefined, deflated_sharpe, overfitting_probability
from tradecore.metrics.figure import Real
from tradecore.metrics.overfitting import period_sharpe
from tradecore_sweep.outcome import Outcome

_SURE = 0.95
_PBO_LIMIT = 0.05
OBJECTIVE = "sharpe"


def ranked(outcomes: Sequence[Outcome], objective: str = OBJECTIVE) -> list[Outcome]:
    """Best first by a figure (larger is better); without it last. Equal ones by the hash of their terms: no chance."""

    def rank(outcome: Outcome) -> tuple[bool, float, str]:
        value = outcome.figures.get(objective)
        return value is None, -(value or 0.0), outcome.trial.key

    return sorted(outcomes, key=rank)


@attrs.frozen
class Doubt:
    """What speaks against the best of many trials.

    `deflated_sharpe` is the probability that its Sharpe ratio is more than luck among so many (Bailey and López de
    Prado 2014), `overfitting` that the choice does no better than the median afterwards (Bailey et al. 2017).
    """

    trials: int
    deflated_sharpe: Real
    overfitting: Real

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for people; none where the figures are reassuring."""
        found = []
        if isinstance(self.deflated_sharpe, NotDefined):
            found.append(f"The deflated Sharpe ratio is {self.deflated_sharpe}.")
        elif self.deflated_sharpe < _SURE:
            found.append(
                f"Over-fitting: among {self.trials} trials, the best Sharpe ratio is more than luck with a probability "
                f"of {self.deflated_sharpe:.0%} only (deflated Sharpe ratio; Bailey and López de Prado 2014)."
            )
        if isinstance(self.overfitting, NotDefined):
            found.append(f"The probability of back-test over-fitting is {self.overfitting}.")
        elif self.overfitting > _PBO_LIMIT:
            found.append(
                "Over-fitting: what was best in one half of the time was no better than the median in the other half "
                f"in {self.overfitting:.0%} of the splits (PBO; Bailey, Borwein, López de Prado and Zhu 2017)."
            )
        return tuple(found)


def doubt(best: Outcome, outcomes: Sequence[Outcome]) -> Doubt:
    """Judge the best of the outcomes of one window."""
    ratios = [ratio for outcome in outcomes if not isinstance(ratio := period_sharpe(outcome.daily), NotDefined)]
    return Doubt(
        len(outcomes),
        deflated_sharpe(best.daily, ratios),
        overfitting_probability([outcome.daily for outcome in outcomes]),
    )
