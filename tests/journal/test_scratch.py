"""What does not fit into memory comes back from the temporary file as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.journal import scratch as module
from tradecore.journal.scratch import Scratch, Spill


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with closing(Scratch()) as scratch:
        yield scratch


def numbers(scratch: Scratch, space: str = "numbers") -> Spill[int]:
    return Spill(scratch, space, lambda value: str(value).encode(), lambda _, stored: int(stored))


@given(steps=st.lists(st.tuples(st.sampled_from("abcdefgé"), st.none() | st.integers())))
def test_a_spill_is_a_mapping(steps: list[tuple[str, int | None]]) -> None:
    with closing(Scratch()) as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AT_HAND", 2)
        spill, right = numbers(scratch), dict[str, int]()
        for key, value in steps:
            spill.put(key, value)
            if value is None:
                right.pop(key, None)
            else:
                right[key] = value
            assert spill.get(key) == value
        assert all(spill.get(key) == right.get(key) for key in "abcdefgé")
        assert list(spill.pairs()) == sorted(right.items())
        assert len(spill) == len(right)


def test_two_spaces_know_nothing_of_each_other(scratch: Scratch) -> None:
    one, other = numbers(scratch, "one"), numbers(scratch, "other")
    one.put("a", 1)
    other.put("b", 2)
    assert (list(one.pairs()), list(other.pairs())) == ([("a", 1)], [("b", 2)])


def test_more_than_a_page_comes_whole_and_may_be_changed_meanwhile(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_HAND", 10)
    monkeypatch.setattr(module, "_PAGE", 7)
    spill = numbers(scratch)
    for number in range(50):
        spill.put(f"{number:02}", number)
    seen = []
    for key, number in spill.pairs():
        seen.append(number)
        spill.put(key, -1)
    assert seen == list(range(50))


def test_ids_that_repeat_and_causes_that_come_later_are_found(scratch: Scratch) -> None:
    scratch.note([("a", 1), ("b", 2)], [("a", 2), ("c", 2)])
    scratch.note([("c", 3), ("a", 4)], [("d", 3)])
    assert scratch.repeated(10) == [(4, "a")]
    assert scratch.uncaused(10) == [(2, "c"), (3, "d")]
    assert scratch.uncaused(1) == [(2, "c")]
