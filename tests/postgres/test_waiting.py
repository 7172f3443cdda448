"""Waiters wake by notification; one that is lost is only late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.journal.children import Child, hear, say
from tests.postgres.server import Server
from tradecore.journal import Journal, open_journal
from tradecore.journal.postgres.listener import Listener
from tradecore.testing.journal_samples import run

_APPEND_WHEN_TOLD = "journal = open_journal(sys.argv[1]); tell('ready'); told(); journal.append(run('a', 1, 1))"


def _wakes(journal: Journal, act: Callable[[], None]) -> float:
    """Seconds until a waiter wakes after `act`."""

    async def scene() -> float:
        waiter = asyncio.create_task(journal.wait(0, 60))
        await asyncio.sleep(0.2)  # long enough for the listener to listen
        begun = time.monotonic()
        act()
        assert await asyncio.wait_for(waiter, 20)
        return time.monotonic() - begun

    return asyncio.run(scene())


def test_waiting_notices_another_process_by_its_notification(
    url: str, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradecore.journal.postgres.journal._NET_S", 60)
    journal = open_journal(url)
    process = child(_APPEND_WHEN_TOLD, url)
    assert hear(process) == "ready"
    _wakes(journal, lambda: say(process))
    journal.close()


def test_a_lost_notification_is_only_late(url: str, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listener, "start", lambda self: None)
    monkeypatch.setattr("tradecore.journal.postgres.journal._NET_S", 0.1)
    journal = open_journal(url)
    process = child(_APPEND_WHEN_TOLD, url)
    assert hear(process) == "ready"
    _wakes(journal, lambda: say(process))
    journal.close()


def test_a_listener_that_lost_its_connection_listens_again(
    url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradecore.journal.postgres.journal._NET_S", 60)
    journal, other = open_journal(url), open_journal(url)

    def cut_and_append() -> None:
        with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        other.append(run("a", 1, 1))

    _wakes(journal, cut_and_append)
    journal.close()
    other.close()
