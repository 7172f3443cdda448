"""A draft over a shelf: what is kept, what is taken back, what is loaded again, and where a stream comes from."""

from __future__ import annotations

import pytest

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import Event, OrderPlanned, RunnerStopped
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.model_budget import BudgetState
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import OrderStatus
from tradecore.draft import Draft, Loaded, Shelf, after, last_event, last_recorded
from tradecore.errors import CancelRefused

CAUSE = Cause("00000000000000000000000000000abc", "test")


class Counting:
    """A journal that counts the streams which are read."""

    def __init__(self, desk: Desk) -> None:
        self._journal = desk.ledger.journal
        self.read: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)

    def load(self, stream: str, *more: int | None) -> tuple[Recorded[Event], ...]:
        self.read.append(stream)
        return self._journal.load(stream, *more)  # type: ignore[arg-type]


def shelf(desk: Desk, capacity: int = 20_000) -> tuple[Shelf, Counting]:
    journal = Counting(desk)
    return Shelf(journal, capacity), journal  # type: ignore[arg-type]


def status(shelf: Shelf | Draft, order_id: str) -> OrderStatus:
    state = shelf.get(f"order-{order_id}").state if isinstance(shelf, Shelf) else shelf.order(order_id)
    assert isinstance(state, OrderState)
    return state.status


# --- the shelf ------------------------------------------------------------------------------------------------------


def test_a_stream_is_read_once(desk: Desk) -> None:
    desk.pin()
    one, journal = shelf(desk)
    for _ in range(3):
        one.get("account-main")
    assert journal.read == ["account-main"]


def test_the_stream_that_was_used_longest_ago_goes_first(desk: Desk) -> None:
    one, journal = shelf(desk, capacity=2)
    for stream in ("a", "b", "a", "c", "a"):
        one.get(stream)
    assert journal.read == ["a", "b", "c"]
    one.put("c", one.get("c"))  # what is put is used, too
    one.get("d")
    one.get("c")
    assert journal.read == ["a", "b", "c", "d"]
    one.get("a")
    assert journal.read == ["a", "b", "c", "d", "a"]


def test_what_is_observed_goes_on_where_the_stream_is(desk: Desk) -> None:
    desk.pin()
    one, journal = shelf(desk)
    order_id = desk.place("buy", "10")
    begun = desk.ledger.journal.load(f"order-{order_id}")
    one.observe(begun)  # from its first event on it need not be read
    assert status(one, order_id) is OrderStatus.QUEUED
    assert journal.read == []
    sent = desk.send(order_id)
    one.observe(sent)
    one.observe(sent)  # and once more
    one.observe(begun)
    assert status(one, order_id) is OrderStatus.SUBMITTED
    assert one.get(f"order-{order_id}").version == len(begun) + 1
    assert journal.read == []


def test_a_stream_with_a_gap_is_read_again(desk: Desk) -> None:
    desk.pin()
    order_id = desk.place("buy", "10")
    one, journal = shelf(desk)
    assert status(one, order_id) is OrderStatus.QUEUED
    desk.send(order_id)
    one.observe(desk.answer(order_id))
    assert status(one, order_id) is OrderStatus.PENDING_NEW
    assert journal.read == [f"order-{order_id}"] * 2


def test_the_middle_of_a_stream_that_nobody_asked_for_is_let_go(desk: Desk) -> None:
    desk.pin()
    order_id = desk.place("buy", "10")
    one, journal = shelf(desk)
    one.observe(desk.send(order_id))
    assert journal.read == []
    assert status(one, order_id) is OrderStatus.SUBMITTED


# --- where it comes from --------------------------------------------------------------------------------------------


def test_a_stream_keeps_the_trace_that_it_began_in_and_its_last_event(desk: Desk) -> None:
    desk.pin()
    order_id = desk.place("buy", "10")
    desk.send(order_id)
    events = desk.ledger.journal.load(f"order-{order_id}")
    first, last = events[0].envelope, events[-1].envelope
    loaded = after(Loaded(None, 0), events)
    assert (loaded.trace_id, loaded.correlation_id) == (first.trace_id, first.correlation_id)
    assert (loaded.version, loaded.last_event_id) == (last.version, last.event_id)
    later = after(Loaded(None, 0, "its trace", "its correlation"), events)
    assert (later.trace_id, later.correlation_id) == ("its trace", "its correlation")
    assert after(loaded, ()) is loaded


