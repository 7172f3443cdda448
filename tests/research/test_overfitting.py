"""The warnings about over-fitting: the papers' own numbers, and what noise and skill must give."""

from __future__ import annotations

import math
import random
from itertools import combinations

import pytest

from tradecore.metrics import NotDefined, deflated_sharpe, overfitting_probability
from tradecore.metrics.overfitting import luckiest_sharpe, period_sharpe, probability_above


def noise(seed: int, trials: int, count: int, drift: float = 0.0) -> list[list[float]]:
    chance = random.Random(seed)
    return [[chance.gauss(drift, 0.01) for _ in range(count)] for _ in range(trials)]


def test_the_example_of_the_deflated_sharpe_ratio_paper() -> None:
    """Annual Sharpe 2.5 over 1,250 days, 100 trials with variance 1/2, skewness -3, kurtosis 10: 0.1132 and 0.9004."""
    threshold = luckiest_sharpe(math.sqrt(0.5 / 250), 100)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    found = probability_above(2.5 / math.sqrt(250), threshold, 1250, -3, 7)
    assert found == pytest.approx(0.9004, abs=5e-5)


def test_the_best_of_noise_is_deflated() -> None:
    trials = noise(1, 60, 500)
    ratios = [ratio for trial in trials if not isinstance(ratio := period_sharpe(trial), NotDefined)]
    best = trials[ratios.index(max(ratios))]
    found = deflated_sharpe(best, ratios)
    assert isinstance(found, float)
    assert found < 0.95


def test_noise_is_overfitted_and_skill_is_not() -> None:
    luck = [overfitting_probability(noise(seed, 20, 320)) for seed in range(5)]
    assert all(isinstance(value, float) for value in luck)
    assert sum(luck) / 5 > 0.3  # type: ignore[arg-type]
    skilled = [*noise(7, 19, 320), noise(8, 1, 320, drift=0.01)[0]]
    assert overfitting_probability(skilled) == 0


def test_the_probability_equals_the_definition_counted_out() -> None:
    """With six blocks, every one of the 20 halves is judged from its returns, as section 3 of the paper says."""
    trials = noise(3, 5, 60)
    cuts = [range(start, start + 10) for start in range(0, 60, 10)]
    worse = 0.0
    for chosen in combinations(range(6), 3):
        inside = [place for block in chosen for place in cuts[block]]
        outside = [place for block in set(range(6)) - set(chosen) for place in cuts[block]]
        score_in = [period_sharpe([trial[place] for place in inside]) for trial in trials]
        score_out = [period_sharpe([trial[place] for place in outside]) for trial in trials]
        best = score_in.index(max(score_in))
        rank = sorted(score_out).index(score_out[best]) + 1
        worse += rank / 6 <= 0.5
    assert overfitting_probability(trials, blocks=6) == pytest.approx(worse / 20)


@pytest.mark.parametrize(
    ("trials", "reason"),
    [
        ([[0.1, 0.2]], "one trial"),
        ([[0.1] * 40, [0.1] * 41], "same periods"),
        ([[0.1, 0.2], [0.2, 0.1]], "too few"),
    ],
)
def test_no_answer_is_said_with_its_reason(trials: list[list[float]], reason: str) -> None:
    found = overfitting_probability(trials)
    assert isinstance(found, NotDefined)
    assert reason in found.reason
