"""Sweeps: one strategy over many parameters and windows of time, on all cores, stopped and gone on with at will."""

from __future__ import annotations

from tradecore_sweep.executor import Executor, Processes, Serial
from tradecore_sweep.grid import Grid
from tradecore_sweep.outcome import Outcome
from tradecore_sweep.study import Study
from tradecore_sweep.sweeping import Sweep, sweep
from tradecore_sweep.walk_forward import Walk, walk_forward

__all__ = ["Executor", "Grid", "Outcome", "Processes", "Serial", "Study", "Sweep", "Walk", "sweep", "walk_forward"]
