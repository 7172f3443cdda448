"""The fixtures of journals and terminals, for what operates on them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import terminal
from tests.journal.conftest import child, journal, path, url

__all__ = ["child", "journal", "path", "terminal", "url"]

pytest.register_assert_rewrite("tradecore.testing.side_store_contract")
