"""Any one system call of an append, a checkpoint, a creation or a close may fail, once or from then on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.disk.faults import Fault, can_inject, every_fault, strike, wrongs

SEED, STEPS = 7, 20

pytestmark = pytest.mark.skipif(not can_inject(), reason="needs strace, and the right to trace (ptrace)")


def test_no_failing_call_leads_to_a_false_acknowledgement_or_a_ledger_that_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "counted").mkdir()
    counted = strike(None, tmp_path / "counted", SEED, STEPS)
    assert counted.kinds()[-1] == "closed"
    faults = random.Random(SEED).sample(list(every_fault(counted.calls)), 16)
    assert _found(faults, tmp_path, STEPS) == []


def test_a_creation_that_fails_leaves_no_ledger_or_a_sound_one(tmp_path: Path) -> None:
    """The faults are those of a draft's last writes and syncs, its way to its name, and the clearing up."""
    (tmp_path / "counted").mkdir()
    counted = strike(None, tmp_path / "counted", SEED, 0)
    written = range(counted.calls["pwrite64"] // 2, counted.calls["pwrite64"], 4)
    faults = [Fault("pwrite64", "ENOSPC", hit) for hit in written]
    faults += [Fault("rename", "EIO", 1), Fault("unlink", "EACCES", 1), Fault("fsync", "EIO", 1)]
    assert _found(faults, tmp_path, 0) == []


def test_the_error_of_a_lock_that_cannot_be_given_back_is_not_let_out(tmp_path: Path) -> None:
    assert _found([Fault("flock", "ENOLCK", 6, stays=True)], tmp_path, 4) == []


def test_the_first_failed_sync_is_the_last(tmp_path: Path) -> None:
    """Found by its calls: the sync of an append answers the append and every write after it with an error."""
    (tmp_path / "work").mkdir()
    fault = Fault("fdatasync", "EIO", 12)
    story = strike(fault, tmp_path / "work", SEED, STEPS)
    assert (story.struck, story.acknowledged_after) == ("ledger.db-wal", 0)
    assert story.kinds().count("failed") == 1
    assert story.kinds().count("refused") == 2
    assert list(wrongs(fault, story, tmp_path / "work")) == []


def _found(faults: list[Fault], folder: Path, steps: int) -> list[str]:
    found: list[str] = []
    for number, fault in enumerate(faults):
        work = folder / f"work-{number}"
        work.mkdir()
        story = strike(fault, work, SEED, steps)
        # How often a lock is asked for depends on how long it is waited for: the last times may not come.
        assert story.struck or fault.call == "flock", f"{fault} struck nothing"
        found += wrongs(fault, story, work)
    return found
