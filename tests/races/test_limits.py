"""Four takers on one account: its limits hold against every order of history, whoever was faster."""

from __future__ import annotations

from tests.races.contests import take_orders
from tests.races.hands import Store

ROUNDS = 30


def test_no_limit_is_ever_exceeded_by_takers_who_race(store: Store) -> None:
    taking = take_orders(store, ROUNDS)
    assert taking.breaches == []
    assert taking.done["placed"] >= ROUNDS * 5
    assert taking.done["refused"] > 0
    assert taking.done["canceled"] > 0
    assert taking.done["gave up"] == 0


def test_takers_who_check_and_then_act_do_exceed_the_limits(store: Store) -> None:
    """The proof that the race can be lost; how soon depends on who gets the processor."""
    assert any(take_orders(store, 6, role="take_naively").breaches for _ in range(20))
