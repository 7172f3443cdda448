"""What is studied: the strategy, its grid, the bars, and the terms that are the same for every trial."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from tradecore import __version__
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.limits import Limits
from tradecore_backtest.market import MarketModel
from tradecore_backtest.ticks import QUOTES, columns_in
from tradecore_sweep.grid import Grid, Parameter


@attrs.frozen
class Window:
    """A stretch of time, from `start` up to but without `end` (UTC); None is as far as the bars go."""

    start: dt.datetime | None = None
    end: dt.datetime | None = None

    def __str__(self) -> str:
        first, last = ("" if at is None else f"{at:%Y-%m-%dT%H:%M}" for at in (self.start, self.end))
        return f"{first}/{last}"


@attrs.frozen
class Inputs:
    """What is in the files that a study begins with, as SHA-256: the bars, the strategy's code, the quotes."""

    bars: str
    code: str
    quotes: str = ""


@attrs.frozen
class Study:
    """The terms of a sweep. `bars` is a file that every process can read; `strategy` an installed strategy's name.

    `exits`, `quotes` and `bar_seconds` are those of `backtest`.
    """

    strategy: str
    grid: Grid
    bars: Path
    symbols: tuple[str, ...] | None = None
    cash: Decimal = Decimal(100_000)
    market: MarketModel = attrs.field(factory=MarketModel)
    limits: Limits = attrs.field(factory=Limits)
    risk_free: float = 0.0
    exits: ExitPlan | None = None
    quotes: Path | None = None
    bar_seconds: int = 60

    @property
    def touch(self) -> Path | None:
        """What orders trade against, if not bars: the quotes, or the file itself where it holds some."""
        return self.bars if self.quotes is None and set(columns_in(self.bars)) >= set(QUOTES) else self.quotes

    def trial(self, parameters: Mapping[str, Parameter], window: Window, inputs: Inputs) -> Trial:
        """One of its trials."""
        return Trial(
            self.strategy,
            tuple(sorted(parameters.items())),
            str(self.bars),
            inputs,
            self.symbols,
            self.cash,
            self.market,
            self.limits,
            self.risk_free,
            window,
            self.exits,
            None if self.touch is None else str(self.touch),
            self.bar_seconds,
        )


@attrs.frozen
class Trial:
    """One backtest to run, complete in itself: it can be sent to any process, or machine, that can read the bars.

    `shared` is where they may lie ready for use; who does not find them there reads `bars`.
    """

    strategy: str
    parameters: tuple[tuple[str, Parameter], ...]
    bars: str
    inputs: Inputs
    symbols: tuple[str, ...] | None
    cash: Decimal
    market: MarketModel
    limits: Limits
    risk_free: float
    window: Window
    exits: ExitPlan | None = None
    quotes: str | None = None
    bar_seconds: int = 60
    shared: str = attrs.field(default="", eq=False)

    @property
    def terms(self) -> dict[str, Any]:
        """Everything that the outcome depends on, as text. Where the bars lie is not among it; what is in them is."""
        return {
            "strategy": self.strategy,
            "parameters": {name: [type(value).__name__, str(value)] for name, value in self.parameters},
            "bars": self.inputs.bars,
            "code": self.inputs.code,
            "symbols": None if self.symbols is None else sorted(self.symbols),
            "cash": str(self.cash),
            "market": {field.name: str(getattr(self.market, field.name)) for field in attrs.fields(MarketModel)},
            "limits": str(self.limits),
            "risk_free": repr(self.risk_free),
            "window": str(self.window),
            "exits": "" if self.exits is None else str(self.exits),
            "quotes": self.inputs.quotes,
            "bar_seconds": self.bar_seconds,
            "version": __version__,
        }

    @property
    def key(self) -> str:
        """SHA-256 of the terms in canonical JSON: what an outcome is kept under."""
        text = json.dumps(self.terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
