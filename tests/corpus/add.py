"""`python -m tests.corpus.add EVENT_NAME…` (or `--all`) adds what the corpus lacks; what is there stays as it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from tests.corpus.entries import FOLDER, Entry, key_of, load, make, save
from tests.corpus.shapes import fields_of, plain_fields
from tradecore.domain.events import EVENTS, Event
from tradecore.errors import JournalError
from tradecore.journal.codec import Codec
from tradecore.journal.upcasting import UPCASTERS


def add(event_class: type[Event], codec: Codec, folder: Path = FOLDER) -> list[Path]:
    """Add an entry for the newest shape of an event, and to older entries what they read as now.

    Returns the files that are new or longer. Nothing that a file says already is changed.
    """
    entries = load(folder)
    same = [e for e in entries.values() if (e.name, e.schema) == (event_class.NAME, event_class.SCHEMA)]
    written = [_extend(path, entry, codec) for path, entry in entries.items() if _needs(entry, event_class, codec)]
    if all(entry.fields.keys() != fields_of(event_class).keys() for entry in same):
        revision = f".{len(same) + 1}" if same else ""
        path = folder / f"{event_class.NAME}.v{event_class.SCHEMA}{revision}.json"
        save(path, make(event_class, codec), new=True)
        written.append(path)
    return written


def _needs(entry: Entry, event_class: type[Event], codec: Codec) -> bool:
    try:
        kinds = {type(codec.decode(row).event) for row in entry.rows()}
    except JournalError:
        return False  # the test says what is wrong with it
    return kinds == {event_class} and any(key_of(event_class) not in example["reads"] for example in entry.examples)


def _extend(path: Path, entry: Entry, codec: Codec) -> Path:
    examples = []
    for row, example in zip(entry.rows(), entry.examples, strict=True):
        event = codec.decode(row).event
        reads = {key_of(type(event)): plain_fields(event)} | example["reads"]
        examples.append({**example, "reads": reads})
    save(path, attrs.evolve(entry, examples=examples), new=False)
    return path


def main(names: Sequence[str], events: Mapping[str, type[Event]] = EVENTS, folder: Path = FOLDER) -> int:
    """Exit code 2 for a name that no event has."""
    wanted = list(events) if list(names) == ["--all"] else list(names)
    unknown = [name for name in wanted if name not in events]
    if unknown or not wanted:
        print(f"usage: python -m tests.corpus.add EVENT_NAME… | --all; no such event: {', '.join(unknown) or 'none'}")
        return 2
    codec = Codec(events, UPCASTERS)
    for name in wanted:
        written = add(events[name], codec, folder)
        print(f"{name}: " + (", ".join(path.name for path in written) or "nothing to add"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
