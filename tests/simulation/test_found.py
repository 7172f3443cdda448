"""What the simulation found, as small stories: the seeds that found it change with every word of the script."""

from __future__ import annotations

from tests.ledger.desk import Desk
from tradecore.domain.messages import Cause
from tradecore.ledger import Ledger
from tradecore.sagas.conductor import Conductor


def test_what_a_start_read_before_it_follows_the_log_is_read_again() -> None:
    """A runner that could not reach the broker for seconds kept orders as they were before; nothing told it later."""
    desk = Desk.in_memory()
    desk.pin()
    order_id = desk.live("buy", "10")
    other = Ledger(desk.ledger.journal, desk.clock, desk.ids)
    before = other.order(order_id)
    desk.fill(order_id, "10", "100")
    assert other.order(order_id) == before
    other.look_again()
    after = other.order(order_id)
    assert after is not None
    assert after.filled_qty == 10
    assert other.account("main") == desk.account


def test_a_saga_that_waits_for_the_gate_is_looked_at_again_without_an_event() -> None:
    desk = Desk.in_memory()
    desk.pin()
    asked: list[None] = []

    def held_back(_: object) -> str:
        asked.append(None)
        return "the account was not compared for too long"

    conductor = Conductor(desk.ledger, desk.clock, desk.ids, "main", held_back=held_back)
    terms = {"symbol": "SPY", "side": "buy", "quantity": "10", "strategy": "test", "order_type": "market"}
    conductor.start(desk.ids.order_id(), "signal_execution", terms, Cause(desk.ids.trace_id(), actor="test"))
    conductor.advance()
    assert asked
    until = conductor._until_deadline()
    assert until is not None
    assert until <= 5.0
