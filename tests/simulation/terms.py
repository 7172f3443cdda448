"""The rules of a seed's world: what the runners are told, and how the exchange behaves."""

from __future__ import annotations

import functools
import random
from decimal import Decimal
from typing import Any

from tests.simulation.market import SYMBOLS
from tests.simulation.minds import Mind, mind_of, settings_of_mind
from tradecore.domain.triggers import Trigger
from tradecore.settings import Settings, load_settings
from tradecore_exchange import ExchangeOptions

SPEED = 4.0
"""How many times as fast as its own time the market moves: a bar every fifteen seconds."""
VISIBILITY_S = 3.0
_RISKS: tuple[dict[str, Any], ...] = (
    {"max_position_qty": 30, "max_open_orders": 6, "price_collar": "0.05"},
    {"max_position_qty": 20, "max_order_qty": 10, "min_confidence": "0.6", "max_orders_per_minute": 6},
    {"max_gross_exposure": 2000, "max_notional_per_day": 9000, "duplicate_window_s": 20, "no_self_cross": True},
    {"max_position_qty": 25, "max_order_qty": 6, "actions": {"max_order_qty": "reduce", "max_position_qty": "reduce"}},
    {"max_position_share": "0.02", "max_daily_loss": 15, "max_orders_per_day": 12, "max_repeats": 2},
)
_UNWATCHED: dict[str, Any] = {trigger.value: "none" for trigger in Trigger} | {"critical_alerts": []}


def settings_of(seed: int, *, shared: bool) -> Settings:
    """What the runners of a seed are told."""
    return _settings(random.Random(f"terms:{seed}").randrange(len(_RISKS)), shared, mind_of(seed))


@functools.cache
def _settings(risk: int, shared: bool, mind: Mind | None) -> Settings:
    told = {
        "ledger": "memory:",
        "broker": {"name": "alpaca", "base_url": "http://exchange", "unreachable_after_s": 5, "read_timeout_s": 3},
        "strategy": {"name": "none" if mind is not None and mind.alone else "restless"},
        "market_data": {"symbols": ",".join(SYMBOLS)},
        "delivery": {"shared": shared, "takeover_s": 4, "reconcile_every_s": 30, "visibility_s": VISIBILITY_S},
        "risk": {"defaults": "none", **_RISKS[risk]},
        # The market runs faster than the machines' clocks: a difference of clocks is no sign of anything here.
        "triggers": _UNWATCHED if risk < 3 else {"clock_jump": "none", "stale_data": "none"},
        "daily_check": {"enabled": False},
        "anchors": {"enabled": False},
    }
    return load_settings(None, told if mind is None else told | settings_of_mind(mind))


def options_of(seed: int) -> ExchangeOptions:
    """How the exchange of a seed behaves."""
    rng = random.Random(f"options:{seed}")
    return ExchangeOptions(
        seed=seed,
        partial_fill_rate=rng.choice((0.0, 0.3, 0.8)),
        fee_per_share=rng.choice((Decimal(0), Decimal("0.01"))),
        wash_trade_check=rng.random() < 0.3,
    )
