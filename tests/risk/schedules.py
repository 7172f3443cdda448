"""Random schedules of two who trade one account at the same moment: `python -m tests.risk.schedules --schedules 10000`.

Each decides on what it has seen, which the other may have made old. They place, fill, withdraw, and lower the limits
while orders are open. A referee then folds what was recorded: no order may have been let in above a limit in force.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import attrs

from tests.postgres.server import Server, binaries
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.account import AccountState, evolve
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.domain.terms import body_hash
from tradecore.domain.values import OrderStatus, OrderType, Side, TimeInForce, times
from tradecore.errors import RefusedError, WrongVersion
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

PRICE = Decimal(10)
GROSS, POSITION = Decimal(1000), Decimal(60)
LATE = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
STEPS = 6
_AT_A_TIME = 500


@attrs.define
class Counted:
    """What a campaign came to."""

    schedules: int = 0
    placed: int = 0
    refused: int = 0
    filled: int = 0
    lowered: int = 0
    over: list[str] = attrs.field(factory=list)


class Taker:
    """One of the two."""

    def __init__(self, journal: Journal, seed: int) -> None:
        self._ids = SystemIds()
        self._clock = SystemClock()
        self._ledger = Ledger(journal, self._clock, self._ids)
        self._chance = random.Random(seed)
        self._mine: list[str] = []
        self._name = f"taker {seed}"

    def take(self, account: str) -> None:
        """A handful of steps in one account."""
        self._mine = []
        for _ in range(STEPS):
            try:
                self._step(account)
            except (WrongVersion, RefusedError):
                continue

    def _step(self, account: str) -> None:
        drawn = self._chance.random()
        if drawn < 0.65 or not self._mine:
            order = self._order(account)
            if self._give(order):
                self._mine.append(order.order_id)
        elif drawn < 0.8:
            self._give(cmd.WithdrawOrder(self._mine.pop(), "changed our minds"))
        elif drawn < 0.95:
            self._fill(self._mine.pop())
        else:
            less = Decimal(self._chance.randint(5, 10)) / 10
            wanted = Limits(max_gross_exposure=GROSS * less, max_position_qty=POSITION * less)
            self._give(cmd.SetLimits(account, wanted, self._name, "calmer"))

    def _order(self, account: str) -> cmd.PlaceOrder:
        return cmd.PlaceOrder(
            order_id=self._ids.order_id(),
            account=account,
            symbol=self._chance.choice(["AAA", "BBB", "CCC"]),
            side=self._chance.choice([Side.BUY, Side.SELL]),
            quantity=Decimal(self._chance.randint(1, 40)),
            order_type=OrderType.LIMIT,
            limit_price=PRICE,
            time_in_force=TimeInForce.DAY,
            strategy=f"strategy {self._chance.randint(1, 2)}",
            not_after=LATE,
        )

    def _fill(self, order_id: str) -> None:
        order = self._ledger.order(order_id)
        if order is None or order.quantity is None or order.status is not OrderStatus.QUEUED:
            return
        now, broker_id = self._clock.now(), f"b-{order_id}"
        self._give(cmd.StartSubmit(order_id, "lease", body_hash(order), now))
        self._give(cmd.RecordAnswer(order_id, broker_id, OrderStatus.ACCEPTED, Decimal(0), now, "{}"))
        part = Decimal(self._chance.randint(1, int(order.quantity)))
        self._give(
            cmd.RecordFill(f"f-{order_id}", order_id, broker_id, "x", part, PRICE, part, Decimal(0), now, "test", "{}")
        )

    def _give(self, command: cmd.Command) -> bool:
        return bool(self._ledger.handle(command, Cause(self._ids.trace_id(), actor=self._name)))


def run(journals: Sequence[Journal], schedules: int, seed: int = 0) -> Counted:
    """Two takers over so many accounts, one schedule each; `journals` are those of referee and takers."""
    ids = SystemIds()
    ledger, cause = Ledger(journals[0], SystemClock(), ids), Cause(ids.trace_id(), actor="referee")
    accounts = [f"account-{seed}-{number}" for number in range(schedules)]
    limits = Limits(max_gross_exposure=GROSS, max_position_qty=POSITION)
    for first in range(0, schedules, 50):
        begun: list[cmd.Command] = []
        for account in accounts[first : first + 50]:
            begun.append(cmd.PinAccount(account, "test", account, True, "USD", Decimal(10**6), (), LATE))
            begun.append(cmd.SetLimits(account, limits, "referee", "a race"))
        ledger.handle_many(begun, cause)
    meet = threading.Barrier(2)

    def trade(number: int) -> None:
        taker = Taker(journals[1 + number], seed * 2 + number)
        for account in accounts:
            meet.wait(120)
            taker.take(account)

    takers = [threading.Thread(target=trade, args=(number,)) for number in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    counted = Counted(schedules)
    for account in accounts:
        judge(journals[0], account, counted)
    return counted


def judge(journal: Journal, account: str, counted: Counted) -> None:
    """Fold what was recorded, and hold every order that was let in against the limits in force at that moment."""
    state = AccountState(account)
    for recorded in journal.load(f"account-{account}"):
        event, before = recorded.event, state
        state = evolve(state, event, account)
        match event:
            case ev.ReservationMade():
                counted.placed += 1
                if not _takes_risk_away(before, event):
                    counted.over += _over(state, event)
            case ev.LimitBreached():
                counted.refused += 1
            case ev.PositionChange():
                counted.filled += 1
            case ev.LimitsSet():
                counted.lowered += event.who != "referee"


def _takes_risk_away(before: AccountState, event: ev.ReservationMade) -> bool:
    book = before.exposure.book(event.symbol)
    if event.side is Side.SELL:
        return 0 < book.position >= book.sells + event.quantity
    return 0 < -book.position >= book.buys + event.quantity


def _over(state: AccountState, event: ev.ReservationMade) -> list[str]:
    gross = sum((times(abs(book.worst), PRICE) for book in state.exposure.books.values()), Decimal(0))
    worst = state.exposure.book(event.symbol).worst
    limits, found = state.limits, []
    if limits.max_gross_exposure is not None and gross > limits.max_gross_exposure:
        found.append(f"{event.order_id}: exposure {gross} above {limits.max_gross_exposure}")
    if limits.max_position_qty is not None and worst > limits.max_position_qty:
        found.append(f"{event.order_id}: position {worst} above {limits.max_position_qty}")
    return found


def campaign(url: str, schedules: int) -> Counted:
    """All schedules on one store, a few hundred accounts at a time."""
    journals: list[Journal] = [open_journal(url)] * 3 if url == "memory:" else [open_journal(url) for _ in range(3)]
    total = Counted()
    try:
        for seed, first in enumerate(range(0, schedules, _AT_A_TIME)):
            found = run(journals, min(_AT_A_TIME, schedules - first), seed)
            total = Counted(*(a + b for a, b in zip(attrs.astuple(total), attrs.astuple(found), strict=True)))
        return total
    finally:
        for journal in journals:
            journal.close()


def main() -> int:
    """Print a line per store; 1 when an order was let in above a limit."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--stores", default="sqlite,postgres")
    arguments = parser.parse_args()
    over = 0
    for store in arguments.stores.split(","):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder)) if store == "postgres" and binaries() is not None else None
            if store == "postgres" and server is None:
                print("postgres: no server here, not run")
                continue
            if server is not None:
                server.create()
                server.start()
            urls = {"sqlite": f"sqlite:///{folder}/ledger.db", "memory": "memory:"}
            begun, spent = time.perf_counter(), time.process_time()
            try:
                counted = campaign(urls[store] if server is None else server.url("postgres"), arguments.schedules)
            finally:
                if server is not None:
                    server.remove()
            print(
                f"{store}: {counted.schedules} schedules, {counted.placed} orders let in, {counted.refused} refused, "
                f"{counted.filled} fills, {counted.lowered} changes of limits, {len(counted.over)} over a limit; "
                f"{time.perf_counter() - begun:.0f} s, {time.process_time() - spent:.0f} s of CPU"
            )
            over += len(counted.over)
            print("\n".join(counted.over[:10]), end="\n" if counted.over else "")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
