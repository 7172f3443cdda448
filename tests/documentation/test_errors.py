"""Every typed error is in the tree of its module and on the page of errors."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from tradecore import errors

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
BASES = {"TradecoreError", "RefusedError", "JournalError", "BrokerError"}
NAMES = {name for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, errors.TradecoreError)}


def test_the_page_says_of_every_error_when_it_is_raised() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", text, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == NAMES - BASES
    assert [name for name in BASES if f"`{name}`" not in text] == []


def test_the_tree_is_that_of_the_classes() -> None:
    """The depth at which the module's text shows a class is its depth below the base."""
    assert errors.__doc__ is not None
    shown = re.findall(r"^    ([│├└─ ]*)(\w+)", errors.__doc__, re.MULTILINE)
    depths = {name: len(branch) // 4 for branch, name in shown}
    assert depths == {name: getattr(errors, name).__mro__.index(errors.TradecoreError) for name in NAMES}
