"""What is sent first, how often, and what becomes of it when it does not get through."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import anyio
import attrs
import pytest

from tests.ledger.desk import NOON, Desk
from tests.review.scripted import PACE, UNREACHABLE, LoopTime, NoChance, Office, ScriptedBroker
from tests.virtual_time import run_story
from tradecore.domain import commands as cmd
from tradecore.domain.identity import leg_order_id
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, OrderStatus, Purpose, Side
from tradecore.domain.work import SUBMIT_ATTEMPTS
from tradecore.errors import BrokerRefused, CloseRefused, NotSent, OutcomeUnknown, WorkRefused
from tradecore.outbox import Outbox, Pace
from tradecore.outbox.lookups import find_legs
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item
from tradecore.ports.broker import BrokerOrder, OrderRequest

D = Decimal
S = OrderStatus
LATER = NOON + dt.timedelta(hours=1)
BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "take_profit": TakeProfit(D(110)),
    "stop_loss": StopLoss(D(90)),
    "not_after": LATER,
}


def place(office: Office, side: str = "buy", qty: str = "10", symbol: str = "SPY", **terms: Any) -> str:
    return office.desk.place(side, qty, symbol, **({"not_after": LATER} | terms))


def alerts(desk: Desk) -> list[str]:
    events = [recorded.event for recorded in desk.ledger.journal.read(0, 100_000)]
    return [event.kind for event in events if hasattr(event, "kind") and hasattr(event, "message")]


def with_pace(pace: Pace, broker: ScriptedBroker | None = None) -> Office:
    office = Office.open(None, broker)
    desk = office.desk
    outbox = Outbox(desk.ledger, office.broker, LoopTime(desk), desk.ids, NoChance(), lambda: "lease-1", pace)
    office.follower.listen(outbox.observe)
    return attrs.evolve(office, outbox=outbox)


# --- how often ------------------------------------------------------------------------------------------------------


def test_an_order_that_never_leaves_is_dead_after_its_attempts_and_says_so_once() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("no route to the broker")
        order = place(office)
        await office.deliver(1.0)
        assert office.broker.count("submit") == SUBMIT_ATTEMPTS
        assert (office.desk.order(order).status, office.desk.order(order).dead) == (S.QUEUED, True)
        assert order in office.desk.account.reservations
        assert alerts(office.desk) == ["delivery_dead"]
        assert office.outbox.open_items == 0

    run_story(story)


def test_dead_work_stays_dead_after_a_restart() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("no route to the broker")
        place(office)
        await office.deliver(1.0)
        office.broker.trouble.clear()
        again = Office.open(office.desk, office.broker, "lease-2")
        await again.deliver(0.1)
        assert again.broker.count("submit") == SUBMIT_ATTEMPTS

    run_story(story)


def test_dead_work_that_is_retried_is_sent() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("no route to the broker")
        order = place(office)
        await office.deliver(1.0)
        office.broker.trouble.clear()
        office.desk.give(cmd.RetryWork(order, "the network is back", LATER))
        await office.deliver(0.2)
        assert office.desk.order(order).status is S.NEW

    run_story(story)


def test_dead_work_that_is_discarded_ends_and_frees_its_reservation() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("no route to the broker")
        order = place(office)
        await office.deliver(1.0)
        office.desk.give(cmd.DiscardWork(order, "the moment has passed"))
        assert office.desk.order(order).status is S.CANCELED
        assert office.desk.account.reservations == {}

    run_story(story)


def test_what_is_not_dead_can_be_neither_retried_nor_discarded(desk: Desk) -> None:
    waiting = desk.place("buy", "10")
    with pytest.raises(WorkRefused, match="nothing of order"):
        desk.give(cmd.RetryWork(waiting, "test", LATER))
    desk.send(waiting)
    with pytest.raises(WorkRefused, match="may be at the broker"):
        desk.give(cmd.DiscardWork(waiting, "test"))
    desk.answer(waiting)
    with pytest.raises(WorkRefused, match="nothing of order"):
        desk.give(cmd.DiscardWork(waiting, "test"))
    done = desk.done("buy", "1", "10")
    with pytest.raises(WorkRefused, match="already filled"):
        desk.give(cmd.RetryWork(done, "test", LATER))


def test_a_wait_that_the_broker_wished_for_spends_no_attempt_and_holds_what_is_new() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble["submit"] = NotSent("too many requests", retry_after_s=0.05)
        orders = [place(office, symbol=symbol) for symbol in ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")]
        await office.deliver(0.9)
        assert office.broker.count("submit") < 8 * 12  # they wait together instead of each asking in turn
        assert not any(office.desk.order(order).dead for order in orders)
        office.broker.trouble.clear()
        await office.deliver(1.0)
        assert {office.desk.order(order).status for order in orders} == {S.NEW}

    run_story(story)


def test_an_unknown_outcome_is_looked_up_for_ever_and_alerts() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.trouble = {"submit": OutcomeUnknown("timed out"), "order_by_client_id": UNREACHABLE}
        order = place(office)
        await office.deliver(0.5)
        assert office.desk.order(order).status is S.UNKNOWN
        assert office.broker.count("order_by_client_id") > 10
        assert alerts(office.desk) == ["order_unknown"]
        assert office.outbox.unresolved == 1

    run_story(story)


# --- what first -----------------------------------------------------------------------------------------------------


def test_what_takes_risk_away_goes_first() -> None:
    async def story() -> None:
        office = with_pace(Pace(max_concurrent=1, lookup_interval_s=0.01, visibility_s=0, lookups=1))
        working = office.desk.live("buy", "10", "OLD", limit="1")
        unknown = office.desk.place("buy", "1", "UNK", not_after=LATER)
        office.desk.send(unknown)
        office.desk.give(cmd.RecordUnknown(unknown, "timed out"))
        office.broker.have(office.desk.order(unknown).client_order_id, "UNK", "1")
        for purpose, symbol in ((Purpose.TRADE, "TRD"), (Purpose.PROTECT, "PRO"), (Purpose.CLOSE, "CLO")):
            place(office, symbol=symbol, purpose=purpose)
        office.desk.give(cmd.CancelOrder(working, "test"))
        await office.deliver(0.5)
        order = [name if name != "submit" else "submit" for name, *_ in office.broker.calls]
        assert order == ["cancel", "order_by_client_id", "submit", "submit", "submit"]
        sent = [argument for name, argument in office.broker.calls if name == "submit"]
        symbols = [office.broker.orders[f"b-{client_id}"].symbol for client_id in sent]
        assert symbols == ["CLO", "PRO", "TRD"]

    run_story(story)


class Slow(ScriptedBroker):
    """Takes a moment for every order, and notes how many are under way at once, in all and per symbol."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[str] = []
        self.most = 0
        self.most_of_one = 0

    async def submit(self, request: OrderRequest) -> BrokerOrder:
        self.under_way.append(request.symbol)
        self.most = max(self.most, len(self.under_way))
        self.most_of_one = max(self.most_of_one, self.under_way.count(request.symbol))
        await anyio.sleep(0.01)
        self.under_way.remove(request.symbol)
        return await super().submit(request)


