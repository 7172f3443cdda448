"""The two races: eight writers and followers, and takers who place orders on one account until its limits say no."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from decimal import Decimal
from typing import Any

import attrs

from tests.races.hands import Part, Store
from tests.races.referee import Following, breaches, compare
from tests.races.roles import PRICE
from tradecore.domain import commands as cmd
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

WRITERS = 8
TAKERS = 4


@attrs.frozen
class Taking:
    """What the takers did in all, and every order of theirs that was above a limit."""

    done: Counter[str]
    breaches: list[str]


def open_store(url: str) -> Store:
    """A ledger to race on, born if it is new."""
    journal = open_journal(url)
    Ledger(journal, SystemClock(), SystemIds())
    return Store(url, journal)


def write_and_follow(store: Store, appends: int) -> tuple[int, Following]:
    """How many events eight writers wrote, and what was wrong with how a follower saw them."""
    after = store.journal.head()
    events = WRITERS * (appends * 2 + (appends + 3) // 4)
    name = f"race-{uuid.uuid4().hex[:12]}"
    parts: list[Part] = [("write", [name, appends])] * WRITERS
    *written, seen = store.work([*parts, ("follow", [after, events])])
    return len(seen), compare(after, [item for each in written for item in each], seen)


def take_orders(store: Store, rounds: int, most_open: int = 5, role: str = "take") -> Taking:
    """Let four takers place orders on a new account in each round, all of them more than `most_open`."""
    name = f"desk-{uuid.uuid4().hex[:12]}"
    clock, ids = SystemClock(), SystemIds()
    ledger = Ledger(store.journal, clock, ids)
    accounts = [f"{name}-{turn}" for turn in range(rounds)]
    for account in accounts:
        _open_account(ledger, account, most_open, ids.trace_id())
    parts: list[Part] = [(role, [name, rounds, most_open + 1])] * TAKERS
    done: Counter[str] = Counter()
    results: list[dict[str, Any]] = store.work(parts)
    for result in results:
        done.update(result)
    return Taking(done, [breach for account in accounts for breach in breaches(store.journal, account)])


def _open_account(ledger: Ledger, account: str, most_open: int, trace_id: str) -> None:
    cause = Cause(trace_id, actor="referee")
    as_of = dt.datetime(2026, 2, 3, tzinfo=dt.UTC)
    ledger.handle(cmd.PinAccount(account, "test", account, True, "USD", Decimal(10**6), (), as_of), cause)
    ledger.handle(
        cmd.SetLimits(account, Limits(max_order_notional=10 * PRICE, max_open_orders=most_open), "referee", "a race"),
        cause,
    )
