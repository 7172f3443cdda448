"""Whatever part of its last writes a power cut takes, a ledger keeps what it acknowledged, whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.power.cuts import FULL, NORMAL, OFF, Session, Tally, cut_everywhere, record
from tests.power.judging import Verdict
from tests.power.recording import DirectorySynced, Marked, Named, Synced, Written, recorder

SEED = 20_260_203
THREE_LIVES = [Session(14), Session(14, "close"), Session(6)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorder."""
    built = recorder(tmp_path_factory.mktemp("recorder"))
    if built is None:
        pytest.skip("recording needs Linux and a C compiler (cc or gcc)")
    return built


def _cut(
    library: Path, folder: Path, sessions: list[Session], synchronous: int = FULL, *, tries: int, most: int
) -> Tally:
    operations = record(library, folder, SEED, sessions, synchronous)
    return cut_everywhere(operations, random.Random(SEED), tries, most)


def test_a_power_cut_at_any_moment_loses_tears_and_corrupts_nothing(library: Path, tmp_path: Path) -> None:
    tally = _cut(library, tmp_path, THREE_LIVES, tries=3, most=2000)
    assert tally.images > 1500
    assert tally.reasons == {}


def test_a_creator_killed_before_its_directory_was_synced_loses_nothing_either(library: Path, tmp_path: Path) -> None:
    tally = _cut(library, tmp_path, [Session(0, "dies-creating"), Session(1), Session(4)], tries=4, most=600)
    assert tally.reasons == {}


@pytest.mark.parametrize("restarted", [Session(0, "close"), Session(6)], ids=["only reads", "writes"])
def test_a_restart_after_a_failed_sync_and_then_a_power_cut_lose_nothing(
    library: Path, tmp_path: Path, restarted: Session
) -> None:
    """The system shows the restarted process a log whose write failed, and will never write it by itself again."""
    sessions = [Session(40, "exit", fails_sync=22), restarted, Session(5)]
    tally = _cut(library, tmp_path, sessions, tries=1, most=1000)
    assert tally.reasons == {}


def test_with_less_syncing_the_same_power_cuts_do_lose_what_was_acknowledged(library: Path, tmp_path: Path) -> None:
    """The proof that the machinery can fail."""
    tally = _cut(library, tmp_path, THREE_LIVES, NORMAL, tries=1, most=500)
    assert tally.counts[Verdict.LOST] > 50


def test_without_syncing_the_same_power_cuts_do_corrupt(library: Path, tmp_path: Path) -> None:
    """The proof that the machinery sees damage, too."""
    tally = _cut(library, tmp_path, THREE_LIVES, OFF, tries=1, most=500)
    assert tally.counts[Verdict.CORRUPT] > 50


def test_the_recorder_sees_the_whole_life_of_a_ledger(library: Path, tmp_path: Path) -> None:
    operations = record(library, tmp_path, SEED, [Session(25, "close")])
    kinds = [type(operation) for operation in operations]
    assert all(kinds.count(kind) > 1 for kind in (Written, Synced, DirectorySynced, Named, Marked))
    final = {operation.name: operation.file for operation in operations if isinstance(operation, Named)}
    assert final["ledger.db"] is not None
    assert final["ledger.db-wal"] is None
    files = sorted(path.name for path in (tmp_path / f"work-{SEED}").iterdir())
    assert files == ["ledger.db", "ledger.db.head", "ledger.db.lock", "marks"]
