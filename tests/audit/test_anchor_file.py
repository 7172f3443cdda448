"""Anchors in a file: appended, synced, and judged line by line."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import attrs
import pytest

from tests.ledger.desk import NOON
from tradecore.audit.anchor_file import AnchorFile
from tradecore.errors import StoreUnavailable
from tradecore.ports.anchor import Anchor

ANCHOR = Anchor("ledger-1", 7, b"\1" * 32, b"\2" * 32, NOON)


@pytest.fixture
def file(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / "some.anchors")


def test_an_anchor_is_one_line_of_json_and_comes_back(file: AnchorFile) -> None:
    later = attrs.evolve(ANCHOR, position=9)
    file.record(ANCHOR)
    file.record(later)
    assert file.read() == ((ANCHOR, later), ())
    first = json.loads(file.path.read_text().splitlines()[0])
    assert first == {
        "ledger_id": "ledger-1",
        "position": 7,
        "chain": "01" * 32,
        "root": "02" * 32,
        "recorded_at": "2024-01-02T17:00:00.000000Z",
    }


def test_file_and_directory_are_synced_before_it_returns(file: AnchorFile, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    file.record(ANCHOR)
    assert synced == [file.path, file.path.parent]


def test_what_a_power_cut_tore_is_passed_over_and_then_told(file: AnchorFile) -> None:
    file.record(ANCHOR)
    whole = file.path.read_bytes()
    file.path.write_bytes(whole + whole[:50])
    assert file.read() == ((ANCHOR,), ())
    file.record(ANCHOR)
    anchors, (finding,) = file.read()
    assert anchors == (ANCHOR, ANCHOR)
    assert finding.subject == "some.anchors, line 2"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("01" * 32, "01" * 31),
        ("02" * 32, "xy" * 32),
        (":7,", ":0,"),
        (":7,", ':"7",'),
        ("000Z", "000"),
        ("root", "rood"),
        ("{", ""),
        ("ledger-1", "\udcff"),
    ],
)
def test_a_line_that_is_no_anchor_is_a_finding(file: AnchorFile, old: str, new: str) -> None:
    file.record(ANCHOR)
    good = file.path.read_text()
    file.path.write_bytes(good.replace(old, new, 1).encode(errors="surrogateescape") + good.encode())
    anchors, (finding,) = file.read()
    assert anchors == (ANCHOR,)
    assert finding.check == "anchor file"
    assert "line 1" in finding.subject


def test_a_full_disk_is_an_error_and_leaves_no_half_line(file: AnchorFile) -> None:
    file.record(ANCHOR)
    whole = file.path.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, old[1]))
        with pytest.raises(StoreUnavailable, match=r"some\.anchors"):
            file.record(ANCHOR)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, before)
    assert file.path.read_bytes() == whole


def test_a_place_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    missing = AnchorFile(tmp_path / "nowhere" / "some.anchors")
    with pytest.raises(StoreUnavailable, match="nowhere"):
        missing.record(ANCHOR)
    with pytest.raises(StoreUnavailable, match="nowhere"):
        missing.read()
