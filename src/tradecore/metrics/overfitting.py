"""How likely the best of many trials is only the luckiest.

Bailey and López de Prado, "The Deflated Sharpe Ratio" (2014); Bailey, Borwein, López de Prado and Zhu, "The
Probability of Backtest Overfitting" (2017). Sharpe ratios here are per period, not annualised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from tradecore.metrics.figure import NotDefined, Real
from tradecore.metrics.moments import deviation, kurtosis, mean, skewness

_EULER_MASCHERONI = 0.5772156649015329
_NORMAL = NormalDist()
BLOCKS = 16
"""Into how many blocks of time the trials are cut, as in the paper: 12,870 ways to halve them."""


def period_sharpe(returns: Sequence[float]) -> Real:
    """Mean over deviation."""
    spread, middle = deviation(returns), mean(returns)
    if isinstance(spread, NotDefined):
        return spread
    return middle if isinstance(middle, NotDefined) else middle / spread


def probability_above(ratio: float, threshold: float, count: int, skew: float, excess: float) -> Real:
    """The probability that the true Sharpe ratio is above `threshold` (2014, eq. 9).

    `ratio` was seen in `count` returns of that skewness and excess kurtosis.
    """
    variance = 1 - skew * ratio + (excess + 2) / 4 * ratio**2
    if variance <= 0:
        return NotDefined("the returns are too skewed for the estimate")
    return _NORMAL.cdf((ratio - threshold) * math.sqrt(count - 1) / math.sqrt(variance))


def luckiest_sharpe(spread: float, count: int) -> float:
    """The Sharpe ratio that the best of `count` trials shows by luck (2014, eq. 6); `spread` is their deviation."""
    first, second = _NORMAL.inv_cdf(1 - 1 / count), _NORMAL.inv_cdf(1 - 1 / (count * math.e))
    return spread * ((1 - _EULER_MASCHERONI) * first + _EULER_MASCHERONI * second)


def probabilistic_sharpe(returns: Sequence[float], threshold: float = 0.0) -> Real:
    """`probability_above` for the Sharpe ratio, skewness and kurtosis of these returns."""
    ratio, skew, excess = period_sharpe(returns), skewness(returns), kurtosis(returns)
    if isinstance(ratio, NotDefined):
        return ratio
    if isinstance(skew, NotDefined):
        return skew
    return excess if isinstance(excess, NotDefined) else probability_above(ratio, threshold, len(returns), skew, excess)


def expected_best_sharpe(ratios: Sequence[float]) -> Real:
    """`luckiest_sharpe` for as many trials as have a ratio here."""
    if len(ratios) < 2:
        return NotDefined("one trial is no choice")
    spread = deviation(ratios)
    return 0.0 if isinstance(spread, NotDefined) else luckiest_sharpe(spread, len(ratios))


def deflated_sharpe(best: Sequence[float], ratios: Sequence[float]) -> Real:
    """The probability that the best trial is better than luck: `probabilistic_sharpe` against the best of luck.

    `best` are the returns of the chosen trial, `ratios` the period Sharpe ratios of all trials, that one included.
    """
    threshold = expected_best_sharpe(ratios)
    return threshold if isinstance(threshold, NotDefined) else probabilistic_sharpe(best, threshold)


def overfitting_probability(trials: Sequence[Sequence[float]], blocks: int = BLOCKS) -> Real:
    """PBO by combinatorially symmetric cross-validation (2017, section 3).

    In each half of the blocks the best trial is chosen by Sharpe ratio; the probability is how often it is at or below
    the median in the other half. `trials` are returns of the same periods.
    """
    if len(trials) < 2:
        return NotDefined("one trial is no choice")
    length = len(trials[0])
    if any(len(trial) != length for trial in trials):
        return NotDefined("the trials do not cover the same periods")
    blocks = min(blocks, length // 2 // 2 * 2)
    if blocks < 4:
        return NotDefined(f"{length} returns are too few to cut into blocks")
    sums = _block_sums(trials, blocks)
    scores = _scores_of_halves(sums, blocks, length // blocks * (blocks // 2))
    whole, worse = (1 << blocks) - 1, 0.0
    for half, inside in scores.items():
        outside = scores[whole ^ half]
        chosen = max(range(len(trials)), key=inside.__getitem__)
        below = sum(score < outside[chosen] for score in outside)
        equal = sum(score == outside[chosen] for score in outside)
        rank = (below + (equal + 1) / 2) / (len(trials) + 1)
        worse += rank <= 0.5
    return worse / len(scores)


def _block_sums(trials: Sequence[Sequence[float]], blocks: int) -> list[list[tuple[float, float]]]:
    """Sum and sum of squares of each trial in each block; what is left over at the start is dropped."""
    size = len(trials[0]) // blocks
    start = len(trials[0]) - size * blocks
    cuts = [range(start + block * size, start + (block + 1) * size) for block in range(blocks)]
    return [
        [(math.fsum(trial[i] for i in cut), math.fsum(trial[i] ** 2 for i in cut)) for trial in trials] for cut in cuts
    ]


def _scores_of_halves(sums: list[list[tuple[float, float]]], blocks: int, count: int) -> dict[int, list[float]]:
    """Sharpe ratios of all trials in every choice of half the blocks, by bit set."""
    scores: dict[int, list[float]] = {}

    def choose(block: int, left: int, chosen: int, totals: list[tuple[float, float]]) -> None:
        if not left:
            scores[chosen] = [_ratio(total, squares, count) for total, squares in totals]
            return
        if blocks - block > left:
            choose(block + 1, left, chosen, totals)
        more = [(total + a, squares + b) for (total, squares), (a, b) in zip(totals, sums[block], strict=True)]
        choose(block + 1, left - 1, chosen | 1 << block, more)

    choose(0, blocks // 2, 0, [(0.0, 0.0)] * len(sums[0]))
    return scores


def _ratio(total: float, squares: float, count: int) -> float:
    variance = (squares - total * total / count) / (count - 1)
    return total / count / math.sqrt(variance) if variance > 1e-30 else 0.0
