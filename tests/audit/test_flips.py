"""A flipped bit in a ledger file is noticed, or it changed nothing that is stored. By hand: `tests.audit.campaign`."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.audit.flips import CHECK, MISSED, OPENING, SAME, VERIFY, Victim

_FLIPS = 1000
_CAP_S = 15.0


@pytest.mark.slow
def test_a_thousand_flipped_bits_and_none_changes_an_event_unnoticed(tmp_path: Path) -> None:
    victim = Victim.made(tmp_path, strategies=0)
    counts: Counter[str] = Counter()
    started = time.monotonic()
    for flip in itertools.islice(victim.flips(seed=20_260_203), _FLIPS):
        assert flip.outcome != MISSED, flip
        counts[flip.outcome] += 1
        if time.monotonic() - started > _CAP_S:
            break
    assert counts.total() >= 100
    assert min(counts[CHECK], counts[VERIFY], counts[SAME]) > 10


@pytest.mark.parametrize(("place", "outcome"), [(0, OPENING), (19, OPENING), (24, SAME), (60, SAME)])
def test_the_classes_are_told_apart(tmp_path: Path, place: int, outcome: str) -> None:
    """The magic, the format version, a counter, and a number that is the user's own."""
    assert Victim.made(tmp_path, strategies=0).flip(place, 2).outcome == outcome


def test_a_flip_anywhere_in_an_event_is_noticed(tmp_path: Path) -> None:
    victim = Victim.made(tmp_path, strategies=0)
    begin = victim.content.index(b'{"id":')
    length = victim.content[begin:].index(b"}}") + 2
    for place in range(begin, begin + length, 3):
        assert victim.flip(place, place % 8).outcome in (CHECK, VERIFY)


def test_an_unnoticed_change_would_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge itself: with a verification that never finds anything, an edited event is a miss."""
    victim = Victim.made(tmp_path, strategies=0)
    place = victim.content.index(b'"actor":"test","src"') + 10
    assert victim.flip(place, 0).outcome == CHECK
    monkeypatch.setattr("tradecore.journal.sqlite.journal.SqliteJournal.check", lambda journal: None)
    assert victim.flip(place, 0).outcome == VERIFY
    monkeypatch.setattr("tests.audit.flips._assert_sound", lambda journal, anchors: None)
    assert victim.flip(place, 0).outcome == MISSED
