"""What an agent's cycle is told: whom it asks, how often, who has the last word, and how long anything may take."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.judgement import CycleMode


@attrs.frozen
class CycleRules:
    """Durations in seconds, shares of equity or of a price.

    Below `approve_below` a person must agree in the semi-automatic mode. A stop or target further than
    `max_price_distance` from the price is a mistake. Data older than `data_max_age_s` are no data. `exits` is how a
    position is left whose decision does not say.
    """

    every_s: float = 60.0
    mode: CycleMode = CycleMode.AUTONOMOUS
    approve_below: Decimal = Decimal("0.7")
    max_size_fraction: Decimal = Decimal("0.10")
    max_price_distance: Decimal = Decimal("0.5")
    data_max_age_s: float = 180.0
    decide_s: float = 30.0
    deliver_s: float = 10.0
    not_after_s: float = 30.0
    exits: ExitPlan | None = None
    allow_adding: bool = False
    allow_short: bool = False
