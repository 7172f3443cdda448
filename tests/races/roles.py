"""What the hands of a race do. Each role is given a journal, its number, and a place to meet the others."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tradecore.batch import Batch
from tradecore.domain import commands as cmd
from tradecore.domain.events import ReservationMade
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.errors import WrongVersion
from tradecore.journal import Journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.testing.journal_samples import recorded, run

Meet = Callable[[], None]
Role = Callable[..., Any]

PRICE = Decimal(10)
_PATIENCE_S = 120


def write(journal: Journal, number: int, meet: Meet, name: str, appends: int) -> list[list[Any]]:
    """Append two events of an own stream and, every fourth time, one of a stream that all writers share."""
    written: list[list[Any]] = []
    meet()
    for turn in range(appends):
        own = f"{name}-{number}-{turn}"
        while True:
            shared = [recorded(name, len(journal.load(name)) + 1)] if turn % 4 == 0 else []
            try:
                done = journal.append([*shared, *run(own, 1, 2)])
                break
            except WrongVersion:
                continue
        written += [[item.envelope.position, item.envelope.event_id] for item in done]
    return written


def follow(journal: Journal, number: int, meet: Meet, after: int, count: int) -> list[list[Any]]:
    """Read behind position `after`, page by page, until `count` events were seen, or none came for too long."""
    chance = random.Random(number)
    seen: list[list[Any]] = []
    goal = after + count
    meet()
    last = time.monotonic()
    # Once everything was written, what does not come at once will never come.
    while len(seen) < count and time.monotonic() - last < (1 if journal.head() >= goal else _PATIENCE_S):
        page = journal.read(after, chance.randint(1, 20))
        if page:
            seen += [[item.envelope.position, item.envelope.event_id] for item in page]
            after = page[-1].envelope.position
            last = time.monotonic()
    return seen


class CheckThenAct(Ledger):
    """How it is done wrong: the decision is made on one state and appended to whatever came in between."""

    def handle(self, command: cmd.Command, cause: Cause) -> Any:
        """Decide once, then append at whichever versions are free."""
        batch = Batch(self._shelf, self.epoch, self._clock.now_ns(), self._ids)
        refusal = batch.take(command, cause)
        if refusal is not None:
            raise refusal
        while batch.recorded:
            versions = {stream: len(self.journal.load(stream)) for stream in batch.draft.touched}
            forced = []
            for item in batch.recorded:
                versions[item.envelope.stream] += 1
                envelope = msgspec.structs.replace(item.envelope, version=versions[item.envelope.stream])
                forced.append(Recorded(envelope, item.event))
            try:
                done = self.journal.append(forced)
            except WrongVersion:
                continue
            self._shelf.observe(done)
            return done
        return ()


def take(
    journal: Journal, number: int, meet: Meet, name: str, rounds: int, tries: int, ledger_class: type[Ledger] = Ledger
) -> dict[str, int]:
    """Place orders on the account of each round, cancel some of them, and lower a limit while the others place."""
    clock, ids, chance = SystemClock(), SystemIds(), random.Random(number)
    ledger = ledger_class(journal, clock, ids)
    done = {"placed": 0, "refused": 0, "canceled": 0, "gave up": 0}
    for account in (f"{name}-{turn}" for turn in range(rounds)):
        meet()
        for attempt in range(tries):
            cause = Cause(ids.trace_id(), actor=f"taker {number}")
            order_id = ids.order_id()
            order = _order(order_id, account, f"strategy {number}", chance.randint(1, 12), clock)
            try:
                names = ledger.handle(order, cause)
                placed = any(isinstance(item.event, ReservationMade) for item in names)
                done["placed" if placed else "refused"] += 1
                if placed and chance.random() < 0.3:
                    ledger.handle(cmd.CancelOrder(order_id, "changed my mind"), cause)
                    done["canceled"] += 1
                if number == 0 and attempt == tries // 2:
                    lowered = cmd.SetLimits(
                        account,
                        Limits(max_order_notional=5 * PRICE, max_open_orders=most_open(journal, account)),
                        "taker",
                        "lowered",
                    )
                    ledger.handle(lowered, cause)
            except WrongVersion:
                done["gave up"] += 1
    return done


def take_naively(journal: Journal, number: int, meet: Meet, name: str, rounds: int, tries: int) -> dict[str, int]:
    """The same without expected versions."""
    return take(journal, number, meet, name, rounds, tries, CheckThenAct)


def most_open(journal: Journal, account: str) -> int | None:
    """How many orders of an account may be open."""
    return Ledger(journal, SystemClock(), SystemIds()).account(account).limits.max_open_orders


def _order(order_id: str, account: str, strategy: str, quantity: int, clock: SystemClock) -> cmd.PlaceOrder:
    return cmd.PlaceOrder(
        order_id=order_id,
        account=account,
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT,
        limit_price=PRICE,
        time_in_force=TimeInForce.DAY,
        strategy=strategy,
        not_after=clock.now().replace(year=2100),
    )


ROLES: dict[str, Role] = {"write": write, "follow": follow, "take": take, "take_naively": take_naively}
