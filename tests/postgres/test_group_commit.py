"""Group commit in Postgres: its contract, and a connection that is cut around a group's commit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.postgres.cutter import Cut, Cutter
from tests.postgres.server import Server
from tradecore.errors import StoreUnavailable, WrongVersion
from tradecore.journal import GroupCommit, Journal, open_journal
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.opening import open_ledger
from tradecore.testing.chain_contract import assert_chained
from tradecore.testing.group_contract import Gate, GroupContract, until_waiting
from tradecore.testing.journal_contract import JournalContract, Reopen
from tradecore.testing.journal_samples import run


class TestGroupsInPostgres(JournalContract, GroupContract):
    @pytest.fixture
    def grouped(self, url: str) -> Iterator[GroupCommit]:
        grouped = GroupCommit(open_journal(url))
        yield grouped
        grouped.close()

    @pytest.fixture
    def journal(self, grouped: GroupCommit) -> Journal:
        return grouped

    @pytest.fixture
    def reopen(self) -> Iterator[Reopen]:
        opened: list[Journal] = []

        def again(journal: Journal) -> Journal:
            journal.close()
            opened.append(GroupCommit(open_journal(journal.url, create=False)))
            return opened[-1]

        yield again
        for journal in opened:
            journal.close()


@pytest.fixture
def wire(server: Server) -> Iterator[Cutter]:
    wire = Cutter(server.port)
    yield wire
    wire.close()


@pytest.fixture
def journal(server: Server, wire: Cutter, url: str) -> Iterator[PostgresJournal]:
    """A journal that reaches the server over the wire, and soon gives up."""
    journal = open_ledger(url.replace(f":{server.port}/", f":{wire.port}/"), create=True, patience_s=2)
    yield journal
    journal.close()


@pytest.mark.parametrize("cut", list(Cut))
@pytest.mark.parametrize("clash", [False, True])
def test_a_group_whose_connection_is_cut_is_done_once(
    journal: PostgresJournal, wire: Cutter, cut: Cut, clash: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(run("taken", 1, 1))
    grouped, gate = GroupCommit(journal), Gate(journal)
    gate.install(monkeypatch)
    with ThreadPoolExecutor(6) as pool:
        with gate.held(pool, grouped):
            futures = [pool.submit(grouped.append, run(f"s-{number}", 1, 2)) for number in range(4)]
            clashing = pool.submit(grouped.append, run("taken", 1, 1)) if clash else None
            until_waiting(grouped, 5 if clash else 4)
            together = journal.append_each

            def cut_then(batches: object) -> object:
                # With a clash the group is tried twice; what is cut is the try that commits.
                wire.arm(b"\0append_each\0" if clash else b"\0append\0", cut)
                return together(batches)  # type: ignore[arg-type]

            monkeypatch.setattr(journal, "append_each", cut_then)
        appended = [item for future in futures for item in future.result(30)]
        if clashing is not None:
            with pytest.raises(WrongVersion):
                clashing.result(30)
    assert wire.cuts == 1
    assert sorted(item.envelope.position for item in appended) == list(range(3, 11))
    assert journal.head() == 10
    assert grouped.append(run("later", 1, 1))
    assert_chained(journal)
    journal.check()


def test_when_nobody_knows_everybody_is_told_so(
    journal: PostgresJournal, wire: Cutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped, gate = GroupCommit(journal), Gate(journal)
    gate.install(monkeypatch)
    together = journal.append_each

    def cut_then(batches: object) -> object:
        wire.arm(b"\0append\0", Cut.BEFORE_THE_ANSWER, then_down=True)
        return together(batches)  # type: ignore[arg-type]

    monkeypatch.setattr(journal, "append_each", cut_then)
    groups = [run(f"s-{number}", 1, 2) for number in range(3)]
    with ThreadPoolExecutor(6) as pool:
        with gate.held(pool, grouped):
            futures = [pool.submit(grouped.append, events) for events in groups]
            until_waiting(grouped, 3)
        for future in futures:
            with pytest.raises(StoreUnavailable, match="may or may not"):
                future.result(60)
    wire.is_down = False
    for events in groups:  # it was done, so the same again clashes
        with pytest.raises(WrongVersion):
            grouped.append(events)
    assert journal.head() == 7


def test_the_chain_holds_when_two_processes_take_turns(url: str) -> None:
    """Each makes links for the end that it knew; the server makes them anew when that is no longer the end."""
    first, second = open_journal(url), open_journal(url)
    for number in range(1, 7):
        first.append(run(f"a-{number}", 1, number))
        if number % 2:
            second.append(run(f"b-{number}", 1, number))
    assert_chained(first)
    first.check()
    first.close()
    second.close()
