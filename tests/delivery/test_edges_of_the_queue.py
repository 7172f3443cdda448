"""The queue, the waiting room and the pace of delivery, item by item."""

from __future__ import annotations

import attrs
import pytest

from tradecore.outbox import Pace
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item, WorkQueue
from tradecore.outbox.waiting import WaitingRoom
from tradecore.settings import load_settings


def item(key: str, line: str | None = None, priority: Priority = Priority.TRADE, due_at: float = 0.0) -> Item:
    return Item(key, Kind.SUBMIT, priority, line or key, due_at)


def taken(queue: WorkQueue, now: float = 0.0, *, only_urgent: bool = False) -> str | None:
    found = queue.take(now, only_urgent=only_urgent)
    return None if found is None else found.key


def queue_of(*items: Item, now: float = 0.0) -> WorkQueue:
    queue = WorkQueue()
    for each in items:
        queue.put(each, now)
    return queue


# --- lines ----------------------------------------------------------------------------------------------------------


def test_an_empty_queue_has_nothing() -> None:
    queue = WorkQueue()
    assert (taken(queue), queue.next_due(), queue.has_ready) == (None, None, False)


def test_a_line_is_taken_until_it_is_released() -> None:
    queue = queue_of(item("first", "SPY"), item("second", "SPY"))
    assert taken(queue) == "first"
    assert taken(queue) is None
    queue.release("SPY")
    assert taken(queue) == "second"


def test_what_comes_to_a_line_that_is_taken_waits_for_its_release() -> None:
    queue = queue_of(item("first", "SPY"))
    assert taken(queue) == "first"
    queue.put(item("second", "SPY"), 0.0)
    assert (taken(queue), queue.has_ready) == (None, False)
    queue.release("SPY")
    assert taken(queue) == "second"


def test_a_line_that_is_taken_holds_up_no_other() -> None:
    queue = queue_of(item("a1", "A"), item("a2", "A"), item("b1", "B"))
    assert [taken(queue), taken(queue), taken(queue)] == ["a1", "b1", None]


def test_the_more_urgent_goes_first_within_a_line_and_between_lines() -> None:
    queue = queue_of(
        item("trade", "A"),
        item("close", "A", Priority.CLOSE),
        item("cancel", "C", Priority.CANCEL),
        item("protect", "B", Priority.PROTECT),
    )
    assert [taken(queue) for _ in range(4)] == ["cancel", "close", "protect", None]
    queue.release("A")
    assert taken(queue) == "trade"


def test_the_earlier_goes_first_among_equals_and_keeps_its_number_when_it_comes_back() -> None:
    first, second = item("first", "SPY"), item("second", "SPY")
    queue = queue_of(first, second)
    assert (first.number, second.number) == (1, 2)
    assert taken(queue) == "first"
    queue.put(first, 0.0)
    queue.release("SPY")
    assert (taken(queue), first.number) == ("first", 1)


def test_an_item_that_took_the_place_of_another_has_its_number_and_both_can_stand() -> None:
    queue = WorkQueue()
    old = item("order", "SPY")
    queue.put(old, 0.0)
    new = item("order", "SPY")
    new.number = old.number
    queue.put(new, 0.0)
    old.gone = True
    assert queue.take(0.0, only_urgent=False) is new
    queue.release("SPY")
    assert taken(queue) is None


def test_with_places_kept_free_only_look_ups_and_what_is_above_them_go() -> None:
    queue = queue_of(item("look", priority=Priority.LOOK_UP), item("close", priority=Priority.CLOSE))
    assert taken(queue, only_urgent=True) == "look"
    assert taken(queue, only_urgent=True) is None
    assert queue.has_ready
    assert taken(queue) == "close"
    assert not queue.has_ready


# --- what is gone ---------------------------------------------------------------------------------------------------


def test_what_is_gone_is_passed_over_and_its_line_goes_on() -> None:
    items = [item(name, "SPY") for name in ("first", "second", "third")]
    queue = queue_of(*items, item("other", "QQQ"))
    items[0].gone = items[1].gone = True
    assert [taken(queue), taken(queue), taken(queue)] == ["third", "other", None]


def test_a_line_whose_next_is_gone_when_it_is_released_goes_on_behind_it() -> None:
    items = [item(name, "SPY") for name in ("first", "second", "third")]
    queue = queue_of(*items)
    assert taken(queue) == "first"
    items[1].gone = True
    queue.release("SPY")
    assert taken(queue) == "third"


def test_a_line_that_ran_empty_can_be_used_again() -> None:
    first = item("first", "SPY")
    queue = queue_of(first)
    first.gone = True
    assert (taken(queue), queue.has_ready) == (None, False)
    queue.put(item("second", "SPY"), 0.0)
    assert taken(queue) == "second"


def test_a_line_that_nobody_stands_in_can_be_released() -> None:
    queue = WorkQueue()
    queue.release("SPY")
    queue.put(item("first", "SPY"), 0.0)
    assert taken(queue) == "first"


# --- what is not due ------------------------------------------------------------------------------------------------


def test_an_item_stands_from_the_moment_it_is_due() -> None:
    queue = queue_of(item("late", due_at=5.0))
    assert (taken(queue, 4.9), queue.next_due(), queue.has_ready) == (None, 5.0, False)
    assert taken(queue, 5.0) == "late"
    assert queue.next_due() is None


def test_an_item_that_is_due_now_stands_at_once() -> None:
    queue = queue_of(item("now", due_at=5.0), now=5.0)
    assert queue.has_ready
    assert queue.next_due() is None


def test_waiting_holds_nobody_of_the_same_line_up() -> None:
    queue = queue_of(item("late", "SPY", due_at=5.0), item("now", "SPY"))
    assert taken(queue, 1.0) == "now"


