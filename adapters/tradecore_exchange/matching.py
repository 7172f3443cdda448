"""The exchange itself: orders in, market in, trade updates out. No I/O, no wall clock, no hidden chance."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from tradecore.domain.values import Bar, Quote
from tradecore_exchange.account import ZERO
from tradecore_exchange.admission import Admission, Admitted
from tradecore_exchange.drafting import check_legs, draft, draft_legs, draft_successor
from tradecore_exchange.instants import MINUTE_NS, nanoseconds
from tradecore_exchange.operations import Done, Operations
from tradecore_exchange.orders import Order, TradeUpdate
from tradecore_exchange.refusals import (
    Refusal,
    Refused,
    already_asked,
    already_finished,
    order_not_found,
)
from tradecore_exchange.replacing import check_replaceable, replaced_terms
from tradecore_exchange.requests import OrderRequest, ReplaceRequest
from tradecore_exchange.rules import check_terms
from tradecore_exchange.words import ASKED


@attrs.frozen
class Submitted:
    """The answer to an accepted order: copies from before anything happened to it, and what happened since."""

    order: Order
    legs: tuple[Order, ...]
    updates: list[TradeUpdate]


class Exchange(Operations):
    """One account's exchange. Time is the market's: the end of the last bar, or the last quote."""

    def submit(self, request: OrderRequest) -> Submitted | Refusal:
        """Enter an order. Against a live quote it may trade at once; against bars it waits for the next one."""
        try:
            check_terms(request)
            admitted = self._admission().admit(request)
            check_legs(request, self.prices.get(request.symbol))
        except Refused as refused:
            return refused.refusal
        order = draft(request, admitted, self.blotter, self.market, held=self.switches.hold_new)
        return self._enter(order, draft_legs(order, request, self.blotter.seed))

    def replace(self, order_id: str, request: ReplaceRequest) -> Submitted | Refusal:
        """Put a new order in the place of a working one. `qty` is what the new order is to trade by itself."""
        old = self.book.by_id.get(order_id)
        if old is None:
            return order_not_found(order_id)
        try:
            check_replaceable(old)
            terms = replaced_terms(old, request)
            admitted = self._admit_successor(old, terms)
        except Refused as refused:
            return refused.refusal
        order = draft_successor(old, terms, admitted, self.blotter, self.market)
        if not self.switches.slow_replaces:
            self._desk.succeed(old, order)
            return self._enter(order, [])
        order.standby, order.status, old.replaced_by = True, "pending_new", order.id
        self.blotter.ask(old, "pending_replace")
        self.blotter.enter(order)
        self._timetable.wait(old)
        return Submitted(attrs.evolve(order), (), self.blotter.take_updates())

    def cancel(self, order_id: str) -> Done | Refusal:
        """Take an order off the market; again is fine, after any other end it is refused."""
        order = self.book.by_id.get(order_id)
        if order is None:
            return order_not_found(order_id)
        if order.status in ASKED:
            return already_asked(order.status)
        if order.standby:
            return already_asked("pending_replace")
        if not order.is_open:
            return Done([]) if order.status == "canceled" else already_finished(order.status)
        if self.switches.slow_cancels:
            self.blotter.ask(order, "pending_cancel")
            self._timetable.wait(order)
        else:
            self._desk.cancel(order)
        return Done(self.blotter.take_updates())

    def on_bar(self, bar: Bar) -> list[TradeUpdate]:
        """A minute of a market with one symbol; with several, give all bars of a minute to `on_bars` at once."""
        return self.on_bars((bar,))

    def on_bars(self, bars: Sequence[Bar]) -> list[TradeUpdate]:
        """All bars of one minute: orders that were there before it trade within it, then day orders may expire."""
        start = nanoseconds(bars[0].start)
        self._timetable.end_until(start)
        self.clock.reach(start + MINUTE_NS)
        self._timetable.open_waiting(start)
        for bar in bars:
            self._dealer.match_bar(bar, start)
            self.market.show_bar(bar)
        self._timetable.decide(frozenset(bar.symbol for bar in bars), start)
        self._timetable.end_until(start + MINUTE_NS)
        return self.blotter.take_updates()

    def on_quote(self, quote: Quote) -> list[TradeUpdate]:
        """A new best bid and ask; it stands until a later bar or quote of its symbol. Sizes do not limit fills."""
        at = nanoseconds(quote.at)
        self._timetable.end_until(at)
        self.clock.reach(at)
        self._timetable.open_waiting(at)
        self.market.show_quote(quote)
        self._dealer.match_quote(quote.symbol)
        self._timetable.decide(frozenset({quote.symbol}), at)
        return self.blotter.take_updates()

    def _admission(self) -> Admission:
        is_listed = self.symbols.__contains__
        return Admission(self.options, self.account, self.book, self.prices, is_listed, self.clock.now_ns)

    def _admit_successor(self, old: Order, terms: OrderRequest) -> Admitted:
        """What belongs together was admitted with its entry: its legs need no holding of their own."""
        admission = self._admission()
        if old.parent_id is None:
            return admission.admit(terms, old)
        admission.check_identity(terms)
        if not old.is_held or self._desk.is_watched(old):
            admission.check_stop(terms)
        return Admitted(old.position_intent, ZERO)

    def _enter(self, order: Order, legs: list[Order]) -> Submitted:
        for one in (order, *legs):
            self.blotter.enter(one)
            self._timetable.watch(one)
        snapshot, leg_snapshots = attrs.evolve(order), tuple(attrs.evolve(leg) for leg in legs)
        if order.status == "pending_new" and not self.switches.hold_new:
            self._timetable.activate(order)
            self._dealer.match_with_quote(order)
        return Submitted(snapshot, leg_snapshots, self.blotter.take_updates())
