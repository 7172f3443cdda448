"""Contract suites explain their failures only when pytest rewrites their assertions."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tradecore.testing.journal_contract", "tradecore.testing.views_contract")
