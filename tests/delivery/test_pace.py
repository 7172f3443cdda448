"""How often, how soon and in which order work is tried: the figures that are promised, and what is made of them."""

from __future__ import annotations

import random

import attrs
import pytest

from tradecore.domain.work import CANCEL_ATTEMPTS, SUBMIT_ATTEMPTS
from tradecore.outbox import Pace
from tradecore.outbox.needs import Kind, Priority
from tradecore.outbox.queue import Item, WorkQueue
from tradecore.settings import load_settings
from tradecore_alpaca.breaker import Trip


@attrs.frozen
class Share:
    """Chance that always falls on the same part of a range."""

    of: float

    def uniform(self, low: float, high: float) -> float:
        return low + self.of * (high - low)


NEVER, ALWAYS = Share(0.0), Share(1.0)


def test_the_defaults_are_those_that_are_promised() -> None:
    settings = load_settings(None)
    delivery = settings.delivery
    assert (SUBMIT_ATTEMPTS, CANCEL_ATTEMPTS) == (5, 3)
    assert (delivery.retry_initial_s, delivery.retry_jitter_s, delivery.max_concurrent) == (2.0, 1.0, 5)
    assert settings.broker.requests_per_minute == 180
    assert Trip() == Trip(failures=5, window_s=60.0, open_s=30.0)
    assert delivery.reconcile_every_s == 30.0


def test_a_submit_waits_twice_as_long_each_time_and_up_to_a_second_more() -> None:
    pace = Pace()
    assert [pace.doubling(failures, NEVER) for failures in range(4)] == [2.0, 4.0, 8.0, 16.0]
    assert [pace.doubling(failures, ALWAYS) for failures in range(4)] == [3.0, 5.0, 9.0, 17.0]
    assert pace.doubling(1_000, NEVER) == pace.retry_max_s
    chances = {pace.doubling(0, random.Random(seed)) for seed in range(20)}
    assert len(chances) == 20, "whoever failed together does not come back together"


def test_a_cancel_waits_a_little_longer_each_time() -> None:
    assert [Pace().linear(failures, NEVER) for failures in range(3)] == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(("wish_s", "waits_s"), [(None, 2.0), (0.5, 2.0), (30.0, 30.0), (600.0, 600.0)])
def test_the_brokers_wish_is_waited_for_when_it_is_longer(wish_s: float | None, waits_s: float) -> None:
    assert Pace().doubling(0, NEVER, wish_s) == waits_s


def test_what_goes_first() -> None:
    queue = WorkQueue()
    submits = (Priority.TRADE, Priority.PROTECT, Priority.CLOSE)
    items = [Item(f"submit {one.name}", Kind.SUBMIT, one, one.name) for one in submits]
    items.append(Item("look-up", Kind.RESOLVE, Priority.LOOK_UP, "look-up"))
    items.append(Item("cancel", Kind.CANCEL, Priority.CANCEL, "cancel"))
    items.append(Item("kill", Kind.KILL, Priority.KILL, "kill"))
    for item in items:
        queue.put(item, 0.0)
    taken = [one.key for _ in items if (one := queue.take(0.0, only_urgent=False)) is not None]
    assert taken == ["kill", "cancel", "look-up", "submit CLOSE", "submit PROTECT", "submit TRADE"]


def test_the_place_that_is_kept_is_for_what_is_urgent() -> None:
    queue = WorkQueue()
    queue.put(Item("submit", Kind.SUBMIT, Priority.CLOSE, "AAA"), 0.0)
    assert queue.take(0.0, only_urgent=True) is None
    queue.put(Item("cancel", Kind.CANCEL, Priority.CANCEL, "one"), 0.0)
    urgent = queue.take(0.0, only_urgent=True)
    assert urgent is not None
    assert urgent.key == "cancel"
