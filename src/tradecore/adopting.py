"""A person's word on an order that differs: what the books and the broker say of it now, and how the books take over.

Taking over never makes up a fill: what the broker tells of the order and of its executions is read again, and recorded
as if a runner had read it. Only that an order is gone without a trace is recorded on the person's word.
"""

from __future__ import annotations

import datetime as dt

import attrs

from tradecore.attribution import Attribution, external_order_id
from tradecore.domain.commands import RecordReport
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import OrderStatus
from tradecore.errors import InputError
from tradecore.follower import Follower
from tradecore.inbox import Inbox
from tradecore.ledger import Ledger
from tradecore.ports.broker import Broker, BrokerOrder, OrderReport
from tradecore.ports.ids import Ids
from tradecore.reconcile import FOREIGN, OF_ORDERS, Difference, Differences, compare_order
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector

_RECENT = dt.timedelta(days=7)


@attrs.frozen
class Orders:
    """The orders of an account, here and at its broker."""

    ledger: Ledger
    broker: Broker
    ids: Ids
    account: str

    async def compare(self, known: Differences) -> tuple[Difference, ...]:
        """What differs of the orders of the last days, of those that are open here, and of those that differed before.

        Raises `BrokerUnreachable`, `ProtocolError`.
        """
        Projector(self.ledger.journal, ALL_VIEWS).catch_up()
        who, holder = Attribution(self.ledger, self.account), self.ledger.account(self.account)
        wanted = {*holder.reservations, *known.orders}
        wanted |= {order_id for order_id, _ in self.ledger.journal.views.rows("open_orders")}
        found: list[Difference] = []
        for theirs in (await self.broker.orders_since(await self.broker.now() - _RECENT)).orders:
            order_id = who.of(theirs) or self._adopted(theirs)
            ours = None if order_id is None else self.ledger.order(order_id)
            if ours is not None:
                wanted.discard(ours.order_id)
                found += [] if ours.halted else compare_order(ours, theirs)
            elif not self._is_past(theirs, holder.as_of):
                found.append(Difference(FOREIGN, theirs.broker_order_id, "nothing", _told(theirs)))
        for order_id in sorted(wanted):  # absent from a list is not gone: ask for it by name
            state = self.ledger.order(order_id)
            if state is not None and state.account == self.account and state.broker_order_id and not state.halted:
                found += compare_order(state, await self.broker.order(state.broker_order_id))
        return tuple(found)

    async def adopt(self, difference: Difference, reason: str, cause: Cause) -> None:
        """Take over what the broker says of an order.

        Raises `InputError` where what the broker tells does not explain the difference; `BrokerUnreachable`,
        `ProtocolError`.
        """
        follower, inbox = self._reader()
        if difference.what == FOREIGN:
            stranger = await self.broker.order(difference.subject)
            if stranger is None:
                raise InputError("adopt", difference.subject, "an order that the broker still shows")
            inbox.start_from(stranger.updated_at)
            inbox.list_from(stranger.updated_at)
            await inbox.take(OrderReport(stranger, "adopted by a person", None))
            await inbox.collect(far=True)
            return
        assert difference.what in OF_ORDERS, "the caller looked"
        ours = self._ours(difference.subject)
        assert ours.broker_order_id is not None, "only what the broker had can differ from it"
        theirs = await self.broker.order(ours.broker_order_id)
        if theirs is None:
            self._end(ours, await self.broker.now(), reason, cause)
            return
        last = min(theirs.updated_at, ours.broker_updated_at or theirs.updated_at)
        inbox.remember(ours.order_id, last)
        inbox.start_from(last)
        inbox.list_from(last)
        await inbox.collect(far=True)
        follower.catch_up()
        if compare_order(self._ours(difference.subject), theirs):
            why = "a difference that the broker's executions explain; say --dispute"
            raise InputError("adopt", difference.subject, why)

    def _end(self, ours: OrderState, now: dt.datetime, reason: str, cause: Cause) -> None:
        """The broker has nothing under the order's id any more: it ends here with what it was filled."""
        assert ours.broker_order_id is not None, "the caller looked"
        if ours.status.is_terminal:
            raise InputError("adopt", ours.order_id, "an order that is open here; --dispute one that has ended")
        why = f"the broker does not have it any more: {reason}"
        gone = RecordReport(
            ours.order_id, ours.broker_order_id, OrderStatus.CANCELED, ours.filled_qty, now, "person", "", why
        )
        self.ledger.handle(gone, cause)

    def _reader(self) -> tuple[Follower, Inbox]:
        """An inbox that knows what is recorded from here on; what was before, it finds in the views."""
        inbox = Inbox(self.ledger, self.broker, self.ids, self.account)
        follower = Follower(self.ledger.journal, self.ledger.journal.head())
        follower.listen(self.ledger.observe)
        follower.listen(inbox.observe)
        inbox.catch_up = follower.catch_up
        return follower, inbox

    def _ours(self, order_id: str) -> OrderState:
        state = self.ledger.order(order_id)
        assert state is not None, "the difference names it"
        return state

    def _adopted(self, theirs: BrokerOrder) -> str | None:
        account_id = self.ledger.account(self.account).broker_account_id
        order_id = external_order_id(account_id or "", theirs.broker_order_id)
        return None if self.ledger.order(order_id) is None else order_id

    @staticmethod
    def _is_past(theirs: BrokerOrder, begin: dt.datetime | None) -> bool:
        has_ended = theirs.status is None or theirs.status.is_terminal
        return has_ended and begin is not None and theirs.updated_at < begin


def _told(order: BrokerOrder) -> str:
    status = order.status.value if order.status else "a status that is not known"
    return f"{order.side.value} {order.symbol}, {status}, {order.filled_qty:f} filled"
