"""The equity of an account through its events, by the ledger's own rules."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.account_state import AccountState, evolve
from tradecore.domain.values import minus
from tradecore.views.plain import instant_of_ns, text
from tradecore.views.view import Row
from tradecore_notebook import chart
from tradecore_notebook.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tradecore.domain.messages import Recorded
    from tradecore.journal.contract import Journal

COLUMNS = ("position", "recorded_at", "market_time", "cash", "positions_value", "realised_pnl", "fees", "equity")


class Equity(Table):
    """One row per moment at which the account changed, positions at the last price that the ledger knows."""

    def _repr_html_(self) -> str:
        if not len(self):
            return super()._repr_html_()
        values = [Decimal(row["equity"]) for row in self._rows]
        first, last = self._rows[0], self._rows[-1]
        drawn = chart.line(self.title, values, first["recorded_at"], last["recorded_at"])
        return drawn or super()._repr_html_()


def equity_of(journal: Journal, account: str, position: int, traded_at: Mapping[str, str]) -> Equity:
    """The curve up to a position. `traded_at` tells the market's time of each fill.

    Moments at which a price lacks have no row.
    """
    state: AccountState | None = None
    known: tuple[Decimal, Decimal] | None = None
    rows: dict[int, Row] = {}
    for recorded in journal.load(streams.account(account)):
        if recorded.envelope.position > position:
            break
        state = evolve(state, recorded.event, account)
        if state.equity is not None and (state.cash, state.equity) != known:
            known = (state.cash, state.equity)
            row = _row(state, recorded, traded_at)
            at = recorded.envelope.recorded_at_ns  # the events of one append are one moment
            row["market_time"] = row["market_time"] or rows.get(at, {}).get("market_time")
            rows[at] = row
    return Equity(f"equity of {account}", tuple(rows.values()), COLUMNS, position)


def _row(state: AccountState, recorded: Recorded[ev.Event], traded_at: Mapping[str, str]) -> Row:
    event, equity = recorded.event, state.equity
    assert equity is not None, "asked only where it is known"
    return {
        "position": recorded.envelope.position,
        "recorded_at": instant_of_ns(recorded.envelope.recorded_at_ns),
        "market_time": traded_at.get(event.fill_id) if isinstance(event, ev.PositionChange) else None,
        "cash": text(state.cash),
        "positions_value": text(minus(equity, state.cash)),
        "realised_pnl": text(state.realised_pnl),
        "fees": text(state.fees),
        "equity": text(equity),
    }
