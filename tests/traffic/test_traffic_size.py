"""The table is as large as it is said to be, and no story of it is told twice."""

from __future__ import annotations

from tests.traffic.cases import CASES


def test_there_are_150_distinct_stories() -> None:
    stories = {(case.side, case.quantity, "".join(case.story.split())) for case in CASES}
    assert len(stories) == len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
