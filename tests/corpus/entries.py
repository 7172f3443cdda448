"""Entries of the corpus: files that are added and never changed."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import attrs

from tests.corpus.shapes import fields_of, plain_fields, words_of
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.journal.codec import Codec
from tradecore.testing.journal_samples import recorded, sample

FOLDER = Path(__file__).parent


@attrs.frozen
class Entry:
    """One event as it was stored: its shape at that time, examples, and what each reads as.

    An example's `reads` has one item per newest shape that it was ever read in, such as `trade.fill.recorded/1`.
    """

    name: str
    schema: int
    class_name: str
    fields: dict[str, str]
    words: dict[str, list[str]]
    examples: list[dict[str, Any]]

    def rows(self) -> list[tuple[int, str, int, str, bytes]]:
        """The examples as a journal stores them."""
        return [(1, "corpus", 1, self.name, example["state"].encode()) for example in self.examples]


def load(folder: Path = FOLDER) -> dict[Path, Entry]:
    """Every entry by its file."""
    return {path: Entry(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))}


def save(path: Path, entry: Entry, *, new: bool) -> None:
    """Write an entry; raises `FileExistsError` when it is `new` and the file is there."""
    with path.open("x" if new else "w", encoding="utf-8") as file:
        file.write(json.dumps(attrs.asdict(entry), indent=1, ensure_ascii=False) + "\n")


def make(event_class: type[Event], codec: Codec) -> Entry:
    """A new entry, with one example that has something in every field and one with nothing in the optional ones."""
    examples = []
    for with_optional in (True, False):
        event = sample(event_class, with_optional=with_optional)
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event.NAME}/{event.SCHEMA}/{with_optional}"))
        state = codec.encode(recorded("corpus", 1 + with_optional, event, identity))
        examples.append({"state": state.decode(), "reads": {key_of(event_class): plain_fields(event)}})
    return Entry(
        name=event_class.NAME,
        schema=event_class.SCHEMA,
        class_name=event_class.__name__,
        fields=fields_of(event_class),
        words=words_of(event_class),
        examples=examples,
    )


def key_of(event_class: type[Event]) -> str:
    """The newest shape of an event, as examples name it."""
    return f"{event_class.NAME}/{event_class.SCHEMA}"


def read(entry: Entry, codec: Codec) -> list[Recorded[Event]]:
    """The examples as they are read now."""
    return [codec.decode(row) for row in entry.rows()]
