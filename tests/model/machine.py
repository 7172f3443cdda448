"""The state machine: what may be asked of a journal, in any order, of every store and of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.model.plain import Events, PlainJournal, PlainView, fold
from tests.model.stores import WRITERS, Store
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import WrongVersion
from tradecore.journal.contract import Groupable
from tradecore.journal.side_store import Erased, digest_of
from tradecore.testing.journal_samples import recorded

_STREAMS = ("a", "b", "c", "d")
_SHAPE = "shape"
writers = st.integers(0, WRITERS - 1)
streams = st.sampled_from(_STREAMS)
offsets = st.sampled_from((0, 0, 0, 0, 1, -1))
"""How far from the right one an expected version or position is."""
batches = st.lists(streams, min_size=1, max_size=5)
limits = st.integers(1, 8)
places = st.sampled_from(("before_commit", "after_commit"))


class JournalMachine(RuleBasedStateMachine):
    """Takes every step on the model and on every store."""

    open_stores: Callable[[], list[Store]]
    """Opens empty stores for one example."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = PlainJournal()
        self.stores = type(self).open_stores()
        self.cursor = 0
        self.followed: list[Recorded[Event]] = []
        self._ids = 0

    def teardown(self) -> None:
        for store in self.stores:
            store.close()

    # --- appends ----------------------------------------------------------------------------------------------------

    def _event(self, stream: str, version: int) -> Recorded[Event]:
        self._ids += 1
        return recorded(stream, max(1, version), event_id=f"event-{self._ids}")

    def _events(self, wanted: list[str], offset: int = 0) -> list[Recorded[Event]]:
        """Events for these streams, all consistent with each other; the first stream's version is off by `offset`."""
        nexts = {stream: max(1, self.plain.version(stream) + 1) for stream in wanted}
        nexts[wanted[0]] = max(1, nexts[wanted[0]] + offset)
        made = []
        for stream in wanted:
            made.append(self._event(stream, nexts[stream]))
            nexts[stream] += 1
        return made

    def _append(self, writer: int, events: Events, while_at: Mapping[str, int]) -> None:
        """The same append everywhere: everyone takes it, or nobody does."""
        if not self.plain.takes(events, while_at):
            for store in self.stores:
                with pytest.raises(WrongVersion):
                    store.writers[writer].append(events, while_at)
            return
        placed = tuple(self.plain.append(events))
        for store in self.stores:
            assert store.writers[writer].append(events, while_at) == placed, store.url

    @rule(writer=writers, wanted=batches, offset=offsets)
    def append(self, writer: int, wanted: list[str], offset: int) -> None:
        self._append(writer, self._events(wanted, offset), {})

    @rule(writer=writers, wanted=batches, other=streams, offset=offsets)
    def append_while(self, writer: int, wanted: list[str], other: str, offset: int) -> None:
        if other not in wanted:
            self._append(writer, self._events(wanted), {other: max(0, self.plain.version(other) + offset)})

    @precondition(lambda self: self.plain.ids)
    @rule(writer=writers, stream=streams, data=st.data())
    def append_again(self, writer: int, stream: str, data: st.DataObject) -> None:
        """An event id that is known is refused, whatever else fits."""
        known = data.draw(st.sampled_from(sorted(self.plain.ids)))
        repeat = recorded(stream, self.plain.version(stream) + 1, event_id=known)
        self._append(writer, [repeat], {})

    @rule(writer=writers, wanted=st.lists(streams, min_size=1, max_size=4, unique=True), told=st.lists(offsets))
    def append_each(self, writer: int, wanted: list[str], told: list[int]) -> None:
        """A group: each part is taken or refused by itself."""
        parts = [
            self._events([stream, stream], offset) for stream, offset in zip(wanted, (*told, 0, 0, 0, 0), strict=False)
        ]
        expected: list[int | None] = []
        for part in parts:
            fits = self.plain.takes(part, {})
            expected.append(self.plain.append(part)[0].envelope.position if fits else None)
        for store in self.stores:
            journal = store.writers[writer]
            assert list(journal.append_each([journal.prepare(part) for part in parts])) == expected, store.url

    @rule(writer=writers, wanted=batches, place=places)
    def crash_in_append(self, writer: int, wanted: list[str], place: str) -> None:
        """Before the commit nothing happened; behind it everything did."""
        events = self._events(wanted)
        for store in self.stores:
            assert store.crash(writer, f"journal.append.{place}", lambda journal: journal.append(events)), store.url
        if place == "after_commit":
            self.plain.append(events)

    @rule(writer=writers)
    def restart(self, writer: int) -> None:
        for store in self.stores:
            store.reopen(writer)

    # --- reading ----------------------------------------------------------------------------------------------------

    @rule(writer=writers, stream=streams, after=st.integers(0, 6), limit=limits)
    def load(self, writer: int, stream: str, after: int, limit: int) -> None:
        expected = tuple(self.plain.stream(stream, after)[:limit])
        for store in self.stores:
            assert store.writers[writer].load(stream, after, limit) == expected, store.url

    @rule(writer=writers, limit=limits)
    def follow(self, writer: int, limit: int) -> None:
        """A reader with a cursor sees every event once, in order."""
        expected = tuple(self.plain.events[self.cursor : self.cursor + limit])
        for store in self.stores:
            assert store.writers[writer].read(self.cursor, limit) == expected, store.url
        self.followed += expected
        self.cursor += len(expected)
        assert self.followed == self.plain.events[: self.cursor]

    @invariant()
    def everybody_has_the_same(self) -> None:
        """All events, and the same hash over them."""
        heads = set()
        for store in self.stores:
            for journal in store.writers:
                assert journal.read(0) == tuple(self.plain.events), store.url
                heads.add(journal.head_link())
        assert len(heads) == 1
        assert heads.pop()[0] == len(self.plain.events)

    # --- views and texts --------------------------------------------------------------------------------------------

    def _fold_on(self, limit: int) -> tuple[PlainView, PlainView]:
        """The view of the streams' states as it is, and as it is after the next events."""
        before = self.plain.view("states")
        events = self.plain.events[before.position : before.position + limit]
        rows = dict(before.rows)
        for one in events:
            rows[one.envelope.stream] = fold(rows.get(one.envelope.stream, b""), [one])
        return before, PlainView(before.position + len(events), rows)

    @rule(writer=writers, limit=limits, offset=offsets)
    def move_view(self, writer: int, limit: int, offset: int) -> None:
        """Views move on from where they stand, or not at all."""
        before, after = self._fold_on(limit)
        at = max(0, before.position + offset)
        if at != before.position:
            for store in self.stores:
                with pytest.raises(WrongVersion):
                    store.writers[writer].views.write("states", _SHAPE, at, at + 1, {"x": b"never"})
            return
        for store in self.stores:
            store.writers[writer].views.write("states", _SHAPE, at, after.position, after.rows)
        self.plain.views["states"] = after

    @rule(writer=writers, limit=limits, place=places)
    def crash_in_view(self, writer: int, limit: int, place: str) -> None:
        before, after = self._fold_on(limit)

        def write(journal: Groupable) -> Any:
            journal.views.write("states", _SHAPE, before.position, after.position, after.rows)

        for store in self.stores:
            assert store.crash(writer, f"journal.view.{place}", write), store.url
        if place == "after_commit":
            self.plain.views["states"] = after

    @rule(writer=writers)
    def drop_view(self, writer: int) -> None:
        self.plain.views.pop("states", None)
        for store in self.stores:
            store.writers[writer].views.drop("states")

    @invariant()
    def a_snapshot_and_what_follows_are_the_whole(self) -> None:
        """The state that the view keeps of a stream, and the events behind it, are the state of the stream."""
        view = self.plain.view("states")
        for store in self.stores:
            for journal in store.writers:
                assert journal.views.cursor("states", _SHAPE) == view.position, store.url
                assert dict(journal.views.rows("states")) == view.rows, store.url
        for stream in _STREAMS:
            whole = self.plain.stream(stream)
            known = [one for one in whole if one.envelope.position <= view.position]
            for store in self.stores:
                kept = store.writers[0].views.row("states", stream)
                tail = store.writers[0].load(stream, len(known))
                assert fold(kept or b"", tail) == fold(b"", whole), store.url

    @rule(writer=writers, subject=st.sampled_from(("one", "two")), content=st.binary(min_size=1, max_size=3))
    def keep_text(self, writer: int, subject: str, content: bytes) -> None:
        self.plain.texts.setdefault(digest_of(content), {})[subject] = content
        for store in self.stores:
            assert store.writers[writer].texts.put(subject, "text/plain", content) == digest_of(content), store.url

    @rule(writer=writers, subject=st.sampled_from(("one", "two")))
    def erase(self, writer: int, subject: str) -> None:
        mine = [kept for kept in self.plain.texts.values() if kept.get(subject) is not None]
        for kept in mine:
            kept[subject] = None
        for store in self.stores:
            assert store.writers[writer].texts.erase(subject) == len(mine), store.url

    @invariant()
    def texts_are_there_until_they_are_erased(self) -> None:
        for digest, kept in self.plain.texts.items():
            expected = next((content for content in kept.values() if content is not None), Erased(digest))
            for store in self.stores:
                assert store.writers[-1].texts.get(digest) == expected, store.url
