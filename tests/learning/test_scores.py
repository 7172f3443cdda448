"""Scores and decomposition are scikit-learn's, to 1e-12, on stepped, smooth and lopsided forecasts."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tradecore.learning.corp import decompose, reliability
from tradecore.learning.jeffreys import jeffreys
from tradecore.learning.resampling import block_interval, null_calibration_error
from tradecore.learning.scores import (
    Forecast,
    base_rate,
    brier,
    calibration_error,
    log_loss,
    overconfidence,
    skill,
)

np = pytest.importorskip("numpy")
metrics = pytest.importorskip("sklearn.metrics")
isotonic = pytest.importorskip("sklearn.isotonic")
curves = pytest.importorskip("sklearn.calibration")

CLOSE = 1e-12


def drawn(kind: str, count: int, seed: int) -> list[Forecast]:
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        p = rng.random() if kind == "smooth" else rng.choice([0.0, 0.1, 0.3, 0.55, 0.6, 0.65, 0.7, 0.9, 1.0])
        made.append(Forecast(p, rng.random() < (p * p if kind == "lopsided" else p)))
    return made


SAMPLES = [
    drawn(kind, count, seed) for seed, kind in enumerate(("smooth", "stepped", "lopsided")) for count in (7, 500)
]


def split(forecasts: Sequence[Forecast]) -> tuple[list[float], list[int]]:
    return [one.probability for one in forecasts], [int(one.came_true) for one in forecasts]


@pytest.mark.parametrize("forecasts", SAMPLES)
def test_brier_and_log_loss_are_scikit_learns(forecasts: list[Forecast]) -> None:
    stated, outcomes = split(forecasts)
    assert brier(forecasts) == pytest.approx(metrics.brier_score_loss(outcomes, stated), abs=CLOSE)
    expected = metrics.log_loss(outcomes, stated, labels=[0, 1])
    assert log_loss(forecasts).value == pytest.approx(expected, abs=CLOSE)
    assert log_loss(forecasts).clipped == sum(p in (0.0, 1.0) for p in stated)


@pytest.mark.parametrize("forecasts", SAMPLES)
def test_the_calibration_error_is_that_of_scikit_learns_curve(forecasts: list[Forecast]) -> None:
    stated, outcomes = split(forecasts)
    came_true, said = curves.calibration_curve(outcomes, stated, n_bins=10)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 11)[1:-1], stated), minlength=10)
    expected = float(np.sum(counts[counts > 0] * np.abs(came_true - said)) / len(stated))
    assert calibration_error(forecasts) == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("forecasts", SAMPLES)
def test_the_reliability_curve_is_scikit_learns_isotonic_regression(forecasts: list[Forecast]) -> None:
    stated, outcomes = split(forecasts)
    model = isotonic.IsotonicRegression(out_of_bounds="clip").fit(stated, outcomes)
    steps = reliability(forecasts)
    expected = model.predict([step.probability for step in steps])
    assert [step.calibrated for step in steps] == pytest.approx(list(expected), abs=CLOSE)
    assert sum(step.count for step in steps) == len(forecasts)


@pytest.mark.parametrize("forecasts", SAMPLES)
def test_the_decomposition_adds_up_and_is_what_scikit_learn_gives(forecasts: list[Forecast]) -> None:
    stated, outcomes = split(forecasts)
    model = isotonic.IsotonicRegression(out_of_bounds="clip").fit(stated, outcomes)
    best = metrics.brier_score_loss(outcomes, np.clip(model.predict(stated), 0.0, 1.0))
    flat = metrics.brier_score_loss(outcomes, [float(np.mean(outcomes))] * len(outcomes))
    parts = decompose(forecasts)
    assert parts.miscalibration == pytest.approx(parts.brier - best, abs=CLOSE)
    assert parts.discrimination == pytest.approx(flat - best, abs=CLOSE)
    assert parts.uncertainty == pytest.approx(flat, abs=CLOSE)
    assert parts.miscalibration - parts.discrimination + parts.uncertainty == pytest.approx(parts.brier, abs=CLOSE)


def test_the_jeffreys_interval_is_scipys() -> None:
    beta = pytest.importorskip("scipy.stats").beta
    for hits, count in ((0, 5), (3, 10), (50, 50), (499, 1000)):
        found = jeffreys(hits, count)
        assert found.low == pytest.approx(
            0.0 if hits == 0 else beta.ppf(0.025, hits + 0.5, count - hits + 0.5), abs=1e-9
        )
        high = 1.0 if hits == count else beta.ppf(0.975, hits + 0.5, count - hits + 0.5)
        assert found.high == pytest.approx(high, abs=1e-9)


def test_overconfidence_has_a_direction() -> None:
    said_too_much = [Forecast(0.9, number % 2 == 0) for number in range(100)]
    said_too_little = [Forecast(0.1, number % 2 == 0) for number in range(100)]
    assert overconfidence(said_too_much) > 5
    assert overconfidence(said_too_little) < -5
    assert overconfidence([Forecast(1.0, True)]) == 0.0


def test_skill_is_against_the_base_rate_and_undefined_without_variety() -> None:
    assert skill([Forecast(1.0, True), Forecast(0.0, False)]) == 1.0
    assert skill([Forecast(0.9, True)]) is None
    assert base_rate(SAMPLES[1]) == sum(one.came_true for one in SAMPLES[1]) / len(SAMPLES[1])


def test_a_calibrated_agent_with_few_decisions_shows_a_large_error_by_chance_alone() -> None:
    rng = random.Random(5)
    few = [Forecast(p, True) for p in [0.55, 0.6, 0.65, 0.7, 0.75] * 10]
    many = few * 10
    assert 0.12 < null_calibration_error(few, rng) < 0.22
    assert null_calibration_error(many, rng) < 0.09


def test_an_interval_over_days_is_wider_when_a_day_moves_together() -> None:
    together = [Forecast(0.6, day % 2 == 0) for day in range(20) for _ in range(10)]
    days = [day for day in range(20) for _ in range(10)]
    by_day = block_interval(together, days, brier, random.Random(1))
    alone = block_interval(together, list(range(200)), brier, random.Random(1))
    assert by_day.high - by_day.low > 2 * (alone.high - alone.low)
    assert by_day.low < brier(together) < by_day.high
