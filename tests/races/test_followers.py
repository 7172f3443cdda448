"""Eight writers and a follower at once: every event has one place, and is seen in it."""

from __future__ import annotations

from typing import cast

import pytest

from tests.races.contests import write_and_follow
from tests.races.hands import Store
from tests.races.naive import NumberCounted, NumberDrawnEarly
from tests.races.referee import Following
from tradecore.journal import Journal

APPENDS = 40


def test_a_follower_of_eight_writers_skips_nothing_and_sees_the_order_that_they_were_given(store: Store) -> None:
    events, following = write_and_follow(store, APPENDS)
    assert following == Following(skipped=0, twice=0, out_of_order=0, gaps=0)
    assert events == 8 * (APPENDS * 2 + APPENDS // 4)
    store.journal.check()


@pytest.mark.parametrize("naive", [NumberDrawnEarly, NumberCounted])
def test_positions_given_out_naively_are_skipped_or_given_twice(naive: type[NumberDrawnEarly]) -> None:
    """The proof that the race can be lost."""
    _, following = write_and_follow(Store("memory:", cast("Journal", naive())), APPENDS)
    assert following.skipped + following.twice > 0
