"""The desk of a backtest and the ledger of a runner: the same commands, the same events, byte for byte."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.market import Planned, bar, buy, sell
from tradecore.domain.exit_plan import ExitPlan, Rung
from tradecore.domain.limits import Action, Limits
from tradecore.domain.messages import Cause
from tradecore.domain.nanos import instant
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Bar, OrderClass, OrderType, TimeInForce
from tradecore.journal.codec import CODEC
from tradecore.journal.memory.journal import MemoryJournal
from tradecore.ledger import Ledger
from tradecore.ports.strategy import Idea
from tradecore_backtest.books import DeskBooks
from tradecore_backtest.desk import Desk, Unit
from tradecore_backtest.leaving import Caretaker
from tradecore_backtest.market import MarketModel
from tradecore_backtest.pocket import Pocket
from tradecore_backtest.run import Run, Terms
from tradecore_backtest.table import table_of
from tradecore_backtest.writing import DerivedIds, recorded

D = Decimal


class TapeClock:
    """The market's time."""

    def __init__(self) -> None:
        self.ns = 0

    def now_ns(self) -> int:
        return self.ns

    def now(self) -> dt.datetime:
        return instant(self.ns)

    def monotonic(self) -> float:
        return self.ns / 1e9

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits in a backtest")


def by_the_ledger(tape: list[Unit], name: str) -> list[bytes]:
    """The same commands through the one door for writing."""
    clock, ids = TapeClock(), DerivedIds(name)
    clock.ns = tape[0].ns
    ledger = Ledger(MemoryJournal(), clock, ids)
    for unit in tape:
        clock.ns = unit.ns
        cause = Cause(ids.trace_id(), unit.actor)
        if unit.command is None:
            ((stream, event),) = unit.events
            ledger.note(stream, event, cause)
        else:
            ledger.handle(unit.command, cause)
    return [link.state for link in ledger.journal.links(0, 1_000_000)]


prices = st.lists(st.integers(9_900, 10_100), min_size=6, max_size=14)
kinds = st.sampled_from(
    ["market", "limit", "stop", "ioc", "bracket", "target", "oco", "close", "exits", "trail", "time"]
)
sides = st.booleans()
plans = st.dictionaries(st.integers(0, 12), st.tuples(kinds, sides, st.integers(1, 9)), max_size=8)
limits = st.sampled_from(
    [
        Limits(),
        Limits(max_position_qty=D(12), max_open_orders=2),
        Limits(max_order_qty=D(5), actions={"max_order_qty": Action.REDUCE}),
        Limits(max_order_notional=D(600), max_gross_exposure_share=D("0.5"), max_daily_loss_share=D("0.01")),
    ]
)


def idea(kind: str, buys: bool, quantity: int, cents: int) -> Idea:
    make, sign = (buy, 1) if buys else (sell, -1)
    match kind:
        case "limit":
            return make(str(quantity), order_type=OrderType.LIMIT, limit_price=D(cents - sign * 20) / 100)
        case "stop":
            return make(str(quantity), order_type=OrderType.STOP, stop_price=D(cents + sign * 20) / 100)
        case "ioc":
            force = TimeInForce.IOC
            return make(str(quantity), order_type=OrderType.LIMIT, limit_price=D(cents) / 100, time_in_force=force)
        case "bracket" | "target":
            profit = TakeProfit(D(cents + sign * 30) / 100)
            if kind == "target":
                return make(str(quantity), order_class=OrderClass.OTO, take_profit=profit)
            loss = StopLoss(D(cents - sign * 30) / 100)
            return make(str(quantity), order_class=OrderClass.BRACKET, take_profit=profit, stop_loss=loss)
        case "oco":
            loss, price = StopLoss(D(cents + sign * 30) / 100), D(cents - sign * 10) / 100
            terms: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": price, "stop_loss": loss}
            return make(str(quantity), order_class=OrderClass.OCO, **terms)
        case "exits":
            plan = ExitPlan(stop_loss=D("0.003"), ladder=(Rung(D("0.004"), D(1)),))
            return make(str(quantity), time_in_force=TimeInForce.GTC, exits=plan)
        case "trail":
            return make(str(quantity), exits=ExitPlan(trail=D("0.002"), trail_arm=D("0.001"), stop_loss=D("0.004")))
        case "time":
            rungs = (Rung(D("0.002"), D("0.5")),)
            return make(str(quantity), exits=ExitPlan(max_holding_s=D(180), ladder=rungs, break_even=D("0.001")))
        case "close":
            return make(str(quantity), time_in_force=TimeInForce.CLS)
        case _:
            return make(str(quantity))


@settings(max_examples=100, deadline=None)
@given(prices, plans, limits, st.booleans(), st.booleans())
def test_the_desk_decides_as_the_ledger(
    cents: list[int], told: dict[int, tuple[str, bool, int]], rules: Limits, shares_volume: bool, ends: bool
) -> None:
    bars: list[Bar] = []
    for number, (before, after) in enumerate(itertools.pairwise(cents)):
        four = (before, max(before, after), min(before, after), after)
        minute = number + 380 if ends else number  # half of the runs see the close of a session
        bars.append(bar(minute, *(f"{price / 100:.2f}" for price in four), volume="20"))
    ideas = {place: idea(*plan, cents[place + 1]) for place, plan in told.items() if place < len(bars)}
    model = MarketModel(fee_per_unit=D("0.01"), volume_share=D("0.2") if shares_volume else None)
    name = "example"
    desk = Desk("main", DerivedIds(name).epoch())
    terms = Terms(D(1000), rules, model, 60 * 10**9)
    books = DeskBooks(desk, "main", "planned")
    decided = Run(table_of(bars), Planned(ideas), books, terms)
    decided.ask(books, Caretaker(desk, books, decided.venue, "main", name, terms.bar_ns))
    decided.go()
    mine = [CODEC.encode(one) for unit in recorded(desk.tape, name) for one in unit]
    assert mine == by_the_ledger(desk.tape, name)
    if rules == Limits():
        pocket, later = Pocket("planned", "main"), Desk("main", desk.epoch)
        noted = Run(table_of(bars), Planned(ideas), pocket, terms)
        others = DeskBooks(later, "main", "planned")

        def ask_domain() -> None:
            pocket.play(others)
            noted.ask(others, Caretaker(later, others, noted.venue, "main", name, terms.bar_ns))

        noted.hand_over = ask_domain
        noted.go()
        if noted.books is pocket:
            pocket.play(others)
        assert [CODEC.encode(one) for unit in recorded(later.tape, name) for one in unit] == mine
        assert noted.equity == decided.equity


def test_nothing_is_kept_of_a_command_that_is_refused() -> None:
    desk = Desk("main", "0a1b2c3d")
    terms = Terms(D(1000), Limits(), MarketModel(), 60 * 10**9)
    Run(table_of([bar(0, "10")]), Planned({0: buy("0")}), DeskBooks(desk, "main", "planned"), terms).go()
    kinds = [event.NAME for unit in desk.tape for _, event in unit.events]
    assert kinds[-1] == "system.alert.triggered"
    assert not any(kind.startswith("trade.") for kind in kinds)
