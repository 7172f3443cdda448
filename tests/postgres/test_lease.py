"""One runner at a time on a ledger in Postgres, and never again the same token."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.journal.children import Child, hear
from tests.postgres.server import Server
from tradecore.errors import LeaseHeld, StoreUnavailable
from tradecore.journal import lease_holder, open_journal, open_lease
from tradecore.ports.lease import Lease

_HOLD = """
lease = open_lease(sys.argv[1])
lease.acquire("the other")
tell(lease.token)
told()
"""


def _acquired(lease: Lease, holder: str) -> str:
    """A killed holder's session ends when the server notices, which is soon but not at once."""
    deadline = time.monotonic() + 20
    while True:
        try:
            lease.acquire(holder)
            return lease.token
        except LeaseHeld:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _end_sessions_of(server: Server, lease: Lease) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        pid = lease._line.backend.pid  # type: ignore[attr-defined]
        admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while admin.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            pass
    # The server forgets a session a moment before its process ends and the socket is closed.
    assert select.select([lease._line.connection.fileno()], [], [], 20)[0]  # type: ignore[attr-defined]


def test_tokens_rise_and_name_their_holder(url: str) -> None:
    tokens = []
    for holder in ("a", "a much longer name", "b", "ü" * 300):
        lease = open_lease(url)
        lease.acquire(holder)
        tokens.append(lease.token)
        lease.release()
        lease.release()
    assert tokens == ["1:a", "2:a much longer name", "3:b", "4:" + "ü" * 300]


def test_a_held_lease_is_not_taken_twice_and_names_its_holder(url: str) -> None:
    lease, other = open_lease(url), open_lease(url)
    lease.acquire("first")
    for refused in (lease, other):
        with pytest.raises(LeaseHeld, match="first"):
            refused.acquire("second")
    with pytest.raises(LeaseHeld, match=rf"first \(process {os.getpid()} on "):
        other.acquire("second")
    assert str(lease_holder(url)).startswith(f"first (process {os.getpid()} on ")
    lease.release()
    assert lease_holder(url) is None
    other.acquire("second")
    assert other.token == "2:second"
    other.release()


def test_leases_of_two_ledgers_do_not_meet(server: Server) -> None:
    leases = [open_lease(server.url("postgres", schema=f"leased_{number}")) for number in range(2)]
    for lease in leases:
        lease.acquire("me")
    for lease in leases:
        lease.release()


def test_a_lease_may_come_before_its_ledger(url: str) -> None:
    lease = open_lease(url)
    lease.acquire("me")
    journal = open_journal(url)
    assert journal.head() == 0
    journal.close()
    lease.release()


def test_another_process_is_refused_until_the_holder_is_killed(url: str, child: Child) -> None:
    process = child(_HOLD, url)
    assert hear(process) == "1:the other"
    lease = open_lease(url)
    with pytest.raises(LeaseHeld, match=rf"the other \(process {process.pid} on "):
        lease.acquire("me")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert _acquired(lease, "me") == "2:me"
    lease.release()


def test_a_forked_child_does_not_keep_the_lease_of_a_dead_parent(url: str, child: Child) -> None:
    process = child(
        """
lease = open_lease(sys.argv[1])
lease.acquire("parent")
pid = os.fork()
if pid == 0:
    told()
    os._exit(0)
tell(pid)
told()
""",
        url,
    )
    orphan = int(hear(process))
    process.kill()
    process.wait()
    try:
        lease = open_lease(url)
        assert _acquired(lease, "me") == "2:me"
        lease.release()
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_hold_survives_its_connection_when_nobody_came_in_between(url: str, server: Server) -> None:
    lease = open_lease(url)
    lease.acquire("me")
    _end_sessions_of(server, lease)
    assert lease.token == "1:me"
    with pytest.raises(LeaseHeld):
        open_lease(url).acquire("other")
    lease.release()


@pytest.mark.parametrize("leave", [lambda lease: None, lambda lease: lease.release()])
def test_a_hold_that_somebody_else_had_since_is_lost(url: str, server: Server, leave: Callable[[Lease], None]) -> None:
    lease, other = open_lease(url), open_lease(url)
    lease.acquire("me")
    _end_sessions_of(server, lease)
    other.acquire("other")
    leave(other)
    for _ in range(2):
        with pytest.raises(LeaseHeld, match="other"):
            _ = lease.token
    lease.release()
    other.release()
    assert _acquired(lease, "me again") == "3:me again"
    lease.release()


def test_while_the_server_is_away_there_is_no_token(url: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = open_lease(url)
    lease.acquire("me")
    _end_sessions_of(server, lease)
    with monkeypatch.context() as patch:
        patch.setattr(lease, "_address", open_lease(url.replace(f":{server.port}/", ":1/"))._address)  # type: ignore[attr-defined]
        with pytest.raises(StoreUnavailable):
            _ = lease.token
    assert lease.token == "1:me"
    lease.release()
