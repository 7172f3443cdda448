"""From the log to a bus: everything, in order, at least once, also across a kill between the bus and the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from tests.ledger.desk import Desk
from tradecore.errors import BusUnavailable, InputError
from tradecore.journal import Journal, open_journal
from tradecore.ports.bus import Publication
from tradecore.publishing.in_process import InProcessBus
from tradecore.publishing.publisher import Publisher


class Heard:
    """A bus that remembers, and fails when told."""

    def __init__(self) -> None:
        self.batches: list[tuple[Publication, ...]] = []
        self.failures = 0

    @property
    def positions(self) -> list[int]:
        return [int(one.metadata["position"]) for batch in self.batches for one in batch]

    async def publish(self, publications: tuple[Publication, ...]) -> None:
        if self.failures:
            self.failures -= 1
            raise BusUnavailable("the bus is down")
        self.batches.append(publications)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(open_journal(url)) as opened:
        yield opened


def traded(journal: Journal, orders: int) -> Desk:
    desk = Desk.over(journal)
    for _ in range(orders):
        order = desk.place("buy", "10", "AAPL")
        desk.send(order)
        desk.answer(order)
    return desk


def test_everything_is_published_once_in_the_order_of_the_log(journal: Journal) -> None:
    traded(journal, 3)
    bus = Heard()
    publisher = Publisher(journal, bus, "test", batch=4)
    assert anyio.run(publisher.catch_up) == journal.head() == publisher.position
    assert bus.positions == list(range(1, journal.head() + 1))
    assert anyio.run(publisher.catch_up) == journal.head()
    assert len(bus.positions) == journal.head(), "what was handed on is not handed on again"


def test_another_process_goes_on_where_the_last_one_stopped(journal: Journal) -> None:
    desk = traded(journal, 1)
    anyio.run(Publisher(journal, Heard(), "test").catch_up)
    before = journal.head()
    desk.place("buy", "1", "MSFT")
    bus = Heard()
    anyio.run(Publisher(journal, bus, "test").catch_up)
    assert bus.positions == list(range(before + 1, journal.head() + 1))


def test_killed_between_the_bus_and_the_cursor_the_batch_is_handed_on_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    traded(journal, 2)

    class Killed(BaseException):
        pass

    def die(name: str) -> None:
        if name == "publisher.cursor.before":
            raise Killed

    bus = Heard()
    monkeypatch.setattr("tradecore.publishing.publisher.failpoint", die)
    with pytest.raises(Killed):
        anyio.run(Publisher(journal, bus, "test", batch=5).catch_up)
    monkeypatch.undo()
    anyio.run(Publisher(journal, bus, "test", batch=5).catch_up)
    ids = [one.event_id for batch in bus.batches for one in batch]
    assert ids[:5] == ids[5:10], "the batch of the kill comes again, under the same ids"
    assert sorted(set(bus.positions)) == list(range(1, journal.head() + 1)), "and nothing is skipped"


def test_a_bus_that_is_down_loses_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    traded(journal, 2)
    monkeypatch.setattr("tradecore.publishing.publisher._RETRY_S", (0.0,))
    bus = Heard()
    bus.failures = 3

    async def run() -> None:
        publisher = Publisher(journal, bus, "test")
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(publisher.run)
                while publisher.position < journal.head():  # noqa: ASYNC110
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()

    anyio.run(run)
    assert bus.positions == list(range(1, journal.head() + 1))


def test_only_wanted_types_are_published_and_the_cursor_moves_over_the_rest(journal: Journal) -> None:
    traded(journal, 2)
    bus = Heard()
    assert anyio.run(Publisher(journal, bus, "test", prefixes=("trade.order.",)).catch_up) == journal.head()
    assert {one.type.rsplit(".", 1)[0] for batch in bus.batches for one in batch} == {"trade.order"}


def test_a_reader_from_now_on_hears_no_past(journal: Journal) -> None:
    desk = traded(journal, 2)
    bus = Heard()
    publisher = Publisher(journal, bus, "late", from_now=True)
    anyio.run(publisher.catch_up)
    assert bus.batches == []
    desk.place("buy", "1", "MSFT")
    anyio.run(publisher.catch_up)
    assert bus.positions[-1] == journal.head()


def test_two_names_have_two_cursors_and_two_of_one_name_skip_nothing(journal: Journal) -> None:
    traded(journal, 4)
    one, other = Heard(), Heard()
    first, twin = Publisher(journal, one, "test", batch=3), Publisher(journal, other, "test", batch=4)
    anyio.run(Publisher(journal, Heard(), "somebody_else").catch_up)

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(first.catch_up)
            group.start_soon(twin.catch_up)

    anyio.run(both)
    assert sorted({*one.positions, *other.positions}) == list(range(1, journal.head() + 1))


@pytest.mark.parametrize("name", ["", "a b", "ü", "a-b"])
def test_a_name_that_is_no_word_is_refused(journal: Journal, name: str) -> None:
    traded(journal, 1)
    with pytest.raises(InputError, match="publisher name"):
        Publisher(journal, Heard(), name)


def test_subscribers_hear_what_they_asked_for_in_order(journal: Journal) -> None:
    traded(journal, 2)

    async def run() -> tuple[list[str], list[str]]:
        bus = InProcessBus()
        with bus.subscribe("trade.order.") as orders, bus.subscribe() as everything:
            await Publisher(journal, bus, "test").catch_up()
            heard = [(await anext(orders)).type for _ in range(4)]
            return heard, [(await anext(everything)).type for _ in range(3)]

    orders, everything = anyio.run(run)
    assert orders == ["trade.order.planned", "trade.order.queued", "trade.order.submitted", "trade.order.accepted"]
    assert everything[0] == "system.ledger.created"


def test_a_slow_subscriber_holds_the_publisher_back_and_one_that_left_does_not(journal: Journal) -> None:
    traded(journal, 3)

    async def run() -> None:
        bus = InProcessBus(capacity=2)
        slow, gone = bus.subscribe(), bus.subscribe()
        gone.close()
        publisher = Publisher(journal, bus, "test", batch=2)
        async with anyio.create_task_group() as group:
            group.start_soon(publisher.catch_up)
            await anyio.wait_all_tasks_blocked()
            assert publisher.position <= 2, "what nobody took is not counted as handed on"
            for position in range(1, journal.head() + 1):
                with anyio.fail_after(5):
                    assert (await anext(slow)).metadata["position"] == position
        assert publisher.position == journal.head()
        slow.close()

    anyio.run(run)
