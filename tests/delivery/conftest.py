"""A ledger in memory, with a clock that stands still and ids that count."""

from __future__ import annotations

import pytest

from tests.ledger.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk.in_memory()
