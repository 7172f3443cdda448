"""An everyday order and an everyday account, for the gate to judge."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs

from tradecore.domain.gate.figures import Ask, Recent, Standing
from tradecore.domain.gate.verdict import Verdict, judge
from tradecore.domain.limits import Hours, Limits
from tradecore.domain.values import Purpose, Side, TradingState

NOON = dt.datetime(2026, 2, 3, 17, 0, tzinfo=dt.UTC)
ZERO = Decimal(0)

ASK = Ask(
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal(10),
    purpose=Purpose.TRADE,
    strategy="momentum",
    actor="strategy:momentum",
    at=NOON,
    reference_price=Decimal(100),
    price_at=NOON,
    confidence=Decimal("0.7"),
    is_decision=True,
    tradable=True,
    session=Hours.REGULAR,
)
STANDING = Standing(
    state=TradingState.ACTIVE,
    equity=Decimal(100_000),
    day_loss=ZERO,
    position=ZERO,
    buys=ZERO,
    sells=ZERO,
    others_gross=ZERO,
    others_net=ZERO,
    sector_others=ZERO,
    open_positions=0,
    open_orders=0,
    scope_orders={},
    scope_orders_today={},
    recent=(),
    orders_today=0,
    notional_today=ZERO,
)


def number(value: Any) -> Any:
    """Text as a number; anything else as it is."""
    return Decimal(value) if isinstance(value, str) and value.lstrip("-").replace(".", "").isdigit() else value


def ask(**changes: Any) -> Ask:
    return attrs.evolve(ASK, **{name: number(value) for name, value in changes.items()})


def standing(**changes: Any) -> Standing:
    return attrs.evolve(STANDING, **{name: number(value) for name, value in changes.items()})


def limits(**changes: Any) -> Limits:
    return Limits(**{name: number(value) for name, value in changes.items()})


def placed(seconds_ago: float, **changes: Any) -> Recent:
    told: dict[str, Any] = {
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": Decimal(10),
        "strategy": "momentum",
        "agent": "strategy:momentum",
    }
    return Recent(at=NOON - dt.timedelta(seconds=seconds_ago), **(told | changes))


def rule_of(verdict: Verdict) -> str | None:
    return verdict.decisive.rule if verdict.decisive else None


__all__ = ["NOON", "ask", "judge", "limits", "number", "placed", "rule_of", "standing"]
