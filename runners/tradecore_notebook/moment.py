"""What a ledger says at one position of its log: views, equity, traces, events. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tradecore.cli.narration import phrase_of, stage_of
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Recorded
from tradecore.errors import InputError
from tradecore.lineage.gathering import gather
from tradecore.views import read_rows
from tradecore.views.plain import instant_of_ns
from tradecore_notebook.equity import Equity, equity_of
from tradecore_notebook.scorecards import Scorecards, scorecards_of
from tradecore_notebook.table import Table

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.views.view import Row

_COLUMNS = {
    "orders": ("created_at", "strategy", "symbol", "side", "qty", "type", "status", "filled_qty", "avg_fill_price"),
    "trades": ("trade_id", "strategy", "symbol", "side", "status", "open_qty", "realised_pnl", "fees", "closed_at"),
    "fills": ("occurred_at", "symbol", "side", "qty", "price", "fees", "status", "order_id"),
    "positions": ("account", "symbol", "qty", "avg_entry_price", "cost", "realised_pnl"),
    "balances": ("account", "broker", "currency", "cash", "realised_pnl", "fees", "open_orders"),
    "outbox": ("work_id", "kind", "status", "attempts"),
    "sagas": ("saga_id", "kind", "status", "step", "reason"),
    "decisions": ("agent", "symbol", "status", "stance", "stated", "confidence", "outcome", "realised_pnl", "reason"),
    "outcomes": ("closed_at", "agent", "symbol", "stance", "confidence", "came_true", "realised_pnl", "return_share"),
    "cycles": ("due_at", "agent", "status", "decisions", "orders", "reason"),
}
_EVENTS = ("position", "recorded_at", "stage", "name", "stream", "what", "actor")
_ALERTS = ("position", "recorded_at", "kind", "message")


class Moment:
    """One moment of a ledger. Views are folded once, in memory, from the log."""

    def __init__(self, journal: Journal, position: int) -> None:
        self._journal = journal
        self._position = position
        self._known: dict[str, list[Row]] = {}

    @property
    def position(self) -> int:
        """The last event that counts here."""
        return self._position

    @property
    def orders(self) -> Table:
        """Every order with its status and what it filled."""
        return self._view("orders")

    @property
    def trades(self) -> Table:
        """Every position idea from proposal to outcome."""
        return self._view("trades")

    @property
    def fills(self) -> Table:
        """Every execution."""
        return self._view("fills")

    @property
    def positions(self) -> Table:
        """What each account holds; flat ones at zero."""
        return self._view("positions")

    @property
    def balances(self) -> Table:
        """Cash, profit and fees of each account."""
        return self._view("balances")

    @property
    def outbox(self) -> Table:
        """What is asked of the broker, and how far it got."""
        return self._view("outbox")

    @property
    def sagas(self) -> Table:
        """Processes of several steps."""
        return self._view("sagas")

    @property
    def decisions(self) -> Table:
        """What was decided, by strategies and agents, how sure they were, and what became of it."""
        return self._view("decisions")

    @property
    def outcomes(self) -> Table:
        """What decisions came to, as far as it is on record (`tradecore scorecard --resolve`)."""
        return self._view("outcomes")

    @property
    def cycles(self) -> Table:
        """The rounds of agents."""
        return self._view("cycles")

    def scorecards(self, by: str = "agent", *, stated: bool = False) -> Scorecards:
        """How good decisions were, by agent, model, role or symbol. Raises `InputError`.

        Confidences are judged as they counted, or as they were stated.
        """
        return scorecards_of(self._journal, self._rows("outcomes"), by, stated=stated)

    def equity(self, account: str = "main") -> Equity:
        """The equity of an account, from the beginning of its books to here."""
        traded_at = {row["fill_id"]: row["occurred_at"] for row in self._rows("fills")}
        return equity_of(self._journal, account, self.position, traded_at)

    def events(self, last: int = 100) -> Table:
        """The last so many events of the log. Raises `InputError`."""
        if last < 1:
            raise InputError("last", last, "a number of events above 0")
        position = self.position
        found = self._journal.read(max(0, position - last), min(last, position)) if position else ()
        return _told(f"events up to {position}", found, position)

    def trace(self, id_: str) -> Table:
        """Everything that belongs to one decision or order, from any id. Raises `InputError` for an unknown one."""
        lineage, position = gather(self._journal, id_), self.position
        events = [item for item in lineage.events if item.envelope.position <= position]
        return _told(f"trace {lineage.trace_id}", events, position)

    @property
    def alerts(self) -> Table:
        """What a person should have seen."""
        position = self.position
        rows: list[Row] = []
        for recorded in self._journal.load(streams.BROKER):
            event = recorded.event
            if isinstance(event, AlertTriggered) and recorded.envelope.position <= position:
                rows.append(_when(recorded) | {"kind": event.kind, "message": event.message})
        return Table("alerts", rows, _ALERTS, position)

    def _view(self, name: str) -> Table:
        return Table(name, self._rows(name), _COLUMNS[name], self.position)

    def _rows(self, name: str) -> list[Row]:
        if name not in self._known:
            self._known[name] = read_rows(self._journal, name, self.position)
        return self._known[name]

    def _repr_html_(self) -> str:
        return self.balances._repr_html_() + self.positions._repr_html_()

    def __repr__(self) -> str:
        return f"{self.balances!r}\n{self.positions!r}"


def _told(title: str, events: Iterable[Recorded[Event]], position: int) -> Table:
    rows = [
        _when(recorded)
        | {
            "stage": stage_of(recorded.event),
            "name": recorded.envelope.name,
            "stream": recorded.envelope.stream,
            "what": phrase_of(recorded.event),
            "actor": recorded.envelope.actor,
        }
        for recorded in events
    ]
    return Table(title, rows, _EVENTS, position)


def _when(recorded: Recorded[Event]) -> Row:
    return {
        "position": recorded.envelope.position,
        "recorded_at": instant_of_ns(recorded.envelope.recorded_at_ns),
    }
