"""At the end of the day, when nothing was disturbed for a while: exchange, ledger, views and judge say the same."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulation.minds import KEY
from tradecore.domain.values import ZERO, canonical
from tradecore.errors import InputError
from tradecore.ledger import Ledger
from tradecore.reconcile import UNDECIDED
from tradecore.sagas.orders import PATIENCE
from tradecore.verify import verify
from tradecore_exchange.activities import standing

if TYPE_CHECKING:
    from tests.simulation.world import World

_SAGA_LATE = dt.timedelta(seconds=20)
"""How long after its deadline a saga may still be at it; one that waits for the gate has its patience besides."""
_NEW_S = 5.0
"""Agents and exits by the time go on to the end: what they placed just before it may be on its way."""
_AT_WORK = ("planned", "queued", "submitted", "unknown")


def judge_end(world: World, *, thorough: bool) -> None:
    """Compare everything. Each finding goes to `world.fail`, which keeps the first."""
    _alive(world)
    if world.disk.journal.head() == 0:
        return
    undecided = _undecided(world)
    _orders(world, undecided)
    if undecided:
        world.reach["a person must tell which execution was corrected"] += 1
    _fills(world, undecided)
    _numbers(world, undecided)
    _views(world)
    if world.mind is not None:
        _texts(world)
    if thorough:
        report = verify(world.disk.journal)
        if not report.ok:
            world.fail("I8", "; ".join(str(finding) for finding in report.findings[:3]))


def _alive(world: World) -> None:
    for machine in world.machines:
        if machine.session is None or (not machine.session.engine.inbox.reconnected and machine.host is None):
            world.fail("L5", f"{machine.name} does not run at the end: {machine.ends[-3:]}")


def _orders(world: World, undecided: Mapping[str, str]) -> None:
    book, judge = world.floor.exchange.book, world.judge
    per_client_id = Counter(order.client_order_id for order in book.all)
    doubled = [key for key, count in per_client_id.items() if count > 1]
    if doubled:
        world.fail("I1", f"the exchange has more than one order under {doubled}")
    seen = set()
    for theirs in book.all:
        ours = judge.by_broker_id.get(theirs.id) or judge.by_client_id.get(theirs.client_order_id)
        if ours is None:
            world.fail("L2", f"the ledger knows nothing of the exchange's order {theirs.client_order_id}")
            continue
        seen.add(ours.order_id)
        if ours.broker_order_id != theirs.id:
            world.fail("I2", f"the exchange has {ours.order_id} ({theirs.status}), the ledger says {ours.status.value}")
        if ours.filled != theirs.filled_qty and ours.order_id not in undecided:
            world.fail("I4", f"{ours.order_id} is filled with {ours.filled}, at the exchange with {theirs.filled_qty}")
        if ours.is_to_be_canceled and theirs.is_open and not ours.is_dead and not ours.cancel_was_taken:
            world.fail("L1", f"{ours.order_id} is to be canceled; nobody asks any more, and it works on")
        if ours.status.is_terminal == theirs.is_open or (not theirs.is_open and ours.status.value != theirs.status):
            world.fail("L2", f"{ours.order_id} is {ours.status.value}, at the exchange {theirs.status}")
    for order in judge.orders.values():
        if order.order_id not in seen and order.broker_order_id is not None:
            world.fail("I2", f"{order.order_id} is {order.status.value}; the exchange knows nothing of it")
        is_new = world.loop.time() - order.attempted_at < _NEW_S
        if order.status.value in _AT_WORK and not (order.is_dead or order.is_leg or is_new):
            world.fail("L1", f"{order.order_id} is still {order.status.value}")


def _undecided(world: World) -> dict[str, str]:
    """The orders, each with its symbol, of which a correction means one of several executions of the same size.

    The record of executions has other names than the stream, and the average price may fit more than one: then nobody
    can tell, and a difference that closes the gate must say so. Nothing but these orders may differ for that.
    """
    found: dict[str, str] = {}
    machine = world.machines[0]
    ledger = Ledger(world.disk.journal, machine.clock, machine.ids_of_judge)
    for order in world.judge.orders.values():
        state = ledger.order(order.order_id)
        if state is None:
            continue
        for revision in state.awaited:
            alike = [quantity for quantity, _, _ in order.fills.values() if quantity == revision.quantity]
            if not revision.busts and len(alike) > 1:
                told = f"{UNDECIDED} {order.order_id}: "
                if not any(one.startswith(told) for one in world.judge.open_differences.values()):
                    world.fail("I9", f"a correction of {order.order_id} waits, and no difference says so")
                found[order.order_id] = state.symbol
    return found


def _fills(world: World, undecided: Mapping[str, str]) -> None:
    judge = world.judge
    left_out = {judge.orders[order_id].broker_order_id for order_id in undecided}
    theirs: Counter[tuple[str, Decimal, Decimal]] = Counter()
    for one in standing(world.floor.exchange.activities).values():
        if one.qty and one.order_id not in left_out:
            theirs[one.order_id, one.qty, one.price] += 1
    ours: Counter[tuple[str, Decimal, Decimal]] = Counter()
    for order in judge.orders.values():
        for quantity, price, _ in order.fills.values():
            if quantity and order.order_id not in undecided:
                ours[order.broker_order_id or "", quantity, price] += 1
    if ours != theirs:
        world.fail("I9", f"only at the exchange: {dict(theirs - ours)}; only in the ledger: {dict(ours - theirs)}")


def _numbers(world: World, undecided: Mapping[str, str]) -> None:
    judge, exchange = world.judge, world.floor.exchange
    machine = world.machines[0]
    account = Ledger(world.disk.journal, machine.clock, machine.ids_of_judge).account("main")
    positions = {symbol: held for symbol, held in judge.positions.items() if held}
    folded = {symbol: held.quantity for symbol, held in account.positions.items() if held.quantity}
    theirs = {symbol: held.qty for symbol, held in exchange.account.positions.items() if held.qty}
    if positions != folded or account.cash != judge.cash:
        world.fail("I4", f"the ledger has {folded} {account.cash}; its fills amount to {positions} {judge.cash}")
    known = set(positions) | set(theirs)
    differing = {symbol for symbol in known if positions.get(symbol, ZERO) != theirs.get(symbol, ZERO)}
    if differing - set(undecided.values()):
        world.fail("L2", f"positions are {positions}, at the exchange {theirs}")
    unread = ZERO
    for one in exchange.activities[world.read_activities :]:
        if one.kind != "FILL" and one.id not in judge.booked:
            unread += one.net_amount
    if canonical(judge.cash + unread) != canonical(exchange.account.cash) and not undecided:
        world.fail("L2", f"cash is {judge.cash}, at the exchange {exchange.account.cash}")
    if judge.open_differences and not undecided:
        world.fail("L2", f"differences stay open: {list(judge.open_differences.values())}")
    now, is_held = machine.clock.now(), any(one.session and one.session.conductor.is_held for one in world.machines)
    late = now - _SAGA_LATE - (PATIENCE if is_held else dt.timedelta())
    overdue = [saga for saga, deadline in judge.sagas.items() if deadline < late]
    if overdue:
        world.fail("L1", f"sagas do not end: {overdue}")
    worked = {order.order_id for order in judge.orders.values() if not order.status.is_terminal}
    stray = [key for key, held in account.reservations.items() if key not in worked and held.quantity > ZERO]
    if stray:
        world.fail("I3", f"reservations of orders that ended: {stray}")


def _texts(world: World) -> None:
    """From an agent's order to what the model was asked and what it said; and no key in any of it."""
    texts, kept = world.disk.journal.texts, []
    for order_id, digest in world.thoughts.traced():
        try:
            kept.append(texts.get(digest))
        except InputError:
            world.fail("I7", f"a prompt or an answer behind {order_id} is not kept")
    rows = world.disk.journal.links(0, world.disk.journal.head())
    key = KEY.encode()
    if any(isinstance(text, bytes) and key in text for text in kept) or any(key in bytes(row.state) for row in rows):
        world.fail("I14", "the key of a provider is on record")


def _views(world: World) -> None:
    head = world.disk.journal.head()
    behind = {view: at for view, at in world.disk.standings().items() if at < head}
    if behind:
        world.fail("L3", f"views stand at {behind}, the log ends at {head}")
