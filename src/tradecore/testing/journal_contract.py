"""What every journal must do, as tests. Subclass `JournalContract`, override its fixtures, and pytest does the rest.

::

    class TestMyJournal(JournalContract):
        @pytest.fixture
        def journal(self) -> Iterator[Journal]: ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tradecore.domain.events import EVENTS, AlertTriggered
from tradecore.errors import InputError, StoreUnavailable, WrongVersion
from tradecore.journal.contract import Journal
from tradecore.testing.chain_contract import ChainContract, Reopen
from tradecore.testing.journal_samples import recorded, run, sample, without_positions
from tradecore.testing.views_contract import ViewStoreContract
from tradecore.testing.waiting_contract import WaitingContract

__all__ = ["JournalContract", "Reopen"]


class JournalContract(ChainContract, ViewStoreContract, WaitingContract):
    """The promises of `tradecore.journal.contract`."""

    @pytest.fixture
    def journal(self) -> Iterator[Journal]:
        """An empty journal. To be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def reopen(self) -> Reopen | None:
        """Closes a journal and opens it again; None where a journal ends with its process."""
        return None

    def test_a_new_ledger_is_empty(self, journal: Journal) -> None:
        assert (journal.head(), journal.read(0), journal.load("a")) == (0, (), ())

    def test_append_gives_positions_and_changes_nothing_else(self, journal: Journal) -> None:
        events = [*run("a", 1, 2), *run("b", 1, 1)]
        first = journal.append(events)
        second = journal.append(run("a", 3, 3))
        assert [item.envelope.position for item in first + second] == [1, 2, 3, 4]
        assert without_positions(first) == events
        assert journal.read(0) == first + second
        assert journal.head() == 4

    def test_an_append_of_nothing_does_nothing(self, journal: Journal) -> None:
        assert journal.append([]) == ()
        assert journal.head() == 0

    def test_streams_may_alternate_within_an_append(self, journal: Journal) -> None:
        events = [recorded("a", 1), recorded("b", 1), recorded("a", 2), recorded("b", 2)]
        journal.append(events)
        assert without_positions(journal.load("a")) == events[::2]
        assert without_positions(journal.read(0)) == events

    @pytest.mark.parametrize("version", [1, 2, 4, 9])
    def test_a_stream_at_another_version_refuses_the_whole_append(self, journal: Journal, version: int) -> None:
        before = journal.append(run("b", 1, 2))
        with pytest.raises(WrongVersion):
            journal.append([*run("a", 1, 3), recorded("b", version), recorded("c", 1)])
        assert journal.read(0) == before
        after = journal.append([*run("a", 1, 3), recorded("b", 3)])
        assert [item.envelope.position for item in after] == [3, 4, 5, 6]

    def test_an_append_that_relies_on_a_stream_is_refused_when_that_moved_on(self, journal: Journal) -> None:
        journal.append([recorded("relied-on", 1)])
        journal.append([recorded("s", 1)], {"relied-on": 1, "never-begun": 0})
        for moved in ({"relied-on": 0}, {"relied-on": 2}, {"never-begun": 1}):
            with pytest.raises(WrongVersion):
                journal.append([recorded("s", 2)], moved)
        assert journal.head() == 2

    def test_a_stream_begins_with_version_one(self, journal: Journal) -> None:
        with pytest.raises(WrongVersion):
            journal.append(run("a", 2, 3))
        assert journal.head() == 0

    def test_an_event_id_is_known_for_ever(self, journal: Journal) -> None:
        before = journal.append([recorded("a", 1, event_id="same")])
        with pytest.raises(WrongVersion):
            journal.append([recorded("b", 1), recorded("c", 1, event_id="same")])
        with pytest.raises(WrongVersion):
            journal.append([recorded("b", 1, event_id="twin"), recorded("b", 2, event_id="twin")])
        assert journal.read(0) == before

    def test_versions_and_positions_are_the_callers_duty(self, journal: Journal) -> None:
        placed = recorded("a", 1)
        placed = msgspec.structs.replace(placed, envelope=msgspec.structs.replace(placed.envelope, position=7))
        for events in ([recorded("a", 1), recorded("a", 3)], [recorded("a", 2), recorded("a", 1)], [placed]):
            with pytest.raises(AssertionError):
                journal.append(events)
        assert journal.head() == 0

    def test_an_event_that_would_not_come_back_is_not_taken(self, journal: Journal) -> None:
        for message in (7, None, b"bytes", "\ud800"):
            bad = AlertTriggered(kind="kind", message=message)  # type: ignore[arg-type]
            with pytest.raises(InputError):
                journal.append([recorded("a", 1), recorded("a", 2, bad)])
        assert journal.head() == 0

    def test_reading_goes_on_page_by_page(self, journal: Journal) -> None:
        events = journal.append(run("a", 1, 25))
        seen = [*journal.read(0, 10), *journal.read(10, 10), *journal.read(20, 10)]
        assert tuple(seen) == events
        assert journal.read(25) == journal.read(99) == ()

    def test_what_is_fresh_is_what_would_be_read(self, journal: Journal) -> None:
        for number in range(30):
            journal.append(run(f"stream{number}", 1, 1 + number % 3))
        everything = journal.read(0)
        for after in range(len(everything) + 2):
            fresh = journal.fresh(after)
            assert fresh == journal.read(after, len(fresh))
        assert journal.fresh(journal.head()) == ()

    def test_loading_begins_behind_a_version(self, journal: Journal) -> None:
        events = journal.append(run("a", 1, 5))
        journal.append(run("b", 1, 5))
        assert journal.load("a") == events
        assert journal.load("a", 3) == events[3:]
        assert journal.load("a", 5) == ()
        assert journal.load("a", 1, 2) == events[1:3]
        assert journal.load("a", 3, 9) == events[3:]
        assert journal.load("a", 0, 0) == ()

    @pytest.mark.parametrize("name", sorted(EVENTS))
    def test_every_event_comes_back_as_it_was(self, journal: Journal, name: str) -> None:
        full, sparse = sample(EVENTS[name]), sample(EVENTS[name], with_optional=False)
        events = [recorded("a", 1, full), recorded("a", 2, sparse)]
        journal.append(events)
        loaded = journal.load("a")
        assert without_positions(loaded) == events
        assert [repr(item.event) for item in loaded] == [repr(full), repr(sparse)]

    def test_of_many_threads_one_wins_each_version(self, journal: Journal) -> None:
        start = threading.Barrier(8)

        def race(number: int) -> list[int]:
            won = []
            start.wait()
            for version in range(1, 26):
                try:
                    won += [
                        e.envelope.position
                        for e in journal.append([recorded("a", version), *run(f"{number}-{version}", 1, 2)])
                    ]
                except WrongVersion:
                    assert journal.load(f"{number}-{version}") == ()
            return won

        with ThreadPoolExecutor(8) as pool:
            positions = sorted(position for won in pool.map(race, range(8)) for position in won)
        assert positions == list(range(1, 76))
        assert [item.envelope.version for item in journal.load("a")] == list(range(1, 26))

    def test_a_sound_ledger_passes_its_check(self, journal: Journal) -> None:
        journal.check()
        journal.append([*run("a", 1, 3), *run("b", 1, 2)])
        journal.views.write("view", "shape", 0, 5, {"key": b"value"})
        journal.check()

    def test_a_closed_journal_refuses(self, journal: Journal) -> None:
        views = journal.views
        journal.close()
        journal.close()
        for refused in (
            lambda: journal.append(run("a", 1, 1)),
            journal.head,
            journal.head_link,
            lambda: journal.links(0, 1),
            lambda: journal.read(0),
            lambda: journal.load("a"),
            lambda: views.cursor("view", "shape"),
            lambda: views.write("view", "shape", 0, 1, {}),
        ):
            with pytest.raises(StoreUnavailable):
                refused()

    def test_everything_is_there_after_a_restart(self, journal: Journal, reopen: Reopen | None) -> None:
        if reopen is None:
            pytest.skip("this journal ends with its process")
        events = journal.append([*run("a", 1, 3), *run("b", 1, 2)])
        journal.views.write("view", "shape", 0, 4, {"key": b"value"})
        again = reopen(journal)
        assert again.read(0) == events
        assert (again.views.cursor("view", "shape"), list(again.views.rows("view"))) == (4, [("key", b"value")])
        assert again.append(run("a", 4, 4))[0].envelope.position == 6
