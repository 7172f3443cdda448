"""Exits that wait for no model: stop, target and horizon that a decision named when it opened a position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tradecore.domain.events import DecisionConcluded
from tradecore.domain.judgement import Judgement, Stance
from tradecore.domain.values import Bar
from tradecore.ports.agent import Standing

_MINUTE = dt.timedelta(minutes=1)


def due_exit(entry: DecisionConcluded | None, own: Standing, bars: Sequence[Bar]) -> Judgement | None:
    """What is due by the bars since the entry, or None. Where both stop and target were met, the stop counts."""
    if entry is None or own.held <= 0 or own.opened_at is None:
        return None
    since = [bar for bar in bars if bar.start + _MINUTE > own.opened_at]
    if not since:
        return None
    stop, target, horizon_s = entry.stop_price, entry.target_price, entry.horizon_s
    if stop is not None and (low := min(bar.low for bar in since)) <= stop:
        return _exit("stop", f"the price was {low}, the stop is {stop}")
    if target is not None and (high := max(bar.high for bar in since)) >= target:
        return _exit("target", f"the price was {high}, the target is {target}")
    if horizon_s is not None and since[-1].start + _MINUTE - own.opened_at >= dt.timedelta(seconds=horizon_s):
        return _exit("horizon", f"it was meant for {horizon_s} s")
    return None


def _exit(rule: str, reason: str) -> Judgement:
    return Judgement(Stance.SELL, reason, rule=rule)
