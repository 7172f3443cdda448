"""A ledger with a past: an agent that said how sure it was, and trades that ended one way or the other."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.identity import decision_id, order_id_of_decision
from tradecore.domain.judgement import Judgement, Stance, Vote
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce

MODEL = "local/scripted"


def decide(desk: Desk, confidence: str, symbol: str = "SPY", votes: tuple[Vote, ...] = ()) -> tuple[str, str]:
    """A decision of the agent to buy ten units at 100; its id and its order's."""
    at = desk.clock.now()
    decision = decision_id("agent", symbol, at.isoformat())
    order_id = order_id_of_decision(decision)
    cause = Cause(desk.ids.trace_id(), actor="agent:agent")
    asked = cmd.RequestDecision(
        decision,
        "agent",
        "main",
        symbol,
        None,
        at,
        at + dt.timedelta(seconds=30),
        {"rsi": Decimal(50)},
        ("pe",),
        ("bars",),
    )
    desk.ledger.handle(asked, cause)
    made = Judgement(Stance.BUY, "a story", Decimal(confidence), Decimal("0.01"), votes=votes, model=MODEL)
    desk.ledger.handle(cmd.ConcludeDecision(decision, made), cause)
    kept = cmd.ValidateDecision(decision, Stance.BUY, "", Decimal(confidence), None, Decimal(10), Decimal(100), None)
    desk.ledger.handle(kept, cause)
    proposal = cmd.Proposal(
        decision, "agent", symbol, Side.BUY, Decimal(10), Decimal(100), at, "a story", Decimal(confidence)
    )
    place = cmd.PlaceOrder(
        order_id=order_id,
        account="main",
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.DAY,
        strategy="agent",
        not_after=at + dt.timedelta(seconds=30),
        reference_price=Decimal(100),
        proposal=proposal,
    )
    desk.ledger.handle(place, cause)
    return decision, order_id


def live_through(desk: Desk, confidence: str, price: str, symbol: str = "SPY", votes: tuple[Vote, ...] = ()) -> str:
    """A decision that was filled at 100 and closed at `price` an hour later; its id."""
    decision, order_id = decide(desk, confidence, symbol, votes)
    desk.send(order_id)
    desk.answer(order_id)
    desk.fill(order_id, "10", "100")
    desk.clock.at += dt.timedelta(hours=1)
    desk.done("sell", "10", price, symbol, strategy="agent")
    desk.clock.at += dt.timedelta(minutes=1)
    return decision


def boast(desk: Desk, count: int, seed: int = 3) -> None:
    """So many decisions of one who says 0.7 to 0.95, and is right in half of the cases."""
    rng = random.Random(seed)
    for _ in range(count):
        said = rng.choice(["0.7", "0.8", "0.9", "0.95"])
        live_through(desk, said, "101" if rng.random() < 0.5 else "99")
