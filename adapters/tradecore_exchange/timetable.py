"""What happens to orders by the clock: they wait for their market to open, and their time comes to an end."""

from __future__ import annotations

import heapq

from tradecore_exchange.dealing import Dealer
from tradecore_exchange.desk import Desk
from tradecore_exchange.market import Market
from tradecore_exchange.orders import Order
from tradecore_exchange.requests import OrderRequest
from tradecore_exchange.sessions import good_till_canceled_end, session_of_opening, session_of_order
from tradecore_exchange.words import ASKED, TimeInForce

_WAITING = frozenset({"accepted", "done_for_day"})


def end_of(request: OrderRequest, now_ns: int) -> int | None:
    """When an order entered now is over; None for one that is decided at once."""
    match request.time_in_force:
        case TimeInForce.GTC:
            return good_till_canceled_end(now_ns)
        case TimeInForce.DAY:
            session = session_of_order(now_ns, extended=request.extended_hours)
            return session.post_close if request.extended_hours else session.close
        case TimeInForce.OPG:
            return session_of_opening(now_ns).close
        case TimeInForce.CLS:
            return session_of_order(now_ns).close
        case _:
            return None


def _in_order(orders: dict[str, Order]) -> list[Order]:
    """By number, as they come back after a restart."""
    return sorted(orders.values(), key=lambda order: order.number)


class Timetable:
    """Orders that wait, requests that wait, and ends that come."""

    def __init__(self, desk: Desk, market: Market, dealer: Dealer) -> None:
        self._desk = desk
        self._market = market
        self._dealer = dealer
        self._waiting: dict[str, Order] = {}
        self._asked: dict[str, Order] = {}
        self._ends: list[tuple[int, int]] = []

    def watch(self, order: Order) -> None:
        """Know an order, new or of before a restart."""
        self.wait(order)
        if order.expires_ns is not None:
            heapq.heappush(self._ends, (order.expires_ns, order.number))

    def wait(self, order: Order) -> None:
        """Know that an order now waits for its market, or for a request to be decided."""
        if order.status in _WAITING:
            self._waiting[order.id] = order
        if order.status in ASKED:
            self._asked[order.id] = order

    def open_waiting(self, at_ns: int) -> None:
        """Let every order to the market that has opened for it."""
        for order in _in_order(self._waiting):
            if order.status not in _WAITING:
                del self._waiting[order.id]
            elif self._market.trades(order, at_ns) and at_ns >= (order.resume_ns or 0):
                del self._waiting[order.id]
                self.activate(order)

    def activate(self, order: Order) -> None:
        """The order is on the market, or again on it."""
        order.resume_ns = None
        if order.filled_qty:
            self._desk.blotter.move(order, "partially_filled", "restated")
        else:
            self._desk.blotter.move(order, "new")

    def decide(self, symbols: frozenset[str], at_ns: int) -> None:
        """Grant the requests that the market's last moment, of these symbols, has left standing."""
        for order in _in_order(self._asked):
            if order.status not in ASKED:
                del self._asked[order.id]
            elif order.symbol in symbols and self._market.trades(order, at_ns):
                del self._asked[order.id]
                if order.status == "pending_cancel":
                    self._desk.cancel(order)
                else:
                    self._replace(order)

    def end_until(self, now_ns: int) -> None:
        """Bring every order to its end whose time has come. One that was good till canceled is canceled."""
        while self._ends and self._ends[0][0] <= now_ns:
            at, number = heapq.heappop(self._ends)
            order = self._desk.blotter.book.all[number - 1]
            if not order.is_open or order.standby:
                continue
            self._desk.blotter.clock.reach(at)
            match order.time_in_force:
                case TimeInForce.CLS:
                    self._dealer.auction_close(order)
                case TimeInForce.GTC:
                    self._desk.cancel(order)
                case _:
                    self._desk.expire(order)

    def _replace(self, old: Order) -> None:
        blotter = self._desk.blotter
        new = blotter.book.successor(old)
        assert new is not None, "it stands by"
        status = old.before
        self._desk.succeed(old, new)
        new.standby = False
        blotter.book.open_up(new)
        if status == "held":
            blotter.move(new, "held")
        else:
            self.activate(new)
        self.watch(new)
