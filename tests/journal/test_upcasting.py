"""Events of older shapes are read in the newest one; what is stored stays as it is."""

from __future__ import annotations

import msgspec
import pytest

from tradecore.domain.events import EVENTS, AlertTriggered, Event
from tradecore.domain.messages import Recorded
from tradecore.errors import CorruptLedger, NewerLedger
from tradecore.journal.codec import Codec
from tradecore.journal.upcasting import UPCASTERS, Data, Upcasters, lost_fields
from tradecore.testing.journal_samples import recorded


class Greeted1(Event, frozen=True):
    NAME = "test.person.greeted"
    who: str
    words: str


class Greeted3(Event, frozen=True):
    NAME = "test.person.greeted"
    SCHEMA = 3
    name: str
    words: tuple[str, ...]


class Welcomed4(Event, frozen=True):
    NAME = "test.person.welcomed"
    SCHEMA = 4
    name: str
    words: tuple[str, ...]
    warmly: bool


def rename_who(data: Data) -> Data:
    data["name"] = data.pop("who")
    return data


def split_words(data: Data) -> Data:
    return {**data, "words": data["words"].split()}


def add_warmth(data: Data) -> Data:
    return {**data, "warmly": False}


def steps(upto: int) -> Upcasters:
    found = Upcasters()
    found.register("test.person.greeted", 1, rename_who, renamed={"who": "name"})
    found.register("test.person.greeted", 2, split_words)
    if upto == 4:
        found.register("test.person.greeted", 3, add_warmth, into="test.person.welcomed")
    return found


def codec(*classes: type[Event], upcasters: Upcasters | None = None) -> Codec:
    return Codec({item.NAME: item for item in classes}, upcasters or Upcasters())


def row_of(event: Event) -> tuple[int, str, int, str, bytes]:
    """As an earlier release stored it."""
    return 9, "person-1", 4, event.NAME, codec(type(event)).encode(recorded("person-1", 4, event))


OLD = row_of(Greeted1("Ada", "good day"))


def changed(row: tuple[int, str, int, str, bytes], old: bytes, new: bytes) -> tuple[int, str, int, str, bytes]:
    assert old in row[4]
    return *row[:4], row[4].replace(old, new)


def test_two_steps_lead_from_the_first_schema_to_the_third() -> None:
    read = codec(Greeted3, upcasters=steps(3)).decode(OLD)
    assert read.event == Greeted3("Ada", ("good", "day"))
    assert (read.envelope.name, read.envelope.schema, read.envelope.position) == ("test.person.greeted", 3, 9)


def test_the_chain_begins_where_the_event_is() -> None:
    middle = changed(changed(OLD, b'"who"', b'"name"'), b'"v":1', b'"v":2')
    assert codec(Greeted3, upcasters=steps(3)).decode(middle).event == Greeted3("Ada", ("good", "day"))


def test_an_event_that_got_another_name_is_read_under_the_new_one() -> None:
    known = codec(Welcomed4, upcasters=steps(4))
    for row in (OLD, row_of(Greeted3("Ada", ("good", "day")))):
        read = known.decode(row)
        assert read.event == Welcomed4("Ada", ("good", "day"), warmly=False)
        assert (read.envelope.name, read.envelope.schema) == ("test.person.welcomed", 4)


def test_an_old_state_that_would_fit_the_new_class_is_upcast_all_the_same() -> None:
    class Louder(Event, frozen=True):
        NAME = "test.person.greeted"
        SCHEMA = 2
        who: str
        words: str

    shout = Upcasters()
    shout.register("test.person.greeted", 1, lambda data: {**data, "words": data["words"].upper()})
    assert codec(Louder, upcasters=shout).decode(OLD).event == Louder("Ada", "GOOD DAY")


def test_everything_else_of_the_envelope_stays() -> None:
    before = codec(Greeted1).decode(OLD).envelope
    after = codec(Welcomed4, upcasters=steps(4)).decode(OLD).envelope
    assert msgspec.structs.replace(after, name=before.name, schema=before.schema) == before


def test_a_schema_beyond_the_newest_is_a_newer_ledgers() -> None:
    newer = changed(OLD, b'"v":1', b'"v":5')
    for known in (codec(Greeted3, upcasters=steps(3)), codec(Welcomed4, upcasters=steps(4))):
        with pytest.raises(NewerLedger, match="schema 5"):
            known.decode(newer)


