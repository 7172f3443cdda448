"""Sagas against the exchange over real HTTP: what they withdraw, place and put back is there, and not beside itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from decimal import Decimal

import anyio
import attrs
import pytest

from tests.delivery.rig import Rig, open_rig
from tests.delivery.test_unasked import bought, operate, settled
from tradecore.domain.identity import leg_order_id
from tradecore.domain.messages import Cause
from tradecore.domain.saga import SagaState
from tradecore.domain.terms import StopLoss, TakeProfit
from tradecore.domain.values import Leg, OrderClass, Purpose, SagaStatus, TimeInForce
from tradecore.sagas.conductor import Conductor

D = Decimal
SAGA = "018f3c5e-9d1a-7c3b-8a54-0242ac120002"
OVER = (SagaStatus.COMPLETED, SagaStatus.FAILED, SagaStatus.MANUAL)


@attrs.define
class Managed:
    """A rig with a process manager; with `restarts`, another one at every look."""

    rig: Rig
    restarts: bool
    conductor: Conductor

    @classmethod
    def over(cls, rig: Rig, *, restarts: bool) -> Managed:
        return cls(rig, restarts, cls._conductor(rig))

    @staticmethod
    def _conductor(rig: Rig) -> Conductor:
        return Conductor(rig.ledger, rig.clock, rig.ids, "main")

    @property
    def saga(self) -> SagaState:
        state = self.rig.ledger.saga(SAGA)
        assert state is not None
        return state

    def start(self, kind: str, terms: Mapping[str, str]) -> None:
        self.conductor.start(SAGA, kind, terms, Cause(self.rig.ids.trace_id(), actor="test"))

    def look(self) -> SagaState:
        if self.restarts:
            self.conductor = self._conductor(self.rig)
            self.conductor.restore([{"saga_id": SAGA, "account": "main", "status": self.saga.status.value}])
        self.conductor.advance()
        self.rig.follower.catch_up()
        return self.saga

    async def until(self, is_true: Callable[[], object], what: str) -> None:
        """Look, again and again, until it is so."""

        def seen() -> bool:
            self.look()
            return bool(is_true())

        await self.rig.until(seen, what)

    async def until_over(self) -> SagaState:
        await self.rig.until(lambda: self.look().status in OVER, f"the end of the saga, now {self.saga}")
        return self.saga

    def closing(self) -> list[str]:
        """The broker's ids of orders to close that are there."""
        orders = (self.rig.ledger.order(order_id) for order_id in self.rig.ledger.account("main").reservations)
        found = [one.broker_order_id for one in orders if one is not None and one.purpose is Purpose.CLOSE]
        return [one for one in found if one is not None]

    async def works(self) -> list[tuple[str, str, str, str]]:
        """What works at the exchange: side, type, quantity, status."""
        answer = await self.rig.http.get("/v2/orders", params={"status": "open"})
        return [(one["side"], one["type"], one["qty"], one["status"]) for one in answer.json()]


async def protected(rig: Rig) -> str:
    """Ten units with both legs at work; returns the trade."""
    legs = {"take_profit": TakeProfit(D(100_000)), "stop_loss": StopLoss(D("0.01"))}
    order_id = await bought(rig, order_class=OrderClass.BRACKET, time_in_force=TimeInForce.GTC, **legs)
    ids = [leg_order_id(order_id, leg.value) for leg in Leg]
    await rig.until(lambda: all(rig.order(leg).broker_order_id for leg in ids), "the legs")
    return rig.order(order_id).trade_id


@pytest.mark.parametrize("restarts", [False, True], ids=["one process", "a restart at every look"])
def test_a_position_is_closed_behind_its_legs(restarts: bool) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            manager = Managed.over(rig, restarts=restarts)
            manager.start("position_close", {"trade_id": await protected(rig)})
            await manager.until(manager.closing, "the order to close")
            await rig.advance()
            assert (await manager.until_over()).status is SagaStatus.COMPLETED
            await settled(rig)
            assert rig.ledger.account("main").positions == {}
            assert await manager.works() == []
            assert len((await rig.seen())["orders"]) == 4, "the entry, two legs, and one order to close"

    anyio.run(story)


@pytest.mark.parametrize("restarts", [False, True], ids=["one process", "a restart at every look"])
def test_a_close_that_the_broker_rejects_leaves_the_position_protected_there(restarts: bool) -> None:
    async def story() -> None:
        async with open_rig() as rig:
            manager = Managed.over(rig, restarts=restarts)
            trade_id = await protected(rig)
            await operate(rig, "switch", hold_new=True)
            manager.start("position_close", {"trade_id": trade_id})
            await manager.until(manager.closing, "the order to close")
            assert await manager.works() == [("sell", "market", "10", "pending_new")], "the legs made way"
            await operate(rig, "switch", hold_new=False)
            await operate(rig, "force", order_id=manager.closing()[0], status="rejected")
            saga = await manager.until_over()
            assert (saga.status, saga.outcome) == (SagaStatus.FAILED, "not closed; its protection is armed again")
            await settled(rig)
            assert await manager.works() == [("sell", "stop", "10", "new")]
            assert rig.ledger.account("main").position("AAA").quantity == 10

    anyio.run(story)


def test_a_rebalance_says_how_far_it_got_when_a_purchase_is_rejected() -> None:
    async def story() -> None:
        async with open_rig() as rig:
            await bought(rig)
            prices = (await rig.http.get("/_ctl/state")).json()["prices"]
            manager = Managed.over(rig, restarts=False)
            await operate(rig, "switch", hold_new=True)
            shown = " ".join(f"{symbol}={D(price)}" for symbol, price in prices.items())
            terms = {"strategy": "test", "targets": "AAA=0 BBB=0.5", "prices": shown, "equity": "10000"}
            manager.start("rebalance", terms)
            for symbol in ("AAA", "BBB"):
                await manager.until(functools.partial(at_work, rig, symbol), f"the order in {symbol}")
                (broker_id,) = at_work(rig, symbol)
                if symbol == "AAA":
                    await operate(rig, "release", order_id=broker_id)
                    await rig.advance()
                else:
                    await operate(rig, "force", order_id=broker_id, status="rejected")
            saga = await manager.until_over()
            assert saga.status is SagaStatus.COMPLETED
            assert "BBB" in saga.outcome
            await settled(rig)
            assert rig.ledger.account("main").positions == {}
            assert await manager.works() == []

    anyio.run(story)


def at_work(rig: Rig, symbol: str) -> list[str]:
    """The broker's ids of the orders in a symbol that are there and not over."""
    orders = (rig.ledger.order(order_id) for order_id in rig.ledger.account("main").reservations)
    found = [one for one in orders if one is not None and one.symbol == symbol and not one.status.is_terminal]
    return [one.broker_order_id for one in found if one.broker_order_id is not None]
