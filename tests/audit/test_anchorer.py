"""When the anchorer anchors, and what it refuses to anchor."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import attrs
import pytest

from tests.audit.forger import Forger
from tests.ledger.desk import Desk, StillClock
from tradecore.audit.anchorer import Anchorer
from tradecore.audit.chain_check import check_chain
from tradecore.errors import CorruptLedger, StoreUnavailable
from tradecore.journal import open_journal
from tradecore.ports.anchor import Anchor
from tradecore.testing.journal_samples import run


@attrs.define
class Shelf:
    """Keeps anchors in memory, or refuses to."""

    kept: list[Anchor] = attrs.field(factory=list)
    full: bool = False

    def record(self, anchor: Anchor) -> None:
        if self.full:
            raise StoreUnavailable("the shelf is full")
        self.kept.append(anchor)


@attrs.define
class Scene:
    """A ledger that grows, and the time."""

    desk: Desk = attrs.field(factory=Desk.in_memory)
    clock: StillClock = attrs.field(factory=StillClock)
    shelf: Shelf = attrs.field(factory=Shelf)

    def anchorer(self, known: tuple[Anchor, ...] = ()) -> Anchorer:
        return Anchorer(self.desk.ledger.journal, self.shelf, self.clock, known, every_events=10, every_s=60)

    def grow(self, name: str, events: int) -> None:
        self.desk.ledger.journal.append(run(name, 1, events))

    def wait(self, seconds: float) -> None:
        self.clock.at += dt.timedelta(seconds=seconds)


def test_it_is_due_after_so_many_events() -> None:
    scene = Scene()
    anchorer = scene.anchorer()
    anchorer.anchor()
    scene.grow("a", 9)
    assert anchorer.step() is None
    scene.grow("b", 1)
    made = anchorer.step()
    assert made is not None
    assert made.position == scene.desk.ledger.journal.head()
    assert anchorer.step() is None
    assert scene.shelf.kept[1:] == [made]


def test_it_is_due_after_so_many_seconds_when_there_is_anything() -> None:
    scene = Scene()
    anchorer = scene.anchorer()
    anchorer.anchor()
    scene.wait(1000)
    assert anchorer.step() is None, "nothing happened since"
    scene.grow("a", 1)
    assert anchorer.step() is not None, "the last anchor is long ago"
    scene.grow("b", 1)
    scene.wait(59.9)
    assert anchorer.step() is None
    scene.wait(0.1)
    assert anchorer.step() is not None


def test_anchors_tell_position_link_root_and_time_and_hold() -> None:
    scene = Scene()
    anchorer = scene.anchorer()
    for number in range(5):
        scene.grow(f"s-{number}", number + 1)
        scene.wait(1)
        made = anchorer.anchor()
        assert (made.position, made.chain) == scene.desk.ledger.journal.head_link()
        assert (made.ledger_id, made.recorded_at) == (scene.desk.ledger.ledger_id, scene.clock.at)
    assert check_chain(scene.desk.ledger.journal, scene.shelf.kept) == []


def test_an_anchor_that_could_not_be_kept_is_made_again() -> None:
    scene = Scene()
    anchorer = scene.anchorer()
    scene.grow("a", 20)
    scene.shelf.full = True
    with pytest.raises(StoreUnavailable):
        anchorer.step()
    scene.shelf.full = False
    assert anchorer.step() is not None
    assert check_chain(scene.desk.ledger.journal, scene.shelf.kept) == []


def test_a_new_anchorer_goes_on_from_the_known_anchors() -> None:
    scene = Scene()
    scene.grow("a", 20)
    first = scene.anchorer().anchor()
    again = scene.anchorer((first,))
    assert not again.due()
    scene.grow("b", 10)
    assert again.step() is not None


@pytest.mark.parametrize("field", ["chain", "root", "ledger_id", "position"])
def test_a_ledger_that_is_not_what_was_anchored_is_not_anchored(field: str) -> None:
    scene = Scene()
    scene.grow("a", 20)
    first = scene.anchorer().anchor()
    others: dict[str, Any] = {"chain": b"\0" * 32, "root": b"\0" * 32, "ledger_id": "x", "position": 999}
    wrong = attrs.evolve(first, **{field: others[field]})
    with pytest.raises(CorruptLedger, match="not anchored"):
        scene.anchorer((wrong,)).anchor()
    assert scene.shelf.kept == [first]


def test_a_ledger_that_became_shorter_is_due_and_refused(forger: Forger) -> None:
    shelf = Shelf()
    with closing(open_journal(forger.url)) as journal:
        anchorer = Anchorer(journal, shelf, StillClock())
        anchorer.anchor()
        forger.cut(10)
        assert anchorer.due()
        with pytest.raises(CorruptLedger, match="no longer there"):
            anchorer.step()
    assert len(shelf.kept) == 1


def test_a_broken_chain_is_not_anchored(forger: Forger) -> None:
    forger.run("UPDATE events SET chain = zeroblob(32) WHERE position = 9")
    with pytest.raises(CorruptLedger, match="not anchored: chain, event 9"):
        forger.anchor()
    assert not forger.file.path.exists()


def test_an_empty_ledger_has_nothing_to_anchor() -> None:
    shelf = Shelf()
    with pytest.raises(CorruptLedger, match="nothing to anchor"):
        Anchorer(open_journal("memory:"), shelf, StillClock()).anchor()
