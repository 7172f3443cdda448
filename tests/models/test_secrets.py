"""No key is ever in a prompt, a record, a log or an error."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from tests.models.stage import BUY, Stage, question, settings_for
from tradecore.domain.events import ModelCallFailed
from tradecore.errors import SecretInPrompt
from tradecore.ports.model import Answered, Exhausted
from tradecore.testing.model_acts import Fault, Say
from tradecore.testing.model_server import ModelServer

CANARY = "sk-canary-0123456789-do-not-sing"
BROKER = "PKCANARY0123456789"


def everything(stage: Stage) -> bytes:
    """All that the ledger holds: events and texts."""
    events = stage.journal.read(0, 100_000)
    digests = {
        value
        for one in events
        for name in ("prompt_hash", "answer_hash")
        if isinstance(value := getattr(one.event, name, None), str)
    }
    texts = [stage.journal.texts.get(digest) for digest in sorted(digests)]
    return repr(events).encode() + b"".join(text for text in texts if isinstance(text, bytes))


def test_keys_are_sent_to_their_provider_and_are_nowhere_else(
    server: ModelServer, stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The provider echoes the key in answers and in errors, and the broker's key as well."""
    monkeypatch.setenv("MODEL_KEY", CANARY)
    monkeypatch.setenv("APCA_API_KEY_ID", BROKER)
    providers = {"local": {"kind": "openai_http", "base_url": server.url, "key_env": "MODEL_KEY"}}
    settings = settings_for(server.url, ("first", "second"), providers=providers)
    echo = json.dumps({"error": {"message": f"no such key {CANARY} {BROKER}"}})
    server.script("first", Fault(401, body=echo), Fault(500, body=echo), Say(f"{CANARY} {BROKER}"))
    server.script("second", Say(BUY), Say(json.dumps({"action": "BUY", "confidence": 1, "why": CANARY})))
    with structlog.testing.capture_logs() as logs:
        outcomes = stage.ask(settings, question("a"), question("b"), question("c"))
    assert isinstance(outcomes[0], Answered)
    assert isinstance(outcomes[2], Exhausted)
    assert {heard.headers["authorization"] for heard in server.requests} == {f"Bearer {CANARY}"}
    assert stage.events(ModelCallFailed)
    written = capsys.readouterr()
    for found in (
        everything(stage),
        repr(outcomes).encode(),
        repr(logs).encode(),
        (written.out + written.err).encode(),
    ):
        assert CANARY.encode() not in found
        assert BROKER.encode() not in found


def test_a_prompt_that_holds_a_key_is_refused_before_anything_is_written(
    server: ModelServer, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", CANARY)
    with caplog.at_level(logging.DEBUG), pytest.raises(SecretInPrompt) as caught:
        stage.ask_one(settings_for(server.url), question(f"the news says {CANARY}"))
    assert caught.value.variable == "APCA_API_SECRET_KEY"
    assert CANARY not in str(caught.value) + caplog.text
    assert server.requests == []
    assert CANARY.encode() not in everything(stage)
