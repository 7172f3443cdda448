"""T-AUD: eight ways to change the past of a ledger file by hand, each found by a check that has a name."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.audit.forger import Forger
from tradecore.audit.chain_check import check_chain
from tradecore.journal import open_journal
from tradecore.journal.chain import link

_SPOIL = "UPDATE events SET state = CAST(replace(CAST(state AS TEXT), '50.25', '50.26') AS BLOB) WHERE position = {}"


def _a_fill(forger: Forger) -> int:
    with forger.by_hand() as connection:
        statement = "SELECT min(position) FROM events WHERE topic = 'trade.fill.recorded'"
        position: int = connection.execute(statement).fetchone()[0]
    return position


def test_an_untouched_ledger_is_clean_with_and_without_anchors(forger: Forger) -> None:
    forger.anchor()
    forger.trade_on()
    forger.anchor()
    forger.trade_on("t")
    assert forger.checks(anchored=False) == set()
    assert forger.checks(anchored=True) == set()


def test_1_an_edit_is_found_where_it_was_made(forger: Forger) -> None:
    position = _a_fill(forger)
    forger.run(_SPOIL.format(position))
    assert forger.checks(anchored=False) == {"chain"}
    with closing(open_journal(forger.url)) as journal:
        assert [finding.subject for finding in check_chain(journal)] == [f"event {position}"]


@pytest.mark.parametrize(
    ("column", "value"), [("originator_id", "'x'"), ("originator_version", "99"), ("topic", "'x.y.z'")]
)
def test_1_an_edit_of_any_other_column_is_found(forger: Forger, column: str, value: str) -> None:
    forger.run(f"UPDATE events SET {column} = {value} WHERE position = 9")
    with closing(open_journal(forger.url)) as journal:
        assert {finding.check for finding in check_chain(journal)} == {"chain"}


def test_1_an_edit_with_a_fitting_link_is_found_in_the_next_event(forger: Forger) -> None:
    position = _a_fill(forger)
    forger.run(_SPOIL.format(position))
    with forger.by_hand() as connection:
        (before,) = connection.execute("SELECT chain FROM events WHERE position = ?", (position - 1,)).fetchone()
        statement = "SELECT position, originator_id, originator_version, topic, state FROM events WHERE position = ?"
        row = connection.execute(statement, (position,)).fetchone()
        connection.execute("UPDATE events SET chain = ? WHERE position = ?", (link(before, *row), position))
    with closing(open_journal(forger.url)) as journal:
        assert [finding.subject for finding in check_chain(journal)] == [f"event {position + 1}"]


def test_2_a_deletion_is_found(forger: Forger) -> None:
    forger.run(f"DELETE FROM events WHERE position = {_a_fill(forger)}")
    assert forger.checks(anchored=False) == {"chain"}


def test_2_a_deletion_with_the_rest_moved_up_is_found(forger: Forger) -> None:
    position = _a_fill(forger)
    forger.run(
        f"DELETE FROM events WHERE position = {position}",
        f"UPDATE events SET position = -position WHERE position > {position}",
        "UPDATE events SET position = -position - 1 WHERE position < 0",
        "UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'events'",
    )
    assert forger.checks(anchored=False) == {"chain"}


def test_3_two_events_that_changed_places_are_found(forger: Forger) -> None:
    forger.run(
        "UPDATE events SET position = -5 WHERE position = 5",
        "UPDATE events SET position = 5 WHERE position = 6",
        "UPDATE events SET position = 6 WHERE position = -5",
    )
    assert forger.checks(anchored=False) == {"chain"}


_INVENTED = (
    "INSERT INTO events SELECT {0}, 'account-ghost', 1, topic, {1}, "
    "CAST(json_set(CAST(state AS TEXT), '$.id', 'ghost') AS BLOB), 'ghost' FROM events WHERE position = {2}"
)


def test_4_an_event_invented_in_the_middle_is_found(forger: Forger) -> None:
    forger.run(
        "UPDATE events SET position = -position WHERE position > 6",
        "UPDATE events SET position = -position + 1 WHERE position < 0",
        _INVENTED.format(7, "randomblob(32)", 6),
    )
    assert forger.checks(anchored=False) == {"chain"}


def test_4_an_event_appended_with_a_link_of_ones_own_is_found(forger: Forger) -> None:
    head = forger.head()
    forger.run(_INVENTED.format(head + 1, "randomblob(32)", head))
    assert forger.checks(anchored=False) == {"chain"}


def test_5_a_cut_end_is_found_by_an_anchor(forger: Forger) -> None:
    forger.anchor()
    forger.cut(forger.head() - 3)
    assert forger.checks(anchored=False) == set(), "E21: the chain alone cannot see this"
    assert forger.checks(anchored=True) == {"rewind"}


def test_6_a_history_rewritten_from_its_beginning_is_found_by_an_anchor(forger: Forger) -> None:
    forger.anchor()
    forger.run(_SPOIL.format(_a_fill(forger)))
    forger.forge_links()
    assert forger.checks(anchored=False) == set(), "the forged chain is a perfect chain"
    assert forger.checks(anchored=True) == {"anchor"}


def test_6_a_rewritten_and_longer_history_is_found_by_an_anchor(forger: Forger) -> None:
    forger.anchor()
    forger.run(_SPOIL.format(_a_fill(forger)))
    forger.forge_links()
    forger.trade_on()
    assert forger.checks(anchored=True) == {"anchor"}


def test_7_an_old_copy_put_back_is_found_by_an_anchor(forger: Forger) -> None:
    old = forger.copy("backup.db")
    forger.trade_on()
    forger.anchor()
    forger.put_in_place(old)
    assert forger.checks(anchored=False) == set()
    assert forger.checks(anchored=True) == {"rewind"}


def test_8_a_fork_is_found_by_the_anchors_of_the_other_branch(forger: Forger) -> None:
    fork = forger.copy("fork.db")
    forger.trade_on("ours")
    forger.anchor()
    forger.put_in_place(fork)
    forger.trade_on("theirs", qty="2")
    assert forger.checks(anchored=False) == set()
    assert forger.checks(anchored=True) == {"anchor"}


def test_another_ledger_in_the_place_of_this_one_is_foreign(forger: Forger) -> None:
    forger.anchor()
    with forger.by_hand() as connection:
        connection.execute(
            "UPDATE events SET state = CAST(json_set(CAST(state AS TEXT), '$.data.ledger_id', 'x') AS BLOB) "
            "WHERE position = 1"
        )
    forger.forge_links()
    assert forger.checks(anchored=True) == {"foreign"}


def test_damage_everywhere_is_told_in_few_words(forger: Forger) -> None:
    forger.run("UPDATE events SET chain = randomblob(32)")
    with closing(open_journal(forger.url)) as journal:
        found = check_chain(journal)
    assert len(found) == 21
    assert "more" in found[-1].message


def test_a_row_that_cannot_be_read_is_a_finding_too(forger: Forger) -> None:
    forger.anchor()
    forger.run("UPDATE events SET chain = 'text' WHERE position = 9")
    with closing(open_journal(forger.url)) as journal:
        (finding,) = check_chain(journal, forger.file.read()[0])
    assert finding.check == "chain"
    assert "cannot be followed" in finding.message