def test_an_old_schema_without_a_step_is_corrupt_and_says_so() -> None:
    with pytest.raises(CorruptLedger, match="position 9"):
        codec(Greeted3).decode(OLD)


def test_a_step_into_a_name_that_is_not_known_is_corrupt() -> None:
    with pytest.raises(CorruptLedger, match="position 9"):
        codec(Greeted3, upcasters=steps(4)).decode(OLD)


@pytest.mark.parametrize("data", [b'{"who":"Ada"}', b"{}", b"[]", b"7", b'{"who":7,"words":"good day"}'])
def test_old_data_that_a_step_was_not_made_for_is_corrupt(data: bytes) -> None:
    broken = changed(OLD, b'{"who":"Ada","words":"good day"}', data)
    with pytest.raises(CorruptLedger, match="position 9"):
        codec(Greeted3, upcasters=steps(3)).decode(broken)


def test_steps_do_not_change_what_they_are_given() -> None:
    data = {"who": "Ada", "words": "good day"}
    steps(4).upcast("test.person.greeted", 1, data)
    assert data == {"who": "Ada", "words": "good day"}


def test_two_ways_from_one_version_are_a_mistake() -> None:
    with pytest.raises(AssertionError):
        steps(3).register("test.person.greeted", 1, rename_who)


def test_a_field_that_a_step_drops_by_mistake_is_noticed() -> None:
    careless = Upcasters()
    careless.register("test.person.greeted", 1, lambda data: {"name": data["who"]}, renamed={"who": "name"})
    careless.register("test.person.greeted", 2, lambda data: {}, dropped={"name": "it was never right"})
    first, second = careless.steps()
    assert lost_fields(first, {"who": "Ada", "words": "good day"}) == {"words"}
    assert lost_fields(second, {"name": "Ada"}) == set()
    honest = [lost_fields(step, {"who": "Ada", "name": "Ada", "words": "good day"}) for step in steps(4).steps()]
    assert honest == [set(), set(), set()]


class Greeted1WithMood(Event, frozen=True):
    NAME = "test.person.greeted"
    who: str
    words: str
    mood: str | None = None


def test_an_optional_field_needs_neither_a_new_schema_nor_a_step() -> None:
    """Old events get the default; an older release skips the field."""
    assert codec(Greeted1WithMood).decode(OLD).event == Greeted1WithMood("Ada", "good day")
    new = row_of(Greeted1WithMood("Ada", "good day", "glad"))
    assert codec(Greeted1WithMood).decode(new).event == Greeted1WithMood("Ada", "good day", "glad")
    assert codec(Greeted1).decode(new).event == Greeted1("Ada", "good day")


def test_a_field_without_a_default_is_no_such_thing() -> None:
    class Strict(Event, frozen=True):
        NAME = "test.person.greeted"
        who: str
        words: str
        mood: str

    with pytest.raises(CorruptLedger, match="mood"):
        codec(Strict).decode(OLD)


def test_events_of_the_newest_schema_never_meet_the_upcasters(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("not on this path")

    monkeypatch.setattr(UPCASTERS, "upcast", fail)
    monkeypatch.setattr(UPCASTERS, "newest", fail)
    known = Codec(EVENTS, UPCASTERS)
    event: Recorded[Event] = recorded("a", 1, AlertTriggered("kind", "message"))
    row = (1, "a", 1, event.envelope.name, known.encode(event))
    assert known.decode(row).event == event.event


def test_numbers_survive_the_way_through_a_step() -> None:
    passing = Upcasters()
    passing.register("test.fill.seen", 1, lambda data: data, into="trade.fill.recorded")
    fill = EVENTS["trade.fill.recorded"]

    class Newer(fill, frozen=True):  # type: ignore[valid-type, misc, call-arg]
        NAME = "trade.fill.recorded"
        SCHEMA = 2

    from tradecore.testing.journal_samples import sample

    event = sample(Newer)
    state = msgspec.json.decode(codec(Newer).encode(recorded("fill-1", 1, event)))
    old = (1, "fill-1", 1, "test.fill.seen", msgspec.json.encode({**state, "v": 1}))
    assert codec(Newer, upcasters=passing).decode(old).event == event
