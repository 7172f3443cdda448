"""Every place that may fail is on a list that campaigns go through, and every name on a list is a place."""

from __future__ import annotations

import re
from pathlib import Path

from tradecore.failpoints import ALL_FAILPOINTS

_ROOT = Path(__file__).parents[2]
_CALL = re.compile(r"(?<!def )\bfailpoint\((.*?)\)")


def test_failpoints_and_their_lists_say_the_same() -> None:
    called: set[str] = set()
    for folder in ("src", "adapters", "runners"):
        for path in (_ROOT / folder).rglob("*.py"):
            called.update(_CALL.findall(path.read_text(encoding="utf-8")))
    assert called == {f'"{name}"' for name in ALL_FAILPOINTS}
    assert len(set(ALL_FAILPOINTS)) == len(ALL_FAILPOINTS)
