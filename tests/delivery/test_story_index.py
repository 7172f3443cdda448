"""The page of failure stories names tests that exist, and every story that delivery has to tell."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORIES = {*range(1, 10), 14, 16, 17, 21}


def test_every_story_has_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "failure-stories.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    assert {int(row.split("|")[1]) for row in rows} == STORIES
    for row in rows:
        named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", row)
        assert named, row
        for path, test in named:
            assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), test
