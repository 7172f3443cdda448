"""The judge: what the exchange has on its own books against what the ledger has, without a word of the runner."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import attrs

from tests.campaign.world import READ_TIMEOUT_S, World
from tradecore.domain import events as ev
from tradecore.domain.order_state import OrderState
from tradecore.reconcile import Differences, compare_orders, compare_standing
from tradecore.verify import verify

CALL_S = 3 * READ_TIMEOUT_S + 5.0
"""The longest that a request may take: to connect and twice to read, and what a busy machine adds."""


@attrs.define
class Verdict:
    """What is wrong. `doubled` and `lost` count orders and executions."""

    doubled: int = 0
    lost: int = 0
    orders: int = 0
    findings: list[str] = attrs.field(factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def find(self, what: str) -> None:
        self.findings.append(what)


async def judge(world: World) -> Verdict:
    """Compare everything; an account that has not come to rest has findings too."""
    verdict = Verdict()
    told = await world.ask("/_ctl/orders")
    state = await world.ask("/_ctl/state")
    ours = world.orders()
    theirs: dict[str, dict[str, Any]] = {one["id"]: one for one in told["orders"]}
    verdict.orders = len(ours)
    _judge_orders(verdict, ours, theirs)
    _judge_fills(verdict, world, ours, told["executions"])
    _judge_replacements(verdict, world, ours)
    _judge_rest(verdict, world, state)
    return verdict


def _judge_orders(verdict: Verdict, ours: list[OrderState], theirs: dict[str, dict[str, Any]]) -> None:
    known = {order.broker_order_id: order for order in ours if order.broker_order_id is not None}
    cids = Counter(one["client_order_id"] for one in theirs.values())
    for cid, count in cids.items():
        if count > 1:
            verdict.doubled += count - 1
            verdict.find(f"{count} orders under {cid}")
    for order in ours:
        if order.external:
            verdict.doubled += 1
            verdict.find(f"an order that nobody placed was adopted: {order.broker_order_id}")
        if not order.is_settled:
            verdict.find(f"order {order.order_id} is not settled: {order.status.value}, missing {order.missing_fills}")
        if order.halted:
            verdict.find(f"order {order.order_id} is halted")
        there = order.client_order_id in cids or order.broker_order_id in theirs
        if there and order.broker_order_id is None:
            verdict.lost += 1
            verdict.find(f"order {order.order_id} is at the broker and the ledger does not know: {order.status.value}")
        if not there and not order.status.is_terminal:
            verdict.lost += 1
            verdict.find(f"order {order.order_id} never arrived: {order.status.value}")
        if order.broker_order_id is not None and order.broker_order_id not in theirs:
            verdict.find(f"order {order.order_id} has an id that the exchange does not know")
    for broker_id, one in theirs.items():
        mine = known.get(broker_id)
        if mine is None:
            verdict.doubled += 1
            verdict.find(f"the exchange has an order that no intent has: {one['client_order_id']} {one['status']}")
            continue
        if mine.status.value != one["status"]:
            verdict.find(f"order {mine.order_id}: {mine.status.value} here, {one['status']} there")
        if mine.filled_qty != Decimal(one["filled_qty"] or 0):
            verdict.find(f"order {mine.order_id}: {mine.filled_qty} filled here, {one['filled_qty']} there")


def _judge_fills(verdict: Verdict, world: World, ours: list[OrderState], executions: list[dict[str, Any]]) -> None:
    by_id = {order.order_id: order.broker_order_id for order in ours}
    events = [item.event for item in world.now.journal.read(0, 100_000)]
    if any(isinstance(event, ev.OrderFillRevised) for event in events):
        told = sum(isinstance(event, ev.FillRecorded | ev.OrderFillRevised) for event in events)
        if told != len(executions):  # the exchange lists a bust and a correction as a further execution
            verdict.find(f"{told} executions and revisions here, {len(executions)} there")
        return
    here = Counter(
        (by_id.get(event.order_id), event.quantity, event.price, event.cumulative_qty)
        for event in events
        if isinstance(event, ev.FillRecorded)
    )
    there = Counter(
        (one["order_id"], Decimal(one["qty"]), Decimal(one["price"]), Decimal(one["cum_qty"])) for one in executions
    )
    for missing in (there - here).elements():
        verdict.lost += 1
        verdict.find(f"an execution is not in the ledger: {missing}")
    for extra in (here - there).elements():
        verdict.doubled += 1
        verdict.find(f"the ledger has a fill too many: {extra}")


def _judge_replacements(verdict: Verdict, world: World, ours: list[OrderState]) -> None:
    """No story asks for more than its first order: what fills more, while a replacement travels, is told."""
    by_id = {order.order_id: order for order in ours}
    events = [item.event for item in world.now.journal.read(0, 100_000)]
    told = " ".join(one.message for one in events if isinstance(one, ev.AlertTriggered) and one.kind == "replaced_late")
    for first in (order for order in ours if order.replaces is None and order.quantity is not None):
        asked, chain = first.quantity, [first]
        while (after := by_id.get(chain[-1].replaced_by or "")) is not None:
            chain.append(after)
        filled = sum((order.filled_qty for order in chain), Decimal(0))
        if asked is not None and filled > asked and not any(order.order_id in told for order in chain):
            verdict.find(f"order {first.order_id} of {asked} filled {filled} with its replacements: nobody was told")


def _judge_rest(verdict: Verdict, world: World, state: dict[str, Any]) -> None:
    engine = world.now.engine
    account = engine.ledger.account("main")
    if account.cash != Decimal(state["cash"]):
        verdict.find(f"cash: {account.cash} here, {state['cash']} there")
    held = {name: position.quantity for name, position in account.positions.items() if position.quantity}
    if held != {name: Decimal(quantity) for name, quantity in state["positions"].items()}:
        verdict.find(f"positions: {held} here, {state['positions']} there")
    if account.reservations:
        verdict.find(f"reserved: {dict(account.reservations)}")
    if state["open_orders"]:
        verdict.find(f"{state['open_orders']} orders are open at the exchange")
    if engine.outbox.open_items:
        verdict.find(f"{engine.outbox.open_items} pieces of work are open")
    if engine.inbox.behind:
        verdict.find("fills are known to be missing")
    gating = Differences.of(engine.ledger, "main").gating
    if gating:
        verdict.find(f"a difference is open: {gating[0].found}")


async def judge_at_rest(world: World) -> Verdict:
    """The same, with the program's own comparisons and the verification of the whole ledger."""
    verdict = await judge(world)
    engine = world.now.engine
    ids = tuple(order.order_id for order in world.orders())
    for difference in (
        *await compare_standing(engine.ledger, engine.broker, "main"),
        *await compare_orders(engine.ledger, engine.broker, ids),
    ):
        verdict.find(f"reconciliation: {difference}")
    if world.watch.longest() > CALL_S:
        verdict.find(f"a request took {world.watch.longest():.1f} s")
    for finding in verify(world.now.journal).findings:
        verdict.find(f"verification: {finding}")
    return verdict