def test_orders_of_one_symbol_reach_the_broker_in_the_order_of_their_intents() -> None:
    async def story() -> None:
        broker = Slow()
        office = Office.open(None, broker)
        wanted = [place(office, symbol=symbol) for _ in range(6) for symbol in ("AAA", "BBB", "CCC")]
        await office.deliver(1.0)
        assert (broker.most_of_one, broker.most) == (1, 3)
        ids = [office.desk.order(order).client_order_id for order in wanted]
        sent = [client_id for name, client_id in broker.calls if name == "submit"]
        for symbol in range(3):
            assert [i for i in sent if i in ids[symbol::3]] == ids[symbol::3]

    run_story(story)


def test_what_many_orders_have_to_record_at_one_moment_is_one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        office = with_pace(attrs.evolve(PACE, max_concurrent=100))
        orders = [place(office, symbol=f"S{number}") for number in range(60)]
        appends: list[int] = []
        append = office.desk.ledger.journal.append

        def counted(events: Any, *rest: Any) -> Any:
            appends.append(len(events))
            return append(events, *rest)

        monkeypatch.setattr(office.desk.ledger.journal, "append", counted)
        await office.deliver(0.3)
        assert {office.desk.order(order).status for order in orders} == {S.NEW}
        assert len(appends) == 2  # the marks, and the outcomes

    run_story(story)


# --- replacements, legs, closes and kills ---------------------------------------------------------------------------


