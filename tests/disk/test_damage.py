"""Bytes that changed while the ledger was closed: it opens, or says in one typed error that it is damaged."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.disk.damage import Remains, cuts, flips, opened_with, remains
from tests.power.judging import Verdict
from tradecore.errors import CorruptLedger, InputError, StoreUnavailable
from tradecore.journal import open_journal, restore_ledger
from tradecore.testing.journal_samples import run

CHANCE = 20_260_203


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Remains:
    """What a killed process left."""
    return remains(tmp_path_factory.mktemp("remains"), 13, 34)


def test_what_was_left_is_sound(left: Remains, tmp_path: Path) -> None:
    assert opened_with(left, left.ledger, left.log, tmp_path) == (Verdict.SOUND, "")
    assert left.frames_in_use > 40, "a checkpoint just before leaves nothing in the log to damage: take other steps"


def test_a_bit_flipped_in_the_file_never_gets_out_as_a_raw_error(left: Remains, tmp_path: Path) -> None:
    for ledger in flips(left.ledger, random.Random(CHANCE), 150):
        opened_with(left, ledger, left.log, tmp_path)


def test_a_bit_flipped_in_the_log_loses_no_event_without_a_word(left: Remains, tmp_path: Path) -> None:
    verdicts: Counter[Verdict] = Counter()
    for log in flips(left.log, random.Random(CHANCE), 150):
        verdict, reason = opened_with(left, left.ledger, log, tmp_path, left.head)
        # A view that falls behind is folded again from the events.
        assert verdict in (Verdict.SOUND, Verdict.CORRUPT) or reason.startswith("the view stands"), reason
        verdicts[verdict] += 1
    assert verdicts[Verdict.CORRUPT] > 50


def test_after_a_power_cut_too_that_took_the_head_file_only_the_last_two_appends_can_go_unnoticed(
    left: Remains, tmp_path: Path
) -> None:
    verdicts: Counter[Verdict] = Counter()
    appends = len(left.promises.batches)
    for log in flips(left.log, random.Random(CHANCE), 150):
        verdict, reason = opened_with(left, left.ledger, log, tmp_path)
        verdicts[verdict] += 1
        if found := re.match(r"append (\d+) was acknowledged", reason):
            assert int(found[1]) >= appends - 2, reason
    assert verdicts[Verdict.TORN] == 0
    assert verdicts[Verdict.CORRUPT] > 50


def test_a_flipped_head_file_accuses_nobody(left: Remains, tmp_path: Path) -> None:
    for head in flips(left.head, random.Random(CHANCE), 60):
        assert opened_with(left, left.ledger, left.log, tmp_path, head) == (Verdict.SOUND, "")


def test_a_log_cut_short_ends_with_a_whole_append_and_is_refused_by_the_head_file(
    left: Remains, tmp_path: Path
) -> None:
    for log in cuts(left.log, 4001):
        verdict, reason = opened_with(left, left.ledger, log, tmp_path)
        assert verdict in (Verdict.SOUND, Verdict.LOST), reason
        verdict, reason = opened_with(left, left.ledger, log, tmp_path, left.head)
        assert verdict in (Verdict.SOUND, Verdict.CORRUPT) or reason.startswith("the view stands"), reason


def test_an_old_copy_in_its_place_is_refused_until_the_head_file_is_moved_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with closing(open_journal(url)) as journal:
        journal.append(run("a", 1, 3))
        journal.backup(tmp_path / "copy.db")
        journal.append(run("a", 4, 9))
    shutil.copy(tmp_path / "copy.db", tmp_path / "ledger.db")
    with pytest.raises(CorruptLedger, match=r"ends at position 3, and position 9 was written.*ledger\.db\.head away"):
        open_journal(url)
    (tmp_path / "ledger.db").unlink()
    with pytest.raises(CorruptLedger, match=r"is gone but ledger\.db\.head is there"):
        open_journal(url)
    with pytest.raises(InputError, match=r"ledger\.db\.head"):
        restore_ledger(tmp_path / "copy.db", url)
    (tmp_path / "ledger.db.head").unlink()
    assert restore_ledger(tmp_path / "copy.db", url) == 3


def test_another_history_in_its_place_is_refused(tmp_path: Path) -> None:
    for name in ("ledger", "other"):
        with closing(open_journal(f"sqlite:///{tmp_path}/{name}.db")) as journal:
            journal.append(run("a", 1, 5))
    shutil.copy(tmp_path / "other.db", tmp_path / "ledger.db")
    with pytest.raises(CorruptLedger, match="another event at position 5"):
        open_journal(f"sqlite:///{tmp_path}/ledger.db")


def test_a_head_file_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    with closing(open_journal(f"sqlite:///{tmp_path}/other.db")) as journal:
        (tmp_path / "other.db.head").mkdir()
        journal.append(run("a", 1, 5))
    with closing(open_journal(f"sqlite:///{tmp_path}/other.db")) as journal:
        assert journal.head() == 5


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
