"""Intake: one message of the broker → recorded facts. What contradicts what was decided halts its order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import attrs

from tradecore.attribution import Attribution
from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import FillRevision
from tradecore.domain.fill import choose, is_same_execution
from tradecore.domain.identity import fill_id
from tradecore.domain.messages import Cause
from tradecore.domain.values import ZERO, canonical, minus
from tradecore.errors import InputError, InvariantViolated, WrongVersion
from tradecore.failpoints import failpoint
from tradecore.ledger import Ledger
from tradecore.notices import Notices
from tradecore.ports.broker import BrokerFill, BrokerOrder, Execution, UnknownReport
from tradecore.ports.ids import Ids
from tradecore.protection import bare, filled_too_late, outgrown
from tradecore.translation import check_same, check_same_fill, fill_of, report_of, revision_of


class Intake:
    """Records what the broker says of orders whose place in the ledger is known. `halted` are those that contradict."""

    def __init__(self, ledger: Ledger, ids: Ids, account: str, who: Attribution, notices: Notices) -> None:
        self._ledger = ledger
        self._ids = ids
        self._account = account
        self._who = who
        self._notices = notices
        self.halted: dict[str, str] = {}
        self._undecided: set[str] = set()

    def apply_order(self, order_id: str, order: BrokerOrder, source: str) -> None:
        """Record the broker's word on an order and on the legs that it brought along."""
        if order.status is None:
            self._notices.park(source, UnknownReport("an order status that tradecore does not know", order.raw))
            return
        state = self._ledger.order(order_id)
        assert state is not None, "somebody found it"
        try:
            if not state.external:
                check_same(state, order)
        except InvariantViolated as error:
            self._halt(order_id, str(error), order.raw, source)
            return
        failpoint("inbox.report.before")
        counted = attrs.evolve(order, filled_qty=minus(order.filled_qty, self._filled_before(order_id)))
        self._handle_or_halt(order_id, report_of(order_id, counted, order.status, source), source, order.raw)
        self._judge_awaited(order_id, counted, source)
        for leg_id, leg in self._who.take_legs(order_id, order):
            self.apply_order(leg_id, leg, source)
        self._tell_of_danger(order_id)
        failpoint("inbox.report.after")

    @property
    def undecided(self) -> dict[str, tuple[FillRevision, ...]]:
        """By order, busts and corrections of which nobody knows which execution they mean.

        One that another source told meanwhile waits as well, and means what that one did: it is none of them.
        """
        found = {}
        for order_id in sorted(self._undecided):
            order = self._ledger.order(order_id)
            if order is None or not order.awaited:
                self._undecided.discard(order_id)
                continue
            fills = tuple(state for state in map(self._ledger.fill, order.fills) if state is not None)
            unplaced = tuple(one for one in order.awaited if choose(fills, one, order.filled_qty) is None)
            if unplaced:
                found[order_id] = unplaced
        return found

    def doubt(self, order_ids: Iterable[str]) -> None:
        """Take these for undecided, as far as something of them waits."""
        self._undecided.update(order_ids)

    def _judge_awaited(self, order_id: str, shown: BrokerOrder, source: str) -> None:
        """A correction that may mean several executions: the average price that the broker shows may tell which."""
        order = self._ledger.order(order_id)
        if order is None or len(order.awaited) != 1 or order.filled_before or shown.filled_avg_price is None:
            return  # an average of what the books do not have, or of several changes, tells nothing
        if order.awaited[0].busts:
            return  # it waits for its execution
        so_far = cmd.FilledSoFar(shown.filled_qty, shown.filled_avg_price)
        self._handle_or_halt(order_id, cmd.ReviseFill(order_id, order.awaited[0], so_far), source, shown.raw)

    def apply_fill(self, order_id: str, fill: BrokerFill) -> None:
        """Record an execution, a bust or a correction."""
        if self.is_past(fill.occurred_at):
            return  # it is in the opening balances, whoever's order it was of
        told, fill = fill, attrs.evolve(fill, cumulative_qty=minus(fill.cumulative_qty, self._filled_before(order_id)))
        if fill.execution is not Execution.TRADE:
            self._handle_or_park(order_id, revision_of(order_id, fill), fill)
            self._undecided.add(order_id)
            return
        state = self._ledger.order(order_id)
        assert state is not None, "somebody found it"
        try:
            check_same_fill(state, fill)
        except InvariantViolated as error:
            self._halt(order_id, str(error), fill.raw, fill.source)
            return
        command = self._identified(order_id, fill)
        if command is None:
            return
        failpoint("inbox.fill.before")
        try:
            self._handle_or_park(order_id, command, fill)
        except WrongVersion:  # others recorded a bust or a correction of the order: it may be another execution by that
            self._ledger.refresh(streams.order(order_id))
            now = self._ledger.order(order_id)
            if now is None or len(now.revised_at) == command.revisions:
                raise
            self.apply_fill(order_id, told)
            return
        self._tell_of_danger(order_id)
        failpoint("inbox.fill.after")

    def _identified(self, order_id: str, fill: BrokerFill) -> cmd.RecordFill | None:
        """The command of an execution under the id that it has; None when it is recorded.

        Order and quantity filled so far name an execution, until a bust or a correction sets that quantity back: what
        happened after the nth of them is counted in a line of its own.
        """
        account = self._ledger.account(self._account)
        order = self._ledger.order(order_id)
        assert account.broker_account_id is not None, "the account is pinned before anything is collected"
        assert order is not None, "somebody found it"
        reached = format(canonical(fill.cumulative_qty), "f")
        revised = sum(1 for at in order.revised_at if at < fill.occurred_at)
        command = None
        for turn in range(revised + 1):
            name = f"{reached}~{turn}" if turn else reached
            identity = fill_id(account.broker_account_id, fill.broker_order_id, name)
            command = fill_of(identity, order, fill)
            known = self._ledger.fill(identity)
            if known is not None and (turn == revised or is_same_execution(known, command)):
                return None
        return command

    def _handle_or_park(self, order_id: str, command: cmd.RecordFill | cmd.ReviseFill, fill: BrokerFill) -> None:
        try:
            self._handle_or_halt(order_id, command, fill.source, fill.raw)
        except InputError as error:  # a price of zero, for one: for a person to look at, not a reason to stop reading
            self._notices.park(fill.source, UnknownReport(f"an execution that cannot be booked: {error}", fill.raw))

    def _handle_or_halt(self, order_id: str, command: cmd.Command, source: str, raw: str) -> None:
        """Record; where the broker contradicts what was decided or told before, halt that order and go on reading."""
        try:
            self.handle(command, source)
        except InvariantViolated as error:
            self._halt(order_id, str(error), raw, source)

    def _halt(self, order_id: str, reason: str, raw: str, source: str) -> None:
        self._notices.park(source, UnknownReport(reason, raw))
        self.handle(cmd.HaltOrder(order_id, reason, raw), source)
        self.halted[order_id] = reason
        self._notices.alert_once("order_halted", order_id, f"order {order_id} is halted: {reason}")

    def _tell_of_danger(self, order_id: str) -> None:
        """Alert once of what a replacement will fill too much, and of what an entry filled and no stop protects."""
        order = self._ledger.order(order_id)
        if order is not None and (more := filled_too_late(order)) is not None:
            message = f"order {order_id} filled {more:f} {order.symbol} more before {order.replaced_by} took its place"
            self._notices.alert_once("replaced_late", order_id, f"{message}, which is for as much too much")
        if order is not None and (before := outgrown(order)) is not None:
            message = f"{before:f} {order.symbol} of order {order_id} filled before it was replaced"
            self._notices.alert_once("unprotected", order_id, f"{message}: its legs may protect only what filled later")
        found = None if order is None else bare(self._ledger, order)
        if found is not None:
            entry, left = found
            message = f"{left:f} {entry.symbol} of order {entry.order_id} have no protection: its stop has ended"
            self._notices.alert_once("unprotected", entry.order_id, message)

    def is_past(self, moment: dt.datetime) -> bool:
        """Whether it was before the books began."""
        begin = self._ledger.account(self._account).as_of
        return begin is not None and moment < begin

    def _filled_before(self, order_id: str) -> Decimal:
        """What the order had filled when the books began: the broker counts it, the books do not."""
        order = self._ledger.order(order_id)
        return ZERO if order is None else order.filled_before

    def handle(self, command: cmd.Command, source: str) -> None:
        """Record what follows from a command. Raises what the ledger raises."""
        self._ledger.handle(command, Cause(self._ids.trace_id(), actor="inbox", source=source))