def test_a_replacement_of_an_order_that_has_ended_is_withdrawn_and_not_sent() -> None:
    async def story() -> None:
        office = Office.open()
        old = office.desk.live("buy", "10", limit="1")
        new = office.desk.ids.order_id()
        office.desk.give(cmd.ReplaceOrder(old, new, LATER, limit_price=D(2)))
        office.desk.report(old, "canceled", at=1)
        await office.deliver(0.1)
        assert office.broker.count("replace") == 0
        assert office.desk.order(new).status is S.CANCELED

    run_story(story)


def test_who_cancels_an_order_cancels_the_one_that_is_to_take_its_place() -> None:
    async def story() -> None:
        office = Office.open()
        old = office.desk.live("buy", "10", limit="1")
        new = office.desk.ids.order_id()
        office.desk.give(cmd.ReplaceOrder(old, new, LATER, limit_price=D(2)))
        office.desk.give(cmd.CancelOrder(old, "test"))
        await office.deliver(0.1)
        assert (office.broker.count("replace"), office.broker.count("cancel")) == (0, 1)
        assert office.desk.order(new).status is S.CANCELED

    run_story(story)


def test_a_replacement_that_the_broker_refuses_fails_and_the_old_order_works_on() -> None:
    async def story() -> None:
        office = Office.open()
        old = office.desk.live("buy", "10", limit="1")
        new = office.desk.ids.order_id()
        office.broker.trouble["replace"] = BrokerRefused(422, 42210000, "order is not open")
        office.desk.give(cmd.ReplaceOrder(old, new, LATER, limit_price=D(2)))
        await office.deliver(0.1)
        assert (office.desk.order(new).status, office.desk.order(old).replaced_by) == (S.REJECTED, None)

    run_story(story)


class Lawyer(ScriptedBroker):
    """Says at first nothing about the legs of what it takes."""

    def __init__(self, *, silent: bool = True) -> None:
        super().__init__()
        self.silent = silent

    def legs_of(self, parent: BrokerOrder) -> tuple[BrokerOrder, ...]:
        side = Side.SELL if parent.side is Side.BUY else Side.BUY
        kinds = {"limit": S.HELD, "stop": S.HELD}
        return tuple(
            attrs.evolve(parent, broker_order_id=f"{parent.broker_order_id}-{kind}", client_order_id=f"theirs-{kind}",
                         side=side, order_type=kind, status=status)
            for kind, status in kinds.items()
        )  # fmt: skip

    async def order(self, broker_order_id: str) -> BrokerOrder | None:
        found = await super().order(broker_order_id)
        return found if found is None or self.silent else attrs.evolve(found, legs=self.legs_of(found))


def legs(desk: Desk, parent: str) -> list[Any]:
    return [desk.order(leg_order_id(parent, leg.value)) for leg in Leg]


def test_legs_are_asked_for_until_the_broker_tells_them() -> None:
    async def story() -> None:
        broker = Lawyer()
        office = Office.open(None, broker)
        order = place(office, **BRACKET)
        await office.deliver(0.2)
        assert [leg.broker_order_id for leg in legs(office.desk, order)] == [None, None]
        assert broker.count("order") > 1
        broker.silent = False
        await office.deliver_until(lambda: office.outbox.open_items == 0, "the legs")
        parent = office.desk.order(order).broker_order_id
        assert [leg.broker_order_id for leg in legs(office.desk, order)] == [f"{parent}-limit", f"{parent}-stop"]
        assert office.outbox.open_items == 0

    run_story(story)


def test_the_cancel_of_a_leg_waits_until_the_leg_is_known() -> None:
    async def story() -> None:
        broker = Lawyer()
        office = Office.open(None, broker)
        order = place(office, **BRACKET)
        await office.deliver(0.1)
        office.desk.give(cmd.CancelOrder(leg_order_id(order, Leg.TAKE_PROFIT.value), "test"))
        await office.deliver(0.1)
        assert broker.count("cancel") == 0
        broker.silent = False
        await office.deliver_until(lambda: broker.count("cancel") > 0, "the cancel of the leg")
        parent = office.desk.order(order).broker_order_id
        assert [call for call in broker.calls if call[0] == "cancel"] == [("cancel", f"{parent}-limit")]

    run_story(story)


def test_legs_that_the_broker_never_made_are_withdrawn_when_their_order_has_ended_and_that_is_an_alarm() -> None:
    async def story() -> None:
        office = Office.open(None, Lawyer())
        order = place(office, **BRACKET)
        await office.deliver(0.1)
        broker_order = office.broker.orders[office.desk.order(order).broker_order_id or ""]
        office.broker.fill(broker_order, "10", NOON)
        await office.collect()
        await office.deliver(1.0)
        assert {leg.status for leg in legs(office.desk, order)} == {S.CANCELED}
        assert "unprotected" in alerts(office.desk)

    run_story(story)


