"""Disks that are full, too small, or read-only: what was acknowledged stays, and every refusal is one typed line."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.disk.faults import ROOT, appender, told
from tests.power.judging import Promises, Verdict, judge_folder
from tradecore.errors import StoreUnavailable
from tradecore.journal import open_lease

SEED, STEPS = 5, 60


@functools.cache
def _can_mount() -> bool:
    try:
        probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return probe.returncode == 0


needs_mount = pytest.mark.skipif(not _can_mount(), reason="needs the right to mount (unshare -m mount)")


@pytest.mark.parametrize("limit", [4_000, 20_000, 60_000, 200_000])
def test_a_file_that_may_not_grow_loses_nothing_acknowledged(tmp_path: Path, limit: int) -> None:
    said = told(subprocess.check_output(appender(tmp_path, SEED, STEPS, limit), cwd=ROOT, text=True))
    _assert_clean(said)
    assert judge_folder(tmp_path, _promises(said)) == (Verdict.SOUND, "")


@needs_mount
@pytest.mark.parametrize("kilobytes", [60, 180, 400])
def test_a_small_disk_that_fills_up_loses_nothing_acknowledged_and_opens_again(tmp_path: Path, kilobytes: int) -> None:
    first, second = _on_a_small_disk(tmp_path, kilobytes, then="true")
    _assert_clean(first)
    _assert_clean(second)
    assert judge_folder(tmp_path / "left", _promises(first + second)) == (Verdict.SOUND, "")


@needs_mount
def test_a_disk_that_became_read_only_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    first, second = _on_a_small_disk(tmp_path, 4000, then='mount -o remount,ro "$1"')
    assert [kind for kind, _ in second] == ["failed", "closed"]
    _assert_clean(second)
    assert judge_folder(tmp_path / "left", _promises(first)) == (Verdict.SOUND, "")


def test_a_lease_that_cannot_be_written_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    lease = open_lease(f"sqlite:///{tmp_path}/ledger.db")
    with pytest.raises(StoreUnavailable, match="No space left"):
        lease.acquire("me")


def _on_a_small_disk(folder: Path, kilobytes: int, then: str) -> list[list[tuple[str, Any]]]:
    """Two appenders one after the other on a file system of their own; what is left of it is in `left`."""
    disk, left = folder / "disk", folder / "left"
    disk.mkdir()
    left.mkdir()
    words = [appender(disk, SEED + number, STEPS) for number in range(2)]
    script = (
        f'set -e; mount -t tmpfs -o size={kilobytes}k tmpfs "$1"; '
        f'{_quoted(words[0])} > "$2/../first"; {then}; {_quoted(words[1])} > "$2/../second"; '
        'for file in "$1"/*; do case "$file" in *-shm) ;; *) cp "$file" "$2" ;; esac; done'
    )
    subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", str(disk), str(left)], cwd=ROOT, check=True)
    return [told((folder / name).read_text()) for name in ("first", "second")]


def _quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


def _assert_clean(said: list[tuple[str, Any]]) -> None:
    assert said[-1] == ("closed", None)
    for kind, what in said:
        assert kind != "raw", what
        assert kind not in ("failed", "refused") or (what[1] and "\n" not in what[1])


def _promises(said: list[tuple[str, Any]]) -> Promises:
    promises = Promises()
    for item in said:
        promises.hear(json.dumps(item))
    return promises
