"""`stats` and `check`: what there is, who works on it, and whether it is whole."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import pytest

from tests.cli.terminal import Terminal
from tests.views.vandal import Vandal, trade_for_an_hour
from tradecore.domain.daily import is_due, next_after
from tradecore.journal import Journal, lease_holder, open_journal, open_lease
from tradecore.journal.sqlite.journal import SqliteJournal
from tradecore.testing.journal_samples import run


def test_stats_counts_what_is_there(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    events = terminal.json("events")
    terminal.json("orders")
    (said,) = terminal.json("stats")
    assert said["events"] == said["head"] == len(events)
    assert said["streams"] == len({event["stream"] for event in events})
    assert {row["name"]: row["events"] for row in said["by_name"]}["trade.order.planned"] == 6
    assert sum(row["events"] for row in said["by_name"]) == len(events)
    assert (said["oldest"], said["newest"]) == (events[0]["recorded_at"], events[-1]["recorded_at"])
    assert {"view": "orders", "position": len(events), "lag": 0} in said["views"]
    assert said["size_bytes"] == terminal.path.stat().st_size
    assert said["log_size_bytes"] >= 0
    assert said["lease_holder"] is None


def test_stats_shows_how_far_a_view_is_behind(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    terminal.json("orders")
    assert terminal.run("place", "AAA", "buy", "1").code == 0
    (said,) = terminal.json("stats")
    assert {row["view"]: row["lag"] for row in said["views"]}["orders"] > 0
    assert "orders" in terminal.run("stats").out


def test_stats_of_an_empty_ledger(terminal: Terminal) -> None:
    open_journal(f"sqlite:///{terminal.path}").close()
    (said,) = terminal.json("stats")
    assert (said["events"], said["head"], said["oldest"], said["newest"]) == (0, 0, None, None)
    assert terminal.run("stats").code == 0


def test_both_stores_count_alike(journal: SqliteJournal) -> None:
    def counts(store: Journal) -> tuple[object, ...]:
        store.append([*run("a", 1, 3), *run("b", 1, 2)])
        store.views.write("view", "shape", 0, 4, {})
        found = store.stats()
        return found.events, found.streams, found.head, found.by_name, found.views

    assert counts(journal) == counts(open_journal("memory:"))


def test_the_holder_of_the_lease_is_told_and_not_disturbed(url: str) -> None:
    assert lease_holder(url) is None
    assert lease_holder("memory:") is None
    lease = open_lease(url)
    lease.acquire("runner 7")
    assert (lease_holder(url) or "").startswith("runner 7 (process ")
    assert lease.token == "1:runner 7"
    lease.release()
    assert lease_holder(url) is None


def test_check_is_silent_success_or_code_1(terminal: Terminal) -> None:
    terminal.trade(trade_for_an_hour)
    assert terminal.json("check")[0]["head"] > 10
    assert terminal.run("check").out.startswith("ok: ")
    Vandal(terminal.path).run("DELETE FROM events WHERE position = 5")
    said = terminal.run("check")
    assert (said.code, said.out) == (1, "")
    assert "hole" in said.err


@pytest.mark.parametrize(
    ("moment", "due"),
    [("2026-02-03T02:59", "2026-02-03T03:00"), ("2026-02-03T03:00", "2026-02-04T03:00")],
)
def test_daily_is_the_next_time_of_that_hour(moment: str, due: str) -> None:
    at = dt.time(3)
    start, wanted = (dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in (moment, due))
    assert next_after(start, at) == wanted
    assert not is_due(wanted - dt.timedelta(seconds=1), start, at)
    assert is_due(wanted, start, at)
    assert is_due(start, None, at)


def test_daily_counts_in_utc() -> None:
    far_east = dt.datetime(2026, 2, 3, 1, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    assert next_after(far_east, dt.time(3)) == dt.datetime(2026, 2, 3, 3, tzinfo=dt.UTC)


def test_the_log_is_in_the_figures(journal: SqliteJournal) -> None:
    journal.append(run("a", 1, 100))
    assert journal.stats().log_size_bytes > 10_000
    url = journal.url
    journal.close()
    with closing(open_journal(url)) as again:
        assert again.stats().log_size_bytes < 10_000
