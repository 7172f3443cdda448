"""How every journal chains its events, as tests; part of `tradecore.testing.journal_contract`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tradecore.errors import WrongVersion
from tradecore.journal.chain import GENESIS, Link, link
from tradecore.journal.codec import encode
from tradecore.journal.contract import Journal
from tradecore.testing.journal_samples import recorded, run

Reopen = Callable[[Journal], Journal]


def assert_chained(journal: Journal) -> tuple[Link, ...]:
    """Recompute every link from what is stored; returns the links."""
    links = journal.links(0, journal.head() + 1)
    before = GENESIS
    for place, item in enumerate(links, 1):
        assert item.position == place
        assert item.chain == link(before, *item[:5])
        before = item.chain
    assert journal.head_link() == (len(links), before)
    return links


class ChainContract:
    """The promises of `Journal.links` and `Journal.head_link`, on the `journal` and `reopen` fixtures."""

    def test_an_empty_ledger_ends_at_genesis(self, journal: Journal) -> None:
        assert journal.head_link() == (0, GENESIS)
        assert journal.links(0, 10) == ()

    def test_links_are_the_stored_rows_to_the_byte(self, journal: Journal) -> None:
        events = journal.append([recorded("ä-stream", 1), *run("b", 1, 2), recorded("ä-stream", 2)])
        links = assert_chained(journal)
        assert [(item.stream, item.version, item.name) for item in links] == [
            (e.envelope.stream, e.envelope.version, e.envelope.name) for e in events
        ]
        assert [item.state for item in links] == [encode(item) for item in events]
        assert all(type(item.state) is type(item.chain) is bytes for item in links)

    def test_the_chain_goes_on_from_append_to_append(self, journal: Journal) -> None:
        for version in range(1, 6):
            journal.append([recorded("a", version), recorded(f"b-{version}", 1)])
            assert_chained(journal)

    def test_links_come_page_by_page(self, journal: Journal) -> None:
        journal.append(run("a", 1, 7))
        links = journal.links(0, 99)
        assert journal.links(0, 3) + journal.links(3, 3) + journal.links(6, 3) == links
        assert journal.links(7, 3) == journal.links(99, 3) == ()

    def test_a_refused_append_leaves_no_trace_in_the_chain(self, journal: Journal) -> None:
        journal.append(run("a", 1, 2))
        with pytest.raises(WrongVersion):
            journal.append([*run("b", 1, 2), recorded("a", 2)])
        before = journal.head_link()
        journal.append(run("a", 3, 3))
        links = assert_chained(journal)
        assert before == (2, links[1].chain)

    def test_the_chain_holds_whoever_appends(self, journal: Journal) -> None:
        def work(number: int) -> None:
            for version in range(1, 11):
                journal.append([recorded(f"s-{number}", version), recorded(f"t-{number}", version)])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert len(assert_chained(journal)) == 80

    def test_the_chain_goes_on_after_a_restart(self, journal: Journal, reopen: Reopen | None) -> None:
        if reopen is None:
            pytest.skip("this journal ends with its process")
        journal.append(run("a", 1, 3))
        links = journal.links(0, 9)
        again = reopen(journal)
        again.append(run("a", 4, 5))
        assert assert_chained(again)[:3] == links
