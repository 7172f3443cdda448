"""The halt file where it cannot be looked at in ways that look like absence."""

from __future__ import annotations

from pathlib import Path

from tradecore.runner.halt_file import find_halt_file


def test_a_place_for_the_file_that_is_gone_halts(tmp_path: Path) -> None:
    halt = find_halt_file("memory:", str(tmp_path / "share" / "halt"))
    assert halt() is not None
    (tmp_path / "share").mkdir()
    assert halt() is None


def test_a_link_that_leads_nowhere_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "halt").symlink_to(tmp_path / "nowhere")
    assert find_halt_file("memory:", str(tmp_path / "halt"))() is not None
