"""Bars from files and from a seed: the markets that need no connection."""

from __future__ import annotations

from tradecore_bars.files import read_bars
from tradecore_bars.seeded import seeded_bars

__all__ = ["read_bars", "seeded_bars"]
