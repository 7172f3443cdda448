"""A strategy that proposes a lot and of everything, out of the seed and the bar alone."""

from __future__ import annotations

import random
from decimal import Decimal

from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderType, Purpose, Side, TimeInForce
from tradecore.ports.strategy import Idea, Portfolio

_CENT = Decimal("0.01")


class Restless:
    """The same bar, the same ideas, whichever process asks, but for what depends on the position."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @property
    def name(self) -> str:
        return "restless"

    @property
    def warmup_bars(self) -> int:
        return 2

    def observe(self, bar: Bar) -> None:
        """Nothing is kept."""

    def on_bar(self, bar: Bar, portfolio: Portfolio) -> tuple[Idea, ...]:
        rng = random.Random(f"{self._seed}:{bar.symbol}:{bar.start.isoformat()}")
        if rng.random() < 0.35:
            return ()
        held = portfolio.position(bar.symbol)
        if held and not portfolio.working(bar.symbol) and rng.random() < 0.4:
            side = Side.SELL if held > 0 else Side.BUY
            return (Idea(bar.symbol, side, abs(held), "enough", purpose=Purpose.CLOSE),)
        return tuple(self._idea(bar, rng) for _ in range(1 if rng.random() < 0.8 else 2))

    def _idea(self, bar: Bar, rng: random.Random) -> Idea:
        side = Side.BUY if rng.random() < 0.6 else Side.SELL
        quantity = Decimal(rng.randint(1, 12))
        step = (bar.close * rng.randint(0, 150) / 10_000).quantize(_CENT)
        price = max(_CENT, bar.close - step * side.sign)
        confidence = Decimal(rng.randint(30, 100)) / 100
        draw = rng.random()
        lasting = TimeInForce.GTC if rng.random() < 0.3 else TimeInForce.DAY
        if draw < 0.35:
            return Idea(bar.symbol, side, quantity, "now", confidence=confidence)
        if draw < 0.7:
            return Idea(bar.symbol, side, quantity, "near", OrderType.LIMIT, price, confidence, time_in_force=lasting)
        if draw < 0.8:
            stop = bar.close + step * side.sign + _CENT * side.sign
            return Idea(bar.symbol, side, quantity, "beyond", OrderType.STOP, stop_price=stop, confidence=confidence)
        if draw < 0.85:
            return Idea(
                bar.symbol, side, quantity, "at once", OrderType.LIMIT, price, confidence, time_in_force=TimeInForce.IOC
            )
        far = (bar.close * rng.choice((Decimal("0.004"), Decimal("0.01"), Decimal("0.02")))).quantize(_CENT)
        is_near = rng.random() < 0.5
        base = price if is_near else bar.close
        return Idea(
            bar.symbol,
            side,
            quantity,
            "with legs",
            OrderType.LIMIT if is_near else OrderType.MARKET,
            price if is_near else None,
            confidence=confidence,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfit(base + far * side.sign),
            stop_loss=StopLoss(base - far * side.sign),
        )
