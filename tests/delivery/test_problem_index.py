"""The page of known problems names tests that exist, and every fault that the exchange can commit."""

from __future__ import annotations

import re
from pathlib import Path

from tradecore_exchange.fault_kinds import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "alpaca-problems.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/\S+\.py)::(test_\w+)`")


def test_every_problem_has_a_test_that_exists() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not re.match(r"\| \w+ \| tests? \|", line)]
    assert len(rows) > 60
    for row in rows:
        assert NAMED.search(row), row
    for path, test in NAMED.findall(PAGE):
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), test


def test_every_kind_of_fault_is_on_the_page() -> None:
    assert set(KINDS) <= set(re.findall(r"`(\w+)`", PAGE))


def test_a_fault_is_told_by_a_test_of_the_exchange_and_by_one_of_what_gets_over_it() -> None:
    rows = PAGE.split("## Faults", 1)[1].splitlines()
    for row in (row for row in rows if row.startswith("| `")):
        folders = {path.split("/")[1] for path, _ in NAMED.findall(row)}
        assert "exchange" in folders, row
        assert folders & {"alpaca", "delivery"}, row
