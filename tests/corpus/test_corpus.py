"""Every event that ever shipped is readable, and every event that ships is in the corpus."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from tests.corpus.add import add, main
from tests.corpus.entries import FOLDER, Entry, load, make
from tests.corpus.rules import complaints
from tradecore.domain.events import EVENTS, Event
from tradecore.domain.values import Side
from tradecore.journal.codec import Codec
from tradecore.journal.upcasting import UPCASTERS, Upcasters

NONE = Upcasters()


def test_every_event_that_ever_shipped_is_read_as_it_was_written() -> None:
    assert complaints(EVENTS, UPCASTERS, load().values()) == []


def test_files_are_named_for_what_they_hold() -> None:
    assert all(path.name.startswith(f"{entry.name}.v{entry.schema}.") for path, entry in load().items())


class Bought(Event, frozen=True):
    NAME = "test.thing.bought"
    thing: str
    side: Side
    note: str | None = None


def with_class(event_class: type[Event]) -> dict[str, type[Event]]:
    return {event_class.NAME: event_class}


@pytest.fixture
def shipped() -> Entry:
    return make(Bought, Codec(with_class(Bought), NONE))


def told(event_class: type[Event], entry: Entry, upcasters: Upcasters = NONE) -> str:
    return " / ".join(complaints(with_class(event_class), upcasters, [entry]))


def test_what_has_shipped_and_did_not_change_is_fine(shipped: Entry) -> None:
    assert told(Bought, shipped) == ""


def test_an_event_without_an_entry_is_noticed() -> None:
    (only,) = complaints(with_class(Bought), NONE, [])
    assert "has no entry" in only
    assert "tests.corpus.add test.thing.bought" in only


def test_an_event_that_disappeared_is_noticed(shipped: Entry) -> None:
    found = complaints({}, NONE, [shipped])
    assert all("cannot be read any more" in text for text in found)
    assert found


def test_a_removed_field_is_noticed(shipped: Entry) -> None:
    class Changed(Event, frozen=True):
        NAME = Bought.NAME
        thing: str
        side: Side

    Changed.__name__ = "Bought"
    assert "changed note without a new schema version" in told(Changed, shipped)


def test_another_type_is_noticed_also_when_it_reads(shipped: Entry) -> None:
    class Changed(Event, frozen=True):
        NAME = Bought.NAME
        thing: str
        side: str
        note: str | None = None

    Changed.__name__ = "Bought"
    assert "changed side without a new schema version" in told(Changed, shipped)


def test_a_demanded_field_is_noticed(shipped: Entry) -> None:
    class Changed(Event, frozen=True):
        NAME = Bought.NAME
        thing: str
        side: Side
        price: str
        note: str | None = None

    Changed.__name__ = "Bought"
    assert "changed price without a new schema version" in told(Changed, shipped)


def test_a_name_that_now_means_something_else_is_noticed(shipped: Entry) -> None:
    class Sold(Event, frozen=True):
        NAME = Bought.NAME
        thing: str
        side: Side
        note: str | None = None

    assert "is used for something else" in told(Sold, shipped)


def test_a_lost_word_is_noticed(shipped: Entry) -> None:
    longer = attrs.evolve(shipped, words={"Side": ["buy", "sell", "short"]})
    assert "lost the words short of Side" in told(Bought, longer)


def test_a_changed_default_of_a_stored_field_is_harmless_and_another_reading_is_not(shipped: Entry) -> None:
    example = dict(shipped.examples[0])
    example["reads"] = {"test.thing.bought/1": {"thing": "other", "side": {"Side": "buy"}, "note": None}}
    assert "thing reads as" in told(Bought, attrs.evolve(shipped, examples=[example]))


class BoughtWithMood(Event, frozen=True):
    NAME = Bought.NAME
    thing: str
    side: Side
    note: str | None = None
    mood: str = "none"


BoughtWithMood.__name__ = "Bought"


def test_a_new_optional_field_is_compatible_and_wants_an_entry(tmp_path: Path) -> None:
    assert len(add(Bought, Codec(with_class(Bought), NONE), tmp_path)) == 1
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    events = with_class(BoughtWithMood)
    (only,) = complaints(events, NONE, load(tmp_path).values())
    assert "optional fields that no entry has" in only
    add(BoughtWithMood, Codec(events, NONE), tmp_path)
    assert complaints(events, NONE, load(tmp_path).values()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"test.thing.bought.v1.json", "test.thing.bought.v1.2.json"}
    assert all(path.read_bytes() == content for path, content in before.items())


class Bought2(Event, frozen=True):
    NAME = Bought.NAME
    SCHEMA = 2
    item: str
    side: Side
    note: str | None = None


Bought2.__name__ = "Bought"


def test_a_new_schema_wants_a_way_up_and_both_entries_stay(tmp_path: Path) -> None:
    add(Bought, Codec(with_class(Bought), NONE), tmp_path)
    events = with_class(Bought2)
    assert any("no upcaster leads to schema 2" in text for text in complaints(events, NONE, load(tmp_path).values()))

    upcasters = Upcasters()
    upcasters.register(
        Bought.NAME, 1, lambda data: {"item": data["thing"], "side": data["side"]}, renamed={"thing": "item"}
    )
    codec = Codec(events, upcasters)
    assert len(add(Bought2, codec, tmp_path)) == 2
    assert add(Bought2, codec, tmp_path) == []
    (only,) = set(complaints(events, upcasters, load(tmp_path).values()))
    assert only == "the step from test.thing.bought schema 1 loses note"


def test_an_entry_that_somebody_removed_is_missed(shipped: Entry) -> None:
    upcasters = Upcasters()
    upcasters.register(Bought.NAME, 1, lambda data: data)
    newest = make(Bought2, Codec(with_class(Bought2), upcasters))
    assert "has a way up and no entry" in told(Bought2, newest, upcasters)


def test_an_entry_is_never_overwritten(tmp_path: Path) -> None:
    events = with_class(Bought)
    (path,) = add(Bought, Codec(events, NONE), tmp_path)
    written = path.read_bytes()
    assert main([Bought.NAME], events, tmp_path) == 0
    assert path.read_bytes() == written
    path.write_bytes(written.replace(b'"thing": "str"', b'"thing": "int"'))
    add(Bought, Codec(events, NONE), tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    assert b'"thing": "int"' in path.read_bytes()


def test_the_command_adds_nothing_to_a_complete_corpus(tmp_path: Path) -> None:
    corpus = shutil.copytree(FOLDER, tmp_path / "corpus")
    before = {path: path.read_bytes() for path in corpus.glob("*.json")}
    assert main(["--all"], folder=corpus) == 0
    assert {path: path.read_bytes() for path in corpus.glob("*.json")} == before


def test_the_command_knows_no_other_names() -> None:
    command = [sys.executable, "-m", "tests.corpus.add", "trade.order.teleported"]
    done = subprocess.run(command, cwd=FOLDER.parents[1], check=False, capture_output=True)
    assert done.returncode == 2
    assert b"trade.order.teleported" in done.stdout
    assert main([]) == 2
