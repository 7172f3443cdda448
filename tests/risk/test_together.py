"""Two who place orders at the same moment never break a limit together."""

from __future__ import annotations

import datetime as dt
import random
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from tradecore.domain import commands as cmd
from tradecore.domain.account import AccountState, evolve
from tradecore.domain.events import EquityMarked
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.errors import WrongVersion
from tradecore.journal import Journal, open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

SCHEDULES = 200
PRICE = Decimal(10)
GROSS, POSITION = Decimal(1000), Decimal(60)
LATE = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def order(account: str, ids: SystemIds, chance: random.Random) -> cmd.PlaceOrder:
    return cmd.PlaceOrder(
        order_id=ids.order_id(),
        account=account,
        symbol=chance.choice(["AAA", "BBB", "CCC"]),
        side=chance.choice([Side.BUY, Side.SELL]),
        quantity=Decimal(chance.randint(1, 40)),
        order_type=OrderType.LIMIT,
        limit_price=PRICE,
        time_in_force=TimeInForce.DAY,
        strategy=f"strategy {chance.randint(1, 2)}",
        not_after=LATE,
    )


def take(journal: Journal, accounts: list[str], seed: int, meet: threading.Barrier) -> None:
    """One who decides on what this one has seen, which is what another may have made old."""
    ids, chance = SystemIds(), random.Random(seed)
    ledger = Ledger(journal, SystemClock(), ids)
    for account in accounts:
        meet.wait(60)
        for _ in range(6):
            try:
                ledger.handle(order(account, ids, chance), Cause(ids.trace_id(), actor=f"taker {seed}"))
            except WrongVersion:
                continue


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_no_schedule_of_two_takers_breaks_a_limit(kind: str, tmp_path: Path) -> None:
    url = "memory:" if kind == "memory" else f"sqlite:///{tmp_path}/ledger.db"
    journal = open_journal(url)
    ids = SystemIds()
    ledger, cause = Ledger(journal, SystemClock(), ids), Cause(ids.trace_id(), actor="referee")
    accounts = [f"account-{number}" for number in range(SCHEDULES)]
    limits = Limits(max_gross_exposure=GROSS, max_position_qty=POSITION)
    for account in accounts:
        ledger.handle(cmd.PinAccount(account, "test", account, True, "USD", Decimal(10**6), (), LATE), cause)
        ledger.handle(cmd.SetLimits(account, limits, "referee", "a race"), cause)
    meet = threading.Barrier(2)
    journals = [journal, journal] if kind == "memory" else [open_journal(url), open_journal(url)]
    takers = [threading.Thread(target=take, args=(journals[n], accounts, n, meet)) for n in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join(240)
    placed = 0
    for account in accounts:
        state = AccountState(account)
        for recorded in journal.load(f"account-{account}"):
            assert not isinstance(recorded.event, EquityMarked)
            state = evolve(state, recorded.event, account)
            assert sum(abs(book.worst) * PRICE for book in state.exposure.books.values()) <= GROSS
            assert all(book.worst <= POSITION for book in state.exposure.books.values())
        placed += len(state.reservations)
    assert placed > SCHEDULES
    for one in {id(each): each for each in [journal, *journals]}.values():
        one.close()
