"""Calibrations: fitted by scikit-learn, guarded, applied by ourselves."""

from __future__ import annotations

import datetime as dt
import math
import random
import subprocess
import sys
from decimal import Decimal

import pytest

from tradecore.domain.calibration import CalibrationKind, CalibrationMap, Knot, calibrated, check_map
from tradecore.errors import CalibrationRefused, InputError, TooFewOutcomes
from tradecore.learning.fitting import apply_to, fit_guarded, fit_isotonic, fit_platt
from tradecore.learning.guards import Window, effective_size
from tradecore.learning.scores import Forecast, brier

pytest.importorskip("sklearn")
NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)


def boaster(count: int, seed: int = 3) -> list[Forecast]:
    """Says 0.6 to 0.95, and is right as if it were halfway to one half."""
    rng = random.Random(seed)
    said = [rng.choice([0.6, 0.7, 0.8, 0.9, 0.95]) for _ in range(count)]
    return [Forecast(p, rng.random() < 0.5 + (p - 0.5) / 3) for p in said]


def honest(count: int, seed: int = 4) -> list[Forecast]:
    rng = random.Random(seed)
    said = [rng.choice([0.55, 0.6, 0.7, 0.8, 0.9]) for _ in range(count)]
    return [Forecast(p, rng.random() < p) for p in said]


def test_our_platt_gives_what_scikit_learn_predicts() -> None:
    from sklearn.linear_model import LogisticRegression

    data = boaster(400)
    model = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000)
    model.fit([[math.log(one.probability / (1 - one.probability))] for one in data], [one.came_true for one in data])
    ours = fit_platt(data)
    for stated in (0.51, 0.6, 0.75, 0.99):
        theirs = float(model.predict_proba([[math.log(stated / (1 - stated))]])[0][1])
        assert float(calibrated(ours, Decimal(str(stated)))) == pytest.approx(theirs, abs=1e-9)


def test_our_isotonic_gives_what_scikit_learn_predicts() -> None:
    from sklearn.isotonic import IsotonicRegression

    data = boaster(400)
    model = IsotonicRegression(out_of_bounds="clip").fit([o.probability for o in data], [o.came_true for o in data])
    ours = fit_isotonic(data)
    check_map(ours)
    for stated in (0.0, 0.55, 0.63, 0.7, 0.925, 1.0):
        assert float(calibrated(ours, Decimal(str(stated)))) == pytest.approx(
            float(model.predict([stated])[0]), abs=1e-9
        )


@pytest.mark.parametrize(
    ("kind", "size", "needed"), [(CalibrationKind.PLATT, 99, 100), (CalibrationKind.ISOTONIC, 999, 1000)]
)
def test_thin_samples_are_refused_with_the_size_that_is_needed(kind: CalibrationKind, size: int, needed: int) -> None:
    with pytest.raises(TooFewOutcomes, match=str(needed)) as refused:
        fit_guarded(kind, boaster(5000), size)
    assert (refused.value.size, refused.value.needed) == (size, needed)


def test_who_is_calibrated_is_left_alone() -> None:
    with pytest.raises(CalibrationRefused, match="not off by more than chance"):
        fit_guarded(CalibrationKind.PLATT, honest(400), 400)


def test_what_does_not_carry_over_to_later_decisions_is_refused() -> None:
    """First far too bold, then far too timid by less: what was learned early makes the later ones worse."""
    early = [Forecast(0.9, number % 2 == 0) for number in range(300)]
    late = [Forecast(0.9, True) for _ in range(300)]
    with pytest.raises(CalibrationRefused, match="does not improve later ones"):
        fit_guarded(CalibrationKind.PLATT, [*early, *late], 600)


def test_a_boaster_is_corrected_and_better_on_data_that_nobody_fitted() -> None:
    calibration = fit_guarded(CalibrationKind.PLATT, boaster(400), 400)
    unseen = boaster(2000, seed=99)
    assert brier(apply_to(calibration, unseen)) < brier(unseen) - 0.02
    assert calibrated(calibration, Decimal("0.9")) < Decimal("0.75")


def test_the_surer_the_wronger_leaves_only_the_base_rate() -> None:
    backwards = [Forecast(p, p < 0.8) for p in (0.6, 0.7, 0.9, 0.95) * 50]
    found = fit_platt(backwards)
    assert found.slope == 0
    assert calibrated(found, Decimal("0.6")) == calibrated(found, Decimal("0.95"))


def test_maps_never_turn_an_order_around() -> None:
    with pytest.raises(InputError, match="slope"):
        check_map(CalibrationMap(CalibrationKind.PLATT, Decimal(-1)))
    down = (Knot(Decimal("0.1"), Decimal("0.9")), Knot(Decimal("0.2"), Decimal("0.8")))
    with pytest.raises(InputError, match="knots"):
        check_map(CalibrationMap(CalibrationKind.ISOTONIC, knots=down))
    with pytest.raises(InputError, match="knots"):
        check_map(CalibrationMap(CalibrationKind.ISOTONIC))


def test_the_ends_of_the_scale_are_kept() -> None:
    steep = CalibrationMap(CalibrationKind.PLATT, Decimal(40), Decimal(3))
    assert 0 <= calibrated(steep, Decimal(0)) <= calibrated(steep, Decimal(1)) <= 1
    assert calibrated(CalibrationMap(), Decimal("0.37")) == Decimal("0.37")


def test_windows_that_overlap_count_once() -> None:
    def window(symbol: str, start: int, end: int) -> Window:
        return Window(symbol, NOON + dt.timedelta(minutes=start), NOON + dt.timedelta(minutes=end))

    same_hour = [window("AAA", number, 60 + number) for number in range(30)]
    apart = [window("BBB", 100 * number, 100 * number + 60) for number in range(30)]
    assert effective_size(same_hour) == 1
    assert effective_size(apart) == 30
    assert effective_size([*same_hour, *apart]) == 31


def test_learning_is_imported_without_scikit_learn() -> None:
    code = "import sys, tradecore.learning.fitting, tradecore.learning.corp; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
