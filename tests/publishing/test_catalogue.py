"""The schemas say what is really published, and the documents are the ones that the classes make."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.ledger.desk import Desk
from tradecore.domain.events import EVENTS
from tradecore.domain.messages import Envelope, Recorded
from tradecore.domain.signals import SIGNALS
from tradecore.publishing.__main__ import files
from tradecore.publishing.catalogue import asyncapi, json_schema, published_types
from tradecore.publishing.envelope import as_json, publication_of, signal_of
from tradecore.testing.journal_samples import sample

_REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
_CHECKER = jsonschema.FormatChecker()


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=_CHECKER)


def _recorded(name: str, event: Any) -> Recorded[Any]:
    ids = "018f3c5e-9d1a-7c3b-8a54-0242ac120002"
    at, trace = 1_770_000_000_123_456_789, "0af7651916cd43dd8448eb211c80319c"
    envelope = Envelope(ids, name, event.SCHEMA, "order-1", 1, 7, at, trace, ids, None, "outbox", "tradecore")
    return Recorded(envelope, event)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_event_is_published_as_its_schema_says(name: str, validator: jsonschema.Draft202012Validator) -> None:
    for event in (sample(EVENTS[name]), sample(EVENTS[name], with_optional=False)):
        written = json.loads(as_json(publication_of(_recorded(name, event), "ledger-1")))
        validator.validate(written)
        assert written["type"] == name
        assert written["metadata"]["position"] == 7


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_every_signal_is_published_as_its_schema_says(name: str, validator: jsonschema.Draft202012Validator) -> None:
    signal = sample(SIGNALS[name])
    ids = "018f3c5e-9d1a-7c3b-8a54-0242ac120002"
    one = signal_of(signal, ids, 1_770_000_000_123_456_789, "0af7651916cd43dd8448eb211c80319c", "daemon")
    validator.validate(json.loads(as_json(one)))


def test_the_schema_refuses_what_is_not_so(validator: jsonschema.Draft202012Validator) -> None:
    desk = Desk.in_memory()
    desk.place("buy", "10", "AAPL")
    planned = next(one for one in desk.ledger.journal.read(0) if one.envelope.name == "trade.order.planned")
    written = json.loads(as_json(publication_of(planned, "ledger-1")))
    validator.validate(written)
    for spoilt in ({**written, "type": "trade.order.accepted"}, {**written, "schema_version": 99},
                   {**written, "data": {**written["data"], "side": "long"}}, {**written, "surplus": 1}):  # fmt: skip
        assert not validator.is_valid(spoilt)


@pytest.mark.parametrize("name", sorted(files()))
def test_the_documents_are_the_ones_that_the_classes_make(name: str) -> None:
    assert (_REFERENCE / name).read_bytes() == files()[name], "run python -m tradecore.publishing docs/reference"


def test_asyncapi_names_a_message_and_a_schema_for_every_channel() -> None:
    document = asyncapi()
    for name, channel in document["channels"].items():
        assert channel["messages"][name]["$ref"] == f"#/components/messages/{name}"
        payload = document["components"]["messages"][name]["payload"]["$ref"]
        assert payload.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    assert "#/$defs/" not in json.dumps(document)


def test_nothing_is_in_the_catalogue_that_nobody_sends() -> None:
    """Every class is used in shipped code somewhere besides its own definition."""
    folders = (Path(__file__).parents[2] / folder for folder in ("src", "adapters", "runners"))
    shipped = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    words = Counter(re.findall(r"\w+", shipped))
    assert [name for name, kind in published_types().items() if words[kind.__name__] < 2] == []
