"""Bytes that changed while the ledger was closed: it opens, or says in one typed error that it is damaged."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.disk.damage import Remains, cuts, flips, opened_with, remains
from tests.power.judging import Verdict
from tradecore.errors import StoreUnavailable
from tradecore.journal import open_journal
from tradecore.testing.journal_samples import run

CHANCE = 20_260_203


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Remains:
    """What a killed process left."""
    return remains(tmp_path_factory.mktemp("remains"), 11, 25)


def test_what_was_left_is_sound(left: Remains, tmp_path: Path) -> None:
    assert opened_with(left, left.ledger, left.log, tmp_path) == (Verdict.SOUND, "")
    assert len(left.log) > 50_000


def test_a_bit_flipped_in_the_file_never_gets_out_as_a_raw_error(left: Remains, tmp_path: Path) -> None:
    for ledger in flips(left.ledger, random.Random(CHANCE), 150):
        opened_with(left, ledger, left.log, tmp_path)


def test_a_bit_flipped_in_the_log_never_gets_out_as_a_raw_error_or_half_an_append(
    left: Remains, tmp_path: Path
) -> None:
    verdicts = Counter(
        opened_with(left, left.ledger, log, tmp_path)[0] for log in flips(left.log, random.Random(CHANCE), 100)
    )
    assert verdicts[Verdict.TORN] == verdicts[Verdict.CORRUPT] == 0


def test_a_log_cut_short_ends_with_a_whole_append(left: Remains, tmp_path: Path) -> None:
    verdicts = Counter(opened_with(left, left.ledger, log, tmp_path)[0] for log in cuts(left.log, 4001))
    assert verdicts[Verdict.TORN] == verdicts[Verdict.CORRUPT] == 0


def test_a_file_cut_short_is_refused(left: Remains, tmp_path: Path) -> None:
    for ledger in cuts(left.ledger, 4096):
        verdict, reason = opened_with(left, ledger, b"", tmp_path)
        assert verdict is Verdict.CORRUPT, reason


@pytest.mark.parametrize("kind", ["", "-wal", "-shm"])
@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_nothing_is_acknowledged_into_a_file_that_nobody_will_find(tmp_path: Path, kind: str, replaced: bool) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/ledger.db")
    journal.append(run("a", 1, 1))
    gone = tmp_path / f"ledger.db{kind}"
    shutil.copy(gone, tmp_path / "copy")
    gone.unlink()
    if replaced:
        (tmp_path / "copy").rename(gone)
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        journal.append(run("b", 1, 1))
    with pytest.raises(StoreUnavailable, match="restart"):
        journal.views.write("view", "shape", 0, 1, {})
    assert journal.head() == 1
    journal.close()


def test_a_file_removed_in_the_middle_of_an_append_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/ledger.db")
    journal.append(run("a", 1, 1))
    monkeypatch.setattr("tradecore.journal.sqlite.recorder.failpoint", lambda _: (tmp_path / "ledger.db").unlink())
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        journal.append(run("b", 1, 1))
    journal.close()
