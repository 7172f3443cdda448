"""What a backtest gives back: its terms and where they came from, its ledger, and what happened as rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.values import Bar
from tradecore.journal.contract import Journal
from tradecore_backtest.rows import EquityCurve, FillRow, OrderRow, TradeRow


class History(Protocol):
    """The bars that a backtest ran over, readable again."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What has bars, sorted."""

    def of(self, symbol: str) -> Iterator[Bar]:
        """The bars of a symbol by time."""


@attrs.frozen
class Provenance:
    """Where the bars came from. `digest` is SHA-256 of what was read; counts and warnings are by symbol."""

    source: str
    digest: str
    counts: Mapping[str, int]
    first: dt.datetime | None
    last: dt.datetime | None
    gaps: Mapping[str, int] = attrs.field(factory=dict)
    warnings: tuple[str, ...] = ()


@attrs.frozen
class BacktestConfig:
    """All terms of a run, as text that anybody can write down again."""

    strategy: str
    parameters: Mapping[str, str]
    symbols: tuple[str, ...]
    cash: str
    bar_seconds: int
    market: Mapping[str, str]
    limits: str
    version: str
    exits: str = ""
    quotes: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of the terms in canonical JSON: equal exactly for equal terms."""
        text = json.dumps(attrs.asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@attrs.frozen(repr=False)
class BacktestResult:
    """A finished run. `equity` has one point per bar time; `positions` are signed and still held at the end.

    `warnings` say what the run did not do: bars that it did not use, proposals that were no orders.
    `runtime_s` is wall time of the run itself. `open_journal` gives the ledger: every event of every order, in a
    journal in memory, or in the one that was named.
    """

    config: BacktestConfig
    provenance: Provenance
    starting_cash: Decimal
    cash: Decimal
    equity: EquityCurve
    orders: Sequence[OrderRow]
    fills: Sequence[FillRow]
    trades: Sequence[TradeRow]
    positions: Mapping[str, Decimal]
    bars: History
    bar_count: int
    runtime_s: float
    open_journal: Callable[[], Journal]
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """In one line, and without asking the domain for anything."""
        final = self.equity[-1][1] if len(self.equity) else self.cash
        told = f"{self.config.strategy} on {', '.join(self.config.symbols) or 'nothing'}: {self.bar_count} bars"
        return f"<BacktestResult {told}, equity {final} after {self.starting_cash}, terms {self.config_hash[:12]}>"

    @property
    def config_hash(self) -> str:
        """What identifies the terms of the run."""
        return self.config.hash
