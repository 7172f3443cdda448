"""One runner at a time, in one process or several, and never again the same token."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.journal.children import Child, hear
from tradecore.errors import CorruptLedger, InputError, LeaseHeld, StoreUnavailable
from tradecore.journal import open_lease

_HOLD = """
lease = open_lease(sys.argv[1])
lease.acquire("the other")
tell(lease.token)
told()
"""


def test_tokens_rise_and_name_their_holder(url: str) -> None:
    tokens = []
    for holder in ("a", "a much longer name", "b", "ü" * 300, "c"):
        lease = open_lease(url)
        lease.acquire(holder)
        tokens.append(lease.token)
        lease.release()
        lease.release()
    assert tokens == ["1:a", "2:a much longer name", "3:b", "4:" + "ü" * 300, "5:c"]


@pytest.mark.parametrize("address", ["memory:", None])
def test_a_held_lease_is_not_taken_twice(address: str | None, url: str) -> None:
    lease = open_lease(address or url)
    lease.acquire("first")
    with pytest.raises(LeaseHeld, match="first"):
        lease.acquire("second")
    assert lease.token == "1:first"
    lease.release()
    lease.acquire("second")
    assert lease.token == "2:second"
    lease.release()


def test_another_lease_of_the_same_ledger_names_holder_and_process(url: str) -> None:
    lease, other = open_lease(url), open_lease(url)
    lease.acquire("first")
    with pytest.raises(LeaseHeld, match=rf"first \(process {os.getpid()}\)"):
        other.acquire("second")
    lease.release()
    other.acquire("second")
    other.release()


def test_ledgers_in_memory_have_leases_of_their_own() -> None:
    first, second = open_lease("memory:"), open_lease("memory:")
    first.acquire("a")
    second.acquire("b")


def test_another_process_is_refused_until_the_holder_is_killed(url: str, child: Child) -> None:
    process = child(_HOLD, url)
    assert hear(process) == "1:the other"
    lease = open_lease(url)
    with pytest.raises(LeaseHeld, match=rf"the other \(process {process.pid}\)"):
        lease.acquire("me")
    process.send_signal(signal.SIGKILL)
    process.wait()
    lease.acquire("me")
    assert lease.token == "2:me"
    lease.release()


def test_a_forked_child_does_not_keep_the_lease_of_a_dead_parent(url: str, child: Child) -> None:
    process = child(
        """
lease = open_lease(sys.argv[1])
lease.acquire("parent")
if os.fork() == 0:
    tell(f"child {os.getpid()}")
    told()
    os._exit(0)
tell("parent")
told()
""",
        url,
    )
    said = hear(process) + hear(process)
    orphan = int(re.findall(r"child (\d+)", said)[0])
    process.kill()
    process.wait()
    try:
        lease = open_lease(url)
        lease.acquire("me")
        lease.release()
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_lease_file_that_is_none_is_refused(url: str, path: Path) -> None:
    Path(f"{path}.lease").write_text("my notes")
    with pytest.raises(CorruptLedger, match="is not a lease"):
        open_lease(url).acquire("me")


def test_a_lease_needs_a_ledgers_url_and_place(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        open_lease("ledger.db")
    with pytest.raises(StoreUnavailable):
        open_lease(f"sqlite:///{tmp_path}/nowhere/ledger.db").acquire("me")
