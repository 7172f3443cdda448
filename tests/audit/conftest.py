"""A ledger file with an hour of trading in it, and somebody who forges it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.forger import Forger


@pytest.fixture
def forger(tmp_path: Path) -> Forger:
    return Forger.with_trading(tmp_path / "ledger.db")