def test_what_was_not_shown_while_an_order_worked_is_no_proof_when_it_has_ended() -> None:
    """The broker's answers may lag: legs were given up at the first look after the end, and were strangers then."""

    async def story() -> None:
        office = Office.open(None, Lawyer())
        order = place(office, **BRACKET)
        await office.deliver(0.1)
        office.broker.fill(office.broker.orders[office.desk.order(order).broker_order_id or ""], "10", NOON)
        await office.collect()
        item = Item(order, Kind.LEGS, Priority.LOOK_UP, order, asked=100)
        pace = Pace(lookups=3)
        told = [
            await find_legs(office.broker, office.desk.order(order), office.desk.ledger.order, item, pace)
            for _ in range(3)
        ]
        assert [len(done.commands) for done in told] == [0, 0, 2]

    run_story(story)


def test_after_a_restart_the_legs_of_a_filled_order_are_still_asked_for() -> None:
    async def story() -> None:
        broker = Lawyer()
        office = Office.open(None, broker)
        order = place(office, **BRACKET)
        await office.deliver(0.1)
        broker.fill(broker.orders[office.desk.order(order).broker_order_id or ""], "10", NOON)
        await office.collect()
        broker.silent = False
        again = Office.open(office.desk, broker, "lease-2", caught_up=False)
        again.outbox.consider(leg_order_id(order, Leg.STOP_LOSS.value))  # as a start does, from the open orders
        await again.deliver(0.2)
        assert all(leg.broker_order_id for leg in legs(office.desk, order))

    run_story(story)


def test_a_position_is_closed_by_exactly_what_is_held_once(desk: Desk) -> None:
    desk.pin()
    desk.limit(orders=0)
    with pytest.raises(CloseRefused, match="nothing to close"):
        desk.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", LATER))
    desk.limit()
    desk.done("buy", "10", "50")
    desk.limit(orders=0)  # what takes risk away passes whatever the limits are
    closing = desk.ids.order_id()
    desk.give(cmd.ClosePosition(closing, "main", "SPY", LATER))
    order = desk.order(closing)
    assert (order.side, order.quantity, order.purpose, order.strategy) == (Side.SELL, D(10), Purpose.CLOSE, "test")
    assert order.client_order_id.startswith("tc-")
    with pytest.raises(CloseRefused, match="being closed by order"):
        desk.give(cmd.ClosePosition(desk.ids.order_id(), "main", "SPY", LATER))


def test_a_kill_withdraws_what_waits_cancels_what_works_and_goes_on_until_nothing_does() -> None:
    async def story() -> None:
        office = Office.open()
        working = office.desk.live("buy", "10", limit="1")
        office.broker.have(office.desk.order(working).client_order_id, broker_order_id=f"b-{working}")
        theirs = office.broker.have("somebody-else")
        waiting = place(office, symbol="QQQ")
        protecting = place(office, "sell", symbol="IWM", purpose=Purpose.PROTECT)
        office.desk.give(cmd.RequestKill("main", "test", suspend=True))
        assert office.desk.order(waiting).status is S.CANCELED
        await office.deliver(0.15)
        assert office.broker.count("submit") == 1  # what protects is not held up
        assert office.desk.order(protecting).broker_order_id is not None
        assert office.broker.count("cancel_all") > 1
        assert office.broker.count("suspend") == office.broker.count("cancel_all")
        assert place(office, symbol="DIA")
        for known in list(office.broker.orders.values()):
            office.broker.orders[known.broker_order_id] = attrs.evolve(known, status=S.CANCELED)
        await office.deliver(0.6)
        state = office.desk.ledger.kill("main")
        assert state is not None
        assert not state.is_open
        assert office.broker.orders[theirs.broker_order_id].status is S.CANCELED
        assert office.desk.order(working).cancel_taken

    run_story(story)


def test_an_order_placed_during_a_kill_is_withdrawn_instead_of_sent() -> None:
    async def story() -> None:
        office = Office.open()
        office.broker.have("somebody-else")
        office.desk.give(cmd.RequestKill("main", "test"))
        late = place(office, symbol="DIA")
        await office.deliver(0.1)
        assert office.desk.order(late).status is S.CANCELED
        assert office.broker.count("submit") == 0

    run_story(story)
