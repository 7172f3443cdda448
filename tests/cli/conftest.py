"""The command line in this process, on a ledger in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Somebody at a terminal in an empty directory, with nothing of tradecore in the environment."""
    for name in ("TRADECORE_LEDGER", "TRADECORE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path / "tradecore.db", capsysbinary)
