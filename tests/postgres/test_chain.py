"""The server computes the chain that `tradecore.journal.chain` describes; a check finds what was changed."""

from __future__ import annotations

import psycopg
import pytest

from tradecore.domain.events import EVENTS, AlertTriggered
from tradecore.errors import CorruptLedger
from tradecore.journal.chain import GENESIS, link
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.testing.journal_samples import recorded, run, sample


def _rows(journal: PostgresJournal) -> list[tuple[int, str, int, str, bytes, bytes]]:
    return journal.reader.ask(
        b"SELECT position, originator_id, originator_version, topic, state, chain FROM events ORDER BY position"
    )


def test_every_link_is_the_formulas(journal: PostgresJournal) -> None:
    for number, name in enumerate(EVENTS, 1):
        journal.append([recorded("all", number, sample(EVENTS[name])), *run(f"ü€𝄞 {name}", 1, 2)])
    journal.append(run("", 1, 300))
    before, count = GENESIS, 0
    for position, stream, version, name, state, chain in _rows(journal):
        before = link(before, position, stream, version, name, state)
        assert chain == before
        count += 1
    assert count == len(EVENTS) * 3 + 300
    journal.check()


def test_an_append_of_five_megabytes_is_one_transaction_with_the_right_links(journal: PostgresJournal) -> None:
    long = AlertTriggered(kind="long", message="m" * 5_000)
    journal.append([recorded("a", version, long) for version in range(1, 1001)])
    journal.append([recorded("b", 1, AlertTriggered(kind="long", message="é" * 5_000_000))])
    assert journal.head() == 1001
    journal.check()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DELETE FROM events WHERE position = 2", "hole in a stream"),
        ("DELETE FROM events WHERE position = 4", "hole in the order"),
        ("UPDATE events SET originator_version = 7 WHERE position = 3", "hole in a stream"),
        ("UPDATE events SET event_id = 'another' WHERE position = 3", "two ids"),
        ("UPDATE events SET state = state || ' '::bytea WHERE position = 2", "position 2"),
        ("UPDATE events SET topic = 'system.ledger.created' WHERE position = 2", "position 2"),
        ("UPDATE events SET originator_id = 'z' WHERE position = 4", "position 4"),
        ("UPDATE events SET chain = sha256(chain) WHERE position = 5", "position 5"),
        ("UPDATE events SET position = 60 WHERE position = 6", "hole in the order"),
        ("INSERT INTO tradecore_views VALUES ('view', 'shape', 99, 1)", "ahead"),
    ],
)
def test_check_finds_what_was_changed(journal: PostgresJournal, change: str, finding: str) -> None:
    journal.append(run("a", 1, 3))
    journal.append([*run("b", 1, 1), *run("c", 1, 2)])
    journal.check()
    with psycopg.connect(journal.url.partition("?")[0], autocommit=True) as connection:
        connection.execute(f"SET search_path = {parse(journal.url).schema}".encode())
        assert connection.execute(change.encode()).rowcount == 1
    with pytest.raises(CorruptLedger, match=finding):
        journal.check()
