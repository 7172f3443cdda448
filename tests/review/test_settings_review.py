"""A setting that was misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from tradecore.errors import ConfigurationError
from tradecore.settings import load_settings


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ({"ledgr": "memory:"}, "ledger"),
        ({"delivery": {"reconcil_every_s": 3}}, "reconcile_every_s"),
        ({"risk": {"max_ordr_qty": 1}}, "max_order_qty"),
    ],
)
def test_a_misspelt_setting_is_told_with_the_one_that_was_meant(wrong: dict[str, Any], near: str) -> None:
    with pytest.raises(ConfigurationError, match=f"there is no such setting; did you mean {near}?"):
        load_settings(None, wrong)