def test_everything_that_is_due_stands_up_and_the_rest_goes_on_waiting() -> None:
    queue = queue_of(item("c", due_at=9.0), item("a", due_at=2.0), item("b", due_at=3.0))
    assert queue.next_due() == 2.0
    assert [taken(queue, 3.0), taken(queue, 3.0), taken(queue, 3.0)] == ["a", "b", None]
    assert queue.next_due() == 9.0


def test_what_is_gone_before_it_is_due_wakes_nobody() -> None:
    gone, wanted = item("gone", due_at=2.0), item("wanted", due_at=3.0)
    queue = queue_of(gone, wanted)
    gone.gone = True
    assert queue.next_due() == 3.0
    wanted.gone = True
    assert queue.next_due() is None


def test_what_is_gone_when_it_is_due_does_not_stand() -> None:
    first, gone = item("first", due_at=1.0), item("gone", due_at=2.0)
    queue = queue_of(first, gone)
    gone.gone = True
    assert [taken(queue, 3.0), taken(queue, 3.0), queue.has_ready] == ["first", None, False]


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_recorded_before_it_is_given_and_what_brings_an_order_to_the_broker(kind: Kind) -> None:
    work = Item("order", kind, Priority.TRADE, "SPY")
    assert work.is_marked is (kind in (Kind.KILL, Kind.CANCEL, Kind.SUBMIT, Kind.REPLACE))
    assert work.brings_to_broker is (kind in (Kind.SUBMIT, Kind.REPLACE))
    work.send_again = 0
    assert (work.is_marked, work.brings_to_broker) == (True, True)


def test_a_new_item_is_due_free_and_has_not_failed() -> None:
    new = Item("order", Kind.RESOLVE, Priority.LOOK_UP, "order")
    assert (new.due_at, new.number, new.busy, new.gone) == (0.0, 0, False, False)
    assert (new.failures, new.lookups, new.asked, new.first_lookup_at, new.send_again) == (0, 0, 0, None, None)


# --- the waiting room -----------------------------------------------------------------------------------------------


def room_of(*due: float) -> tuple[WaitingRoom, list[Item]]:
    room, items = WaitingRoom(), [item(f"order{number}") for number in range(len(due))]
    for number, (each, due_at) in enumerate(zip(items, due, strict=True)):
        each.number = len(due) - number
        room.put(each, due_at)
    return room, items


def test_an_empty_room_waits_for_nothing() -> None:
    room = WaitingRoom()
    assert (bool(room), len(room), room.next_due(), room.take_due(1e9), room.let_go()) == (False, 0, None, [], [])


def test_all_that_is_still_wanted_is_let_go_from_the_first_to_the_last() -> None:
    room, items = room_of(1.0, 2.0, 3.0)
    items[1].gone = True
    assert (bool(room), len(room)) == (True, 2)
    assert room.let_go() == [items[2], items[0]]
    assert (bool(room), len(room), room.next_due(), room.let_go()) == (False, 0, None, [])


def test_what_has_waited_long_enough_is_taken_once() -> None:
    room, items = room_of(3.0, 1.0, 2.0)
    assert room.next_due() == 1.0
    assert room.take_due(0.9) == []
    assert room.take_due(2.0) == [items[1], items[2]]
    assert room.take_due(2.0) == []
    assert (len(room), room.next_due()) == (1, 3.0)


def test_one_is_taken_by_its_key_and_is_not_due_any_more() -> None:
    room, items = room_of(1.0, 2.0)
    assert room.take("order0") is items[0]
    assert room.take("order0") is None
    assert room.take("nobody") is None
    assert (room.next_due(), room.take_due(5.0)) == (2.0, [items[1]])


def test_what_is_not_wanted_any_more_is_neither_taken_nor_due() -> None:
    room, items = room_of(1.0, 2.0)
    items[0].gone = items[1].gone = True
    assert room.take("order1") is None
    assert (room.next_due(), room.take_due(9.0), bool(room)) == (None, [], False)


def test_who_took_the_place_of_another_waits_in_its_own_time() -> None:
    room, items = room_of(1.0)
    new = item("order0")
    items[0].gone = True
    room.put(new, 4.0)
    assert room.next_due() == 4.0
    assert room.take("order0") is new


# --- the pace -------------------------------------------------------------------------------------------------------


class Most:
    """Draws the upper end, and remembers from what."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def uniform(self, low: float, high: float) -> float:
        self.asked.append((low, high))
        return high


SLOW = Pace(retry_initial_s=2.0, retry_max_s=60.0, retry_jitter_s=1.0)


@pytest.mark.parametrize(
    ("failures", "doubling", "linear"),
    [
        (0, 3.0, 3.0),
        (1, 5.0, 5.0),
        (2, 9.0, 7.0),
        (4, 33.0, 11.0),
        (5, 61.0, 13.0),
        (29, 61.0, 61.0),
        (5000, 61.0, 61.0),
    ],
)
def test_each_failure_makes_the_next_wait_longer_up_to_the_most(failures: int, doubling: float, linear: float) -> None:
    rng = Most()
    assert (SLOW.doubling(failures, rng), SLOW.linear(failures, rng)) == (doubling, linear)
    assert rng.asked == [(0.0, 1.0), (0.0, 1.0)]


def test_the_wish_of_the_broker_counts_when_it_is_longer() -> None:
    rng = Most()
    assert SLOW.doubling(0, rng, 100.0) == 101.0
    assert SLOW.doubling(3, rng, 0.5) == 17.0


def test_the_standard_pace_is_what_the_settings_promise() -> None:
    told = load_settings(None, {}).delivery
    standard = attrs.asdict(Pace())
    shared = {name: value for name, value in standard.items() if hasattr(told, name)}
    assert shared
    assert shared == {name: getattr(told, name) for name in shared}
