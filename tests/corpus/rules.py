"""What the corpus forbids: each sentence names the event and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from tests.corpus.entries import Entry, key_of
from tests.corpus.shapes import default_of, fields_of, optional_fields, plain_fields, words_of
from tradecore.domain.events import Event
from tradecore.errors import JournalError
from tradecore.journal.codec import Codec
from tradecore.journal.upcasting import Upcasters, lost_fields

ADD = "run `python -m tests.corpus.add {name}`"


def complaints(events: Mapping[str, type[Event]], upcasters: Upcasters, entries: Iterable[Entry]) -> list[str]:
    """Everything that would make a stored event unreadable, or read as something that it was not."""
    known = list(entries)
    found = [text for event_class in events.values() for text in _of_class(event_class, known)]
    codec = Codec(events, upcasters)
    for entry in known:
        found += _of_entry(entry, events, codec)
    found += _of_steps(events, upcasters, known)
    return found


def _of_class(event_class: type[Event], entries: list[Entry]) -> Iterator[str]:
    name, schema, fields = event_class.NAME, event_class.SCHEMA, fields_of(event_class)
    same_name = [entry for entry in entries if entry.name == name]
    if any(entry.class_name != event_class.__name__ for entry in same_name):
        yield f"{name} is used for something else: it was {same_name[0].class_name} and is {event_class.__name__}"
    same = [entry for entry in same_name if entry.schema == schema]
    if any(entry.schema > schema for entry in same_name):
        yield f"{name} went back to schema {schema}: a later one has shipped"
    if not same:
        yield f"{name} of schema {schema} has no entry: " + ADD.format(name=name)
        return
    for entry in same:
        lost = sorted(field for field, kind in entry.fields.items() if fields.get(field) != kind)
        demanded = sorted(fields.keys() - entry.fields.keys() - optional_fields(event_class))
        if lost or demanded:
            yield f"{name} changed {', '.join(lost + demanded)} without a new schema version and an upcaster"
        current = words_of(event_class)
        for kind, words in entry.words.items():
            gone = [word for word in words if word not in current.get(kind, words)]
            if gone:
                yield f"{name} lost the words {', '.join(gone)} of {kind}, which may be stored"
    if all(entry.fields.keys() != fields.keys() for entry in same):
        yield f"{name} has optional fields that no entry has: " + ADD.format(name=name)


def _of_entry(entry: Entry, events: Mapping[str, type[Event]], codec: Codec) -> Iterator[str]:
    title = f"{entry.name} of schema {entry.schema}"
    for row, example in zip(entry.rows(), entry.examples, strict=True):
        try:
            recorded = codec.decode(row)
        except JournalError as error:
            yield f"{title} cannot be read any more: {error}"
            continue
        event, envelope = recorded.event, recorded.envelope
        stored = msgspec.json.decode(row[4])
        told = [stored[key] for key in ("id", "at", "trace", "corr", "cause", "actor", "src")]
        if told != [
            envelope.event_id, envelope.recorded_at_ns, envelope.trace_id, envelope.correlation_id,
            envelope.causation_id, envelope.actor, envelope.source,
        ]:  # fmt: skip
            yield f"{title} comes back with another envelope"
        expected = example["reads"].get(key_of(type(event)))
        if expected is None:
            yield f"{title} is not recorded as {key_of(type(event))}: " + ADD.format(name=event.NAME)
            continue
        for field, value in plain_fields(event).items():
            right = expected[field] if field in expected else default_of(events[event.NAME], field)
            if value != right:
                yield f"{title}: {field} reads as {value}, and was {right}"
        for field in expected.keys() - plain_fields(event).keys():
            yield f"{title}: {field} is lost"


def _of_steps(events: Mapping[str, type[Event]], upcasters: Upcasters, entries: list[Entry]) -> Iterator[str]:
    steps = upcasters.steps()
    for step in steps:
        stored = [entry for entry in entries if (entry.name, entry.schema) == (step.name, step.schema)]
        if not stored:
            yield f"{step.name} of schema {step.schema} has a way up and no entry: it was never shipped, or removed"
        for entry in stored:
            for row in entry.rows():
                lost = lost_fields(step, msgspec.json.decode(row[4])["data"])
                if lost:
                    yield f"the step from {step.name} schema {step.schema} loses {', '.join(sorted(lost))}"
    for event_class in events.values():
        way = (event_class.NAME, event_class.SCHEMA - 1)
        if event_class.SCHEMA > 1 and all((step.into, step.schema) != way for step in steps):
            yield f"no upcaster leads to schema {event_class.SCHEMA} of {event_class.NAME}"
