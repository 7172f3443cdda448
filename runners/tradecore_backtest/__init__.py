"""Backtests: the strategy that will run, on a historical clock, through the same aggregates, gate and outbox states."""
