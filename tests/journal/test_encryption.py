"""Events that are encrypted: on every store, under keys that change, and never readable in another place."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journal.sealed import NEW, OLD, RING, SECRET, SealedContract
from tradecore.domain.events import AlertTriggered
from tradecore.errors import ConfigurationError, CorruptLedger, WrongKey
from tradecore.journal import Journal, KeyRing, open_journal, read_key_ring
from tradecore.journal.codec import CODEC
from tradecore.journal.key_ring import parse_key_ring
from tradecore.journal.sealed_codec import SealedCodec
from tradecore.testing.chain_contract import assert_chained
from tradecore.testing.journal_contract import Reopen
from tradecore.testing.journal_samples import recorded, run

pytest.importorskip("cryptography")


class TestSealedInMemory(SealedContract):
    @pytest.fixture
    def journal(self) -> Iterator[Journal]:
        journal = open_journal("memory:", keys=RING)
        yield journal
        journal.close()


class TestSealedInSqlite(SealedContract):
    @pytest.fixture
    def journal(self, url: str) -> Iterator[Journal]:
        journal = open_journal(url, keys=RING)
        yield journal
        journal.close()

    @pytest.fixture
    def reopen(self) -> Iterator[Reopen]:
        opened: list[Journal] = []

        def again(journal: Journal) -> Journal:
            journal.close()
            opened.append(open_journal(journal.url, create=False, keys=RING))
            return opened[-1]

        yield again
        for journal in opened:
            journal.close()


del SealedContract  # pytest would collect it without a journal

Opened = Callable[[KeyRing | None], Journal]


@pytest.fixture
def opened(url: str) -> Iterator[Opened]:
    """Opens the ledger of the test with a ring, after closing it."""
    journals: list[Journal] = []

    def open_with(keys: KeyRing | None) -> Journal:
        for journal in journals:
            journal.close()
        journals.append(open_journal(url, keys=keys))
        return journals[-1]

    yield open_with
    for journal in journals:
        journal.close()


def test_no_file_of_the_ledger_holds_what_an_event_says(opened: Opened, path: Path) -> None:
    journal = opened(RING)
    journal.append([recorded("a", 1, AlertTriggered("kind", SECRET))])
    assert journal.load("a")[0].event == AlertTriggered("kind", SECRET)
    for file in path.parent.glob(f"{path.name}*"):
        assert SECRET.encode() not in file.read_bytes()


def test_a_ledger_may_begin_plain_and_change_its_keys_and_the_old_events_stay_readable(opened: Opened) -> None:
    events = [*opened(None).append(run("a", 1, 2))]
    events += opened(KeyRing({"2025": OLD})).append(run("a", 3, 4))
    events += opened(RING).append(run("a", 5, 6))
    again = opened(RING)
    assert list(again.load("a")) == events
    assert [item.state[:6] for item in again.links(2, 9)] == [b"\x01\x042025"] * 2 + [b"\x01\x042026"] * 2
    again.check()


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        (None, "'2026' was not given"),
        (KeyRing({"2025": OLD}), "'2026' is not among the keys"),
        (KeyRing({"2026": OLD}), "'2026' does not open it"),
    ],
)
def test_without_the_key_there_is_one_error_and_the_chain_still_verifies(
    opened: Opened, ring: KeyRing | None, says: str
) -> None:
    opened(RING).append(run("a", 1, 3))
    journal = opened(ring)
    for attempt in (lambda: journal.load("a"), lambda: journal.read(0), journal.check):
        with pytest.raises(WrongKey, match=says) as caught:
            attempt()
        assert (caught.value.position, caught.value.key) == (1, "2026")
    assert len(assert_chained(journal)) == 3


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET state = (SELECT state FROM events WHERE position = 2) WHERE position = 1",
        "UPDATE events SET originator_id = 'z' WHERE position = 1",
        "UPDATE events SET originator_version = 9 WHERE position = 1",
        "UPDATE events SET topic = 'system.ledger.created' WHERE position = 1",
    ],
)
def test_what_was_moved_does_not_open(opened: Opened, path: Path, change: str) -> None:
    opened(RING).append(run("a", 1, 2))
    with sqlite3.connect(path) as connection:
        assert connection.execute(change).rowcount == 1
    connection.close()
    with pytest.raises(WrongKey, match=r"position 1 .*changed"):
        opened(RING).read(0)


def test_every_cut_and_every_flipped_bit_is_noticed() -> None:
    codec = SealedCodec(CODEC, RING)
    event = recorded("a", 1)
    state = codec.encode(event)
    name = event.envelope.name
    for length in range(len(state)):
        with pytest.raises((WrongKey, CorruptLedger)):
            codec.decode((1, "a", 1, name, state[:length]))
    for place in range(len(state) * 8):
        flipped = bytearray(state)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises((WrongKey, CorruptLedger)):
            codec.decode((1, "a", 1, name, bytes(flipped)))


def test_the_same_event_is_never_the_same_bytes() -> None:
    codec = SealedCodec(CODEC, RING)
    event = recorded("a", 1)
    assert len({codec.encode(event) for _ in range(100)}) == 100


def _line(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


def test_keys_come_from_a_file_or_the_environment(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the desk\n{_line('2025', OLD)}\n\n{_line('2026', NEW)}  # in use\n")
    assert read_key_ring(file) == RING
    monkeypatch.setenv("TRADECORE_ENCRYPTION__KEYS_FILE", str(file))
    journal = open_journal(url)
    events = journal.append(run("a", 1, 1))
    journal.close()
    monkeypatch.delenv("TRADECORE_ENCRYPTION__KEYS_FILE")
    monkeypatch.setenv("TRADECORE_EVENT_KEYS", f"{_line('2025', OLD)},{_line('2026', NEW)}")
    journal = open_journal(url)
    assert journal.load("a") == events
    assert journal.backup(tmp_path / "copy.db") == 1
    journal.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "2026",
        "2026:short",
        _line("a name", NEW),
        _line("x" * 33, NEW),
        "k:" + "A" * 43,
        "k:" + "!" * 43 + "=",
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_key_ring(text, "keys")
    assert "AAAA" not in str(caught.value)


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"line 2.*already"):
        parse_key_ring(f"{_line('k', OLD)}\n{_line('k', NEW)}", "keys")


def test_a_ring_never_shows_its_keys() -> None:
    assert repr(RING) == "KeyRing(keys=2025, 2026)"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"keys_file.*absent"):
        read_key_ring(tmp_path / "absent")
