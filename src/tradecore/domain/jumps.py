"""Jumps: prices that a split brings about overnight, and a market hardly ever in one step. Pure."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.values import times

FAR = Decimal("0.55")
"""The nearest split that matters halves the price; the market of that day may add a tenth."""


def is_jump(known: Decimal, low: Decimal, high: Decimal) -> bool:
    """Whether everything between two prices is so far from the known one that it may count other units."""
    return high <= times(known, FAR) or known <= times(low, FAR)