def test_the_last_event_of_a_stream_is_the_newest_one(desk: Desk) -> None:
    journal = desk.ledger.journal
    assert last_event(journal, "system-runner") is None
    assert last_recorded(journal, "system-runner") is None
    for name in ("a", "b", "c"):
        desk.ledger.note("system-runner", RunnerStopped(name, "y"), CAUSE)
    assert last_event(journal, "system-runner") == RunnerStopped("c", "y")
    found = last_recorded(journal, "system-runner")
    assert found is not None
    assert found.envelope.version == 3


# --- the draft ------------------------------------------------------------------------------------------------------


def drafted(desk: Desk) -> tuple[Draft, str, list[Event]]:
    """A draft over an order, and the events that would send it."""
    desk.pin()
    order_id, other = desk.place("buy", "10"), desk.place("buy", "5")
    sent = [item.event for item in desk.send(other)]
    one, _ = shelf(desk)
    return Draft(one), order_id, sent


def test_what_is_taken_back_was_never_there(desk: Desk) -> None:
    draft, order_id, sent = drafted(desk)
    stream = f"order-{order_id}"
    draft.add(stream, sent)
    assert status(draft, order_id) is OrderStatus.SUBMITTED
    draft.undo(0)
    assert status(draft, order_id) is OrderStatus.QUEUED
    assert draft.events == []


def test_what_was_kept_stays_when_more_is_taken_back(desk: Desk) -> None:
    draft, order_id, sent = drafted(desk)
    stream = f"order-{order_id}"
    draft.add(stream, sent)
    kept = draft.keep()
    planned = desk.ledger.journal.load(stream)[0].event
    assert isinstance(planned, OrderPlanned)
    draft.add(stream, [planned])
    draft.add(stream, [planned])
    draft.insert(kept, "system-runner", RunnerStopped("x", "y"))
    assert status(draft, order_id) is OrderStatus.PLANNED
    draft.undo(kept)
    assert status(draft, order_id) is OrderStatus.SUBMITTED
    assert [event for _, event in draft.events] == sent
    draft.keep()
    draft.undo(len(draft.events))
    assert status(draft, order_id) is OrderStatus.SUBMITTED


def test_an_insertion_is_taken_back_too(desk: Desk) -> None:
    draft, order_id, sent = drafted(desk)
    draft.add("system-runner", [RunnerStopped("x", "y")])
    draft.insert(0, f"order-{order_id}", sent[0])
    assert [stream for stream, _ in draft.events] == [f"order-{order_id}", "system-runner"]
    draft.undo(0)
    assert status(draft, order_id) is OrderStatus.QUEUED


def test_nothing_is_no_change(desk: Desk) -> None:
    draft, _, _ = drafted(desk)
    draft.add("order-of-nobody", [])
    assert draft.touched == {}


def test_it_names_what_it_looked_at_and_did_not_write(desk: Desk) -> None:
    draft, order_id, sent = drafted(desk)
    account = draft.account("main")
    assert account.reservations
    draft.add(f"order-{order_id}", sent)
    assert draft.kill("main") is None
    version = desk.ledger.journal.load("account-main")[-1].envelope.version
    assert draft.while_at == {"account-main": version, "kill-main": 0}


def test_a_stream_exists_from_its_first_event_on(desk: Desk) -> None:
    draft, order_id, _ = drafted(desk)
    desk.ledger.note("system-runner", RunnerStopped("x", "y"), CAUSE)
    assert draft.exists("system-runner")
    assert draft.exists(f"order-{order_id}")
    assert not draft.exists("order-of-nobody")


def test_what_nobody_recorded_is_nothing(desk: Desk) -> None:
    draft, _, _ = drafted(desk)
    assert (draft.lane("x"), draft.cycle("x"), draft.question("x"), draft.deliberation("x")) == (None,) * 4
    assert draft.budget("main-2024-01") == BudgetState("main-2024-01")


def test_a_refused_command_among_others_leaves_nothing_behind(desk: Desk) -> None:
    desk.pin()
    order_id = desk.live("buy", "10")
    told = desk.ledger.handle_many([(cmd.CancelOrder(order_id, "a"), cmd.CancelOrder("nobodys", "b"))], CAUSE)
    assert isinstance(told[0], CancelRefused)
    assert not desk.order(order_id).cancel_requested
    with pytest.raises(CancelRefused):
        desk.give(cmd.CancelOrder("nobodys", "b"))
