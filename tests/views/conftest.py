"""A desk over a ledger in memory, and one over a file that can be damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.desk import Desk
from tests.views.vandal import Vandal


@pytest.fixture
def desk() -> Desk:
    return Desk.in_memory()


@pytest.fixture
def vandal(tmp_path: Path) -> Vandal:
    """A ledger file with an hour of trading in it, and somebody who edits it with SQL."""
    return Vandal.with_trading(tmp_path / "ledger.db")
