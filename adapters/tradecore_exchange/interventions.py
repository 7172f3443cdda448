"""What an exchange does to orders that nobody asked for: halts, pauses, releases, refusals."""

from __future__ import annotations

from tradecore_exchange.desk import Desk
from tradecore_exchange.market import Market
from tradecore_exchange.orders import Order
from tradecore_exchange.refusals import Refused, against_the_rules, already_finished
from tradecore_exchange.sessions import session_of_opening
from tradecore_exchange.timetable import Timetable
from tradecore_exchange.words import ASKED, PAUSED, WORKING

FORCED = frozenset({"accepted", "calculated", "done_for_day", "pending_new", "rejected", "stopped", "suspended"})


class Interventions:
    """Each leaves an update for every order that it moved."""

    def __init__(self, desk: Desk, market: Market, timetable: Timetable) -> None:
        self._desk = desk
        self._market = market
        self._timetable = timetable

    def halt(self, symbol: str) -> None:
        """Stop the trading of a symbol; its working orders are suspended, new ones wait."""
        self._market.halted.add(symbol)
        for order in self._desk.blotter.book.open_of(symbol):
            if order.status in WORKING:
                self._desk.blotter.move(order, "suspended")

    def resume(self, symbol: str) -> None:
        """Let a symbol trade again; what was suspended comes back, what waited comes with the market's next moment."""
        self._market.halted.discard(symbol)
        for order in self._desk.blotter.book.open_of(symbol):
            if order.status == "suspended":
                self._timetable.activate(order)

    def force(self, order: Order, status: str) -> None:
        """Put an order that works, waits or is paused into a state of `FORCED`. Raises `Refused`."""
        if not order.is_open:
            raise Refused(already_finished(order.status))
        if status not in FORCED or order.status in ASKED or order.status == "held" or order.standby:
            raise Refused(against_the_rules(f"order in {order.status} status cannot become {status}"))
        if status == "rejected":
            self._desk.reject(order)
            return
        if status == "done_for_day":
            order.resume_ns = session_of_opening(self._desk.blotter.clock.now_ns).open
        self._desk.blotter.move(order, status)
        self._timetable.wait(order)

    def release(self, order: Order) -> None:
        """Let an order that is kept off it to the market, or let it wait for that to open. Raises `Refused`."""
        if order.status not in PAUSED | {"pending_new"} or order.standby:
            raise Refused(against_the_rules(f"order in {order.status} status is not kept off the market"))
        if self._market.trades(order, self._desk.blotter.clock.now_ns):
            self._timetable.activate(order)
        else:
            self._desk.blotter.move(order, "accepted")
            self._timetable.wait(order)

    def deny(self, order: Order) -> None:
        """Refuse the cancel or the replacement that waits. Raises `Refused` when none does."""
        if order.status not in ASKED:
            raise Refused(against_the_rules(f"nothing was asked about an order in {order.status} status"))
        successor = self._desk.blotter.book.successor(order)
        self._desk.blotter.deny(order, order.status)
        if successor is not None:
            self._desk.blotter.reject(successor)
