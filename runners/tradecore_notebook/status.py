"""What a session is doing, as a cell shows it. Nothing that went wrong behind a cell is left out."""

from __future__ import annotations

import attrs

from tradecore_notebook import markup
from tradecore_notebook.run import Figures


@attrs.frozen(repr=False)
class Status:
    """A session at one moment.

    `state` is read-only, starting, running, paused, stopping or failed; only the four in between hold the lease.
    `error` is what ended the last run, `lease` says in words who may deliver for the ledger.
    """

    state: str
    ledger: str
    lease: str
    holds_lease: bool
    strategy: str
    done: int
    total: int | None
    at: str
    ended: str | None
    error: str | None
    figures: Figures | None
    differences: tuple[str, ...] | None
    log: tuple[str, ...]

    def _pairs(self) -> list[tuple[str, object]]:
        steps = f"{self.done}" if self.total is None else f"{self.done} of {self.total}"
        told: list[tuple[str, object]] = [("state", self.state), ("ledger", self.ledger), ("lease", self.lease)]
        told.append(("strategy", self.strategy))
        if self.done or self.holds_lease:
            told.append(("market", f"{steps}, {self.at}"))
        if self.figures is not None:
            told += _account(self.figures)
        if self.ended is not None:
            told.append(("last run", self.ended))
        if self.differences is not None:
            told.append(("ledger and broker", "; ".join(self.differences) or "agree"))
        return told + [("log", line) for line in self.log]

    def _repr_html_(self) -> str:
        failed = "" if self.error is None else markup.warning(f"failed: {self.error}")
        return failed + markup.pairs("session", self._pairs())

    def __repr__(self) -> str:
        failed = [] if self.error is None else [f"FAILED: {self.error}"]
        return "\n".join([*failed, *(f"{name}: {value}" for name, value in self._pairs())])


def _account(figures: Figures) -> list[tuple[str, object]]:
    mode = "paper" if figures.paper else "LIVE"
    told: list[tuple[str, object]] = [
        ("account", f"{figures.account} at {figures.broker}, {mode}, trading {figures.trading_state}"),
        ("cash", figures.cash),
        ("equity", figures.equity),
        ("open orders", figures.open_orders),
    ]
    return told + [("new risk waits", why) for why in figures.held_back]
