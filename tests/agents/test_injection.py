"""A model that obeys every text that it is shown: limits, budget and symbols hold, and no secret is in a prompt."""

from __future__ import annotations

import anyio
import pytest

from tests.agents.campaign import attack
from tests.agents.injection import KINDS, PLENTY, SCARCE


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_a_text_says_moves_a_limit(kind: str) -> None:
    happened = anyio.run(attack, kind, 30, PLENTY)
    assert happened["decisions"] == happened["heard by the model"] == 30
    assert happened["orders"] + happened["refused"] > 0, "the model was heard, and the gate had something to do"


def test_no_text_gets_more_than_the_budget() -> None:
    happened = anyio.run(attack, "tool_hijack", 60, SCARCE)
    assert happened["decisions"] == 60
    assert 0 < happened["heard by the model"] < 60
