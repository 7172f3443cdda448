"""Whatever executions, busts and corrections come in whatever order, what is left is the net of them."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.desk import Desk
from tests.ledger.revisions import Told, tell
from tradecore.books import books_of
from tradecore.domain.events import TradeProposed
from tradecore.domain.values import Side
from tradecore.verify import verify


@attrs.frozen
class Story:
    """Sides of orders, and what is told of them; `net` is (order number, quantity, price, fees) of what stands."""

    sides: tuple[str, ...]
    told: tuple[tuple[int, Told], ...]
    net: tuple[tuple[int, Decimal, Decimal, Decimal], ...]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    sides = tuple(draw(st.lists(st.sampled_from(["buy", "sell"]), min_size=1, max_size=4)))
    told: list[tuple[int, Told]] = []
    net = []
    for number in range(len(sides)):
        cumulative = 0
        for part in range(draw(st.integers(1, 3))):
            quantity, price = draw(st.integers(2, 6)), draw(st.integers(90, 110))
            cumulative += quantity
            name = f"x{number}.{part}"
            fees = draw(st.sampled_from(["0", "0.25"]))
            told.append((number, Told("", name, str(quantity), str(price), str(cumulative), fees, second=part)))
            stands = (Decimal(quantity), Decimal(price), Decimal(fees))
            end = draw(st.sampled_from(["stands", "bust", "correct", "correct twice", "correct and bust"]))
            second = 100 + 10 * part
            for times in range({"stands": 0, "bust": 0, "correct twice": 2}.get(end, 1)):
                stands = (Decimal(draw(st.integers(1, quantity))), Decimal(draw(st.integers(90, 110))), Decimal(fees))
                correction = f"c{number}.{part}.{times}"
                words = (str(stands[0]), str(stands[1]), "999", fees)
                told.append((number, Told("", correction, *words, revises=name, second=second + times)))
                name = correction
            if end.endswith("bust"):
                bust = Told(
                    "", f"b{number}.{part}", str(stands[0]), str(stands[1]), "999",
                    revises=name, busts=True, second=second + 5,
                )  # fmt: skip
                told.append((number, bust))
                stands = (Decimal(0), Decimal(0), Decimal(0))
            net.append((number, *stands))
    return Story(sides, tuple(draw(st.permutations(told))), tuple(net))


@settings(max_examples=150, deadline=None)
@given(stories())
def test_in_any_order_the_end_is_the_net_of_what_was_told(story: Story) -> None:
    desk = Desk.in_memory()
    desk.pin()
    orders = [desk.live(side, "100") for side in story.sides]
    for number, message in story.told:
        tell(desk, attrs.evolve(message, order_id=orders[number]))
        tell(desk, attrs.evolve(message, order_id=orders[number]))  # and told again
    position, cash = Decimal(0), Decimal(100_000)
    for number, quantity, price, fees in story.net:
        position += Side(story.sides[number]).sign * quantity
        cash -= Side(story.sides[number]).sign * quantity * price + fees
    assert desk.account.position("SPY").quantity == position
    assert desk.account.cash == cash
    for number, order_id in enumerate(orders):
        assert desk.order(order_id).filled_qty == sum(item[1] for item in story.net if item[0] == number)
        assert desk.order(order_id).awaited == ()
    held = desk.account.position("SPY")
    assert desk.account.cash + held.cost - desk.account.realised_pnl == 100_000
    proposed = [one.event for one in desk.ledger.journal.read(0, 100_000) if isinstance(one.event, TradeProposed)]
    trades = [desk.ledger.trade(event.trade_id) for event in proposed]
    holding = {state.trade_id: state.position.quantity for state in trades if state and state.position.quantity}
    assert holding == {one.trade_id: one.quantity for one in desk.account.holdings.values()}
    assert all(one.others == {} for one in desk.account.holdings.values())
    assert verify(desk.ledger.journal).findings == ()
    book = books_of(desk.ledger.journal.read(0, 100_000))["main"]
    assert book.trial_balance().is_balanced
    assert book.statement().closing_cash == cash
