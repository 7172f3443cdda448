"""One piece of work, one call: which call it is, and what the call is given."""

from __future__ import annotations

import functools

from tradecore.domain import commands as cmd
from tradecore.domain.order import OrderState
from tradecore.domain.values import OrderStatus
from tradecore.errors import BrokerUnreachable, ProtocolError
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger
from tradecore.outbox import calls, lookups
from tradecore.outbox.answers import Done
from tradecore.outbox.leave import Leave
from tradecore.outbox.needs import Kind, missing_legs
from tradecore.outbox.pace import Pace
from tradecore.outbox.queue import Item
from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock

_SENT = (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
"""What may be at the broker without a name."""


class Caller:
    """Makes the call that an item is for."""

    def __init__(self, ledger: Ledger, broker: Broker, clock: Clock, pace: Pace, account: str, leave: Leave) -> None:
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._pace = pace
        self._account = account
        self._leave = leave

    async def call(self, item: Item, marked_at: float) -> Done:
        """The outcome of the call; `marked_at` is when its attempt was recorded, on the monotonic clock."""
        if item.kind is Kind.KILL:
            return await self._kill()
        find = self._ledger.order
        order = find(item.key)
        assert order is not None, "an order does not vanish"
        if item.kind is Kind.CANCEL:
            return await calls.cancel_order(self._broker, order)
        if item.is_marked:
            failpoint("outbox.post.before")
            return await self._send(order, marked_at)
        if item.kind is Kind.RESOLVE:
            return await lookups.resolve(self._broker, order, find, item, self._pace, self._clock)
        return await lookups.find_legs(self._broker, order, find, item, self._pace)

    async def _send(self, order: OrderState, marked_at: float) -> Done:
        old = None if order.replaces is None else self._ledger.order(order.replaces)
        if old is not None and (outgrown := await lookups.outgrown(self._broker, order, old)) is not None:
            return outgrown
        if (stopped := self._leave.stopped(order)) is not None:
            return calls.not_sent(order, stopped)
        if self._is_late(marked_at):
            return calls.not_sent(order)
        veto = functools.partial(self._veto, order.order_id, marked_at)
        if old is None:
            return await calls.submit_order(self._broker, order, missing_legs(order, self._ledger.order), veto)
        assert old.broker_order_id is not None, "only what the broker has can be replaced"
        return await calls.replace_order(self._broker, order, old.broker_order_id, veto)

    def _is_late(self, marked_at: float) -> bool:
        return self._clock.monotonic() - marked_at > self._pace.send_within_s

    def _veto(self, order_id: str, marked_at: float) -> str | None:
        """Asked when its turn to leave has come: the process may have slept while it waited for that."""
        return calls.LATE if self._is_late(marked_at) else self._leave.veto(order_id)

    async def _kill(self) -> Done:
        state = self._ledger.kill(self._account)
        assert state is not None, "it was just marked"
        if not state.in_flight:
            return await calls.lift_suspension(self._broker, state)
        done = await calls.kill_everything(self._broker, state)
        (answer,) = done.commands
        if isinstance(answer, cmd.RecordKillAnswer) and answer.accepted:
            try:
                left = await lookups.count_open(self._broker, self._at_the_broker())
                held = await lookups.count_held(self._broker) if state.flat else None
            except (BrokerUnreachable, ProtocolError) as error:
                done.commands = [cmd.RecordKillAnswer(self._account, True, str(error))]
            else:
                done.commands = [cmd.RecordKillAnswer(self._account, True, "", left, held)]
        return done

    def _at_the_broker(self) -> list[OrderState]:
        """What was sent and has not ended, as far as the ledger knows; legs work for a trade and reserve nothing."""
        holder = self._ledger.account(self._account)
        trades = {trade_id for holding in holder.holdings.values() for trade_id in holding.trades}
        trades |= {reservation.trade_id for reservation in holder.reservations.values()}
        known = (self._ledger.trade(trade_id) for trade_id in sorted(trades))
        working = (order_id for trade in known if trade is not None for order_id in trade.working_orders)
        orders = (self._ledger.order(order_id) for order_id in dict.fromkeys((*holder.reservations, *working)))
        return [one for one in orders if one is not None and (one.status in _SENT or _is_open_there(one))]


def _is_open_there(order: OrderState) -> bool:
    return order.broker_order_id is not None and not order.status.is_terminal
