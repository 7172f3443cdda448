"""Making one fault strike, in its phase, and ending it."""

from __future__ import annotations

import random
import time
from typing import Any

import anyio
import attrs

from tests.campaign.catalogue import AFTER, ENDPOINTS, OF_STREAM, UNLOGGED, WIRES, Case, Phase
from tests.campaign.world import World, until
from tradecore.domain import events as ev
from tradecore_exchange import endpoints
from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.toxics import PERFECT, Toxics

_LONG = 1_000
_FIELDS = ("submitted_at", "updated_at", "status", "filled_qty", "id", "client_order_id", "symbol", "qty")
_WATCH_S = 3.0


@attrs.define
class Injection:
    """One fault of one run."""

    world: World
    case: Case
    rng: random.Random
    began_ns: int = 0
    _struck: bool = False

    async def arm(self) -> None:
        """Before the story: what can be armed ahead of time."""
        case, rng = self.case, self.rng
        self.began_ns = time.time_ns()
        if case.phase in ENDPOINTS:
            if case.phase is Phase.LOOK_UP:
                await self._make_unknown(after=case.kind in {kinds.HIDING, kinds.ORDER_LAG} or rng.random() < 0.5)
            await self._fault(
                endpoint=ENDPOINTS[case.phase],
                after_accept=case.phase in AFTER or (case.phase not in _BOTH_WAYS and rng.random() < 0.5),
                count=_LONG if case.kind in kinds.STANDING else rng.randint(1, 2),
            )
        elif case.phase is Phase.STREAM:
            event = None if case.kind == kinds.SIBLING else rng.choice((None, None, "new", "fill", "partial_fill"))
            aimed = {} if event is None else {"event": event}
            await self._fault(count=rng.randint(1, 3), on_update=case.kind in kinds.CUT, **aimed)
        elif case.phase is Phase.CONNECT:
            await self._fault(count=1)
            cut = rng.choice(sorted(kinds.CUT))
            await self._fault(cut, on_update=rng.random() < 0.7)
        elif case.phase is Phase.LAG:
            await self._fault(count=_LONG)
            self._struck = case.kind in UNLOGGED
        elif case.phase is Phase.WIRE_LOOK_UP:
            await self._make_unknown(after=rng.random() < 0.5)
        elif case.kind in _SWITCHES:
            await self.world.tell("/_ctl/operations", {"do": "switch", case.kind: True})

    async def strike(self) -> None:
        """During the story: what waits for its moment."""
        with anyio.move_on_after(_WATCH_S):
            if self.case.phase in WIRES:
                await self._spoil_wires()
            elif self.case.phase is Phase.MARKET and self.case.kind not in _SWITCHES:
                await self._move_the_market()

    async def until_struck(self) -> None:
        """Give what comes by itself, some moments after the story, time to strike."""
        with anyio.move_on_after(_WATCH_S / 2):
            while not self._struck:
                await self._look()
                await anyio.sleep(0.02)

    async def _look(self) -> None:
        log = (await self.world.ask("/_ctl/faults/log"))["log"]
        self._struck = self._struck or any(self._is_mine(line) for line in log)

    async def end(self) -> None:
        """All faults end; what they did stays done."""
        world = self.world
        ended_ns = time.time_ns()
        await self._look()
        if self.case.phase in WIRES:
            self._struck = self._struck and self._was_in_phase(ended_ns)
        elif self.case.kind in _SWITCHES:
            wanted = ev.CancelSubmitted if self.case.kind == "slow_cancels" else ev.ReplaceRequested
            self._struck = any(self._recorded(ended_ns, wanted))
        (await world.http.delete("/_ctl/faults")).raise_for_status()
        for proxy in (world.requests, world.stream):
            proxy.always(up=PERFECT, down=PERFECT)
            proxy.thaw()
        for symbol in ("AAA", "BBB"):
            await world.tell("/_ctl/operations", {"do": "resume", "symbol": symbol})
        await world.tell("/_ctl/operations", {"do": "switch", "slow_cancels": False, "slow_replaces": False})

    @property
    def struck(self) -> bool:
        """Whether the fault was really met in its phase; known at the end."""
        return self._struck

    # --- at the exchange ----------------------------------------------------------------------------------------------

    async def _fault(self, kind: str | None = None, **terms: Any) -> None:
        kind, rng = kind or self.case.kind, self.rng
        fault = {"kind": kind, "ms": _duration_ms(kind, rng), "field": rng.choice(_FIELDS), **terms}
        fault["advance"] = kind in {kinds.FIRST_THE_EVENTS, kinds.FIRST_THE_FILL}
        (await self.world.http.post("/_ctl/faults", json=fault)).raise_for_status()

    async def _make_unknown(self, *, after: bool) -> None:
        kind = self.rng.choice(("http_504", "http_500", "reset", "garbage_200", "hang"))
        await self._fault(kind, endpoint=endpoints.SUBMIT, after_accept=after, count=1)
        await self._fault("drop_update", count=4)  # or the stream would answer before the look-up asks

    def _is_mine(self, line: dict[str, Any]) -> bool:
        case = self.case
        if line["kind"] != case.kind:
            return False
        if case.phase in ENDPOINTS:
            is_aimed = line["target"] == ENDPOINTS[case.phase]
            is_timed = case.phase not in _BOTH_WAYS or line.get("phase", "before") == _when(case)
            return is_aimed and (is_timed or case.kind in kinds.STANDING)
        return True

    # --- on the wires -------------------------------------------------------------------------------------------------

    async def _spoil_wires(self) -> None:
        world, rng = self.world, self.rng
        if self.case.phase in {Phase.WIRE_CANCEL, Phase.WIRE_REPLACE}:  # what is not answered yet is not canceled
            await until(lambda: any(order.broker_order_id is not None for order in world.orders()))
        elif self.case.phase is Phase.WIRE_STREAM:
            await until(lambda: bool(world.server.service.floor.exchange.book.all))
        elif self.case.phase is Phase.WIRE_LOOK_UP:
            await until(lambda: bool(world.server.service.faults.log.lines))
        proxy = world.stream if self.case.phase in OF_STREAM else world.requests
        self.began_ns = time.time_ns()
        known = len(proxy.wires)
        if self.case.kind == "freeze":
            proxy.freeze()
            self._struck = True
        else:
            self._spoil(rng)
            proxy.reset_all()
        await anyio.sleep(rng.uniform(0.3, 1.2))
        self._struck = self._struck or len(proxy.wires) > known
        if rng.random() < 0.5:  # healed before the story ends, or with everything else after it
            proxy.always(up=PERFECT, down=PERFECT)
            proxy.thaw()

    def _spoil(self, rng: random.Random) -> None:
        proxy = self.world.stream if self.case.phase in OF_STREAM else self.world.requests
        at = rng.choice((0, 1, rng.randint(2, 200), rng.randint(200, 1_500)))
        toxics = {
            "black_down": Toxics(blackhole_after=at),
            "black_up": Toxics(blackhole_after=at),
            "close_down": Toxics(close_after=at),
            "cut_frame": Toxics(cut_frame=rng.randint(1, 4)),
            "latency": Toxics(latency_ms=rng.randint(1, 150), jitter_ms=rng.randint(0, 100)),
            "narrow": Toxics(bytes_per_s=rng.randint(2_000, 20_000)),
            "reset_down": Toxics(reset_after=at),
            "reset_up": Toxics(reset_after=at),
            "sliced": Toxics(slice_bytes=rng.randint(1, 20)),
        }
        match self.case.kind:
            case "refuse":
                proxy.always(refuse=True)
            case "sliced" | "latency" as kind:
                proxy.always(up=toxics[kind], down=toxics[kind])
            case "black_up" | "reset_up" as kind:
                proxy.always(up=toxics[kind])
            case kind:
                proxy.always(down=toxics[kind])

    def _was_in_phase(self, ended_ns: int) -> bool:
        match self.case.phase:
            case Phase.WIRE_SUBMIT:
                return any(self._recorded(ended_ns, ev.OrderSubmitted))
            case Phase.WIRE_LOOK_UP:
                return any(self._recorded(ended_ns, ev.OrderOutcomeUnknown, since_ns=0))
            case Phase.WIRE_CANCEL:
                return any(self._recorded(ended_ns, ev.CancelSubmitted))
            case Phase.WIRE_REPLACE:
                orders = {event.order_id for event in self._recorded(ended_ns, ev.OrderSubmitted)}
                return any(self.world.order(order_id).replaces is not None for order_id in orders)
            case _:
                return True

    def _recorded(self, until_ns: int, wanted: type[Any], since_ns: int | None = None) -> list[Any]:
        since_ns = self.began_ns if since_ns is None else since_ns
        return [
            item.event
            for item in self.world.now.journal.read(0, 100_000)
            if isinstance(item.event, wanted) and since_ns <= item.envelope.recorded_at_ns <= until_ns
        ]

    # --- in the market ------------------------------------------------------------------------------------------------

    async def _move_the_market(self) -> None:
        world, kind = self.world, self.case.kind
        if kind == "halt":
            await anyio.sleep(self.rng.uniform(0.0, 0.1))
            await world.tell("/_ctl/operations", {"do": "halt", "symbol": "AAA"})
            self._struck = True
            return
        while not self._struck:
            told = await world.ask("/_ctl/orders")
            body: dict[str, Any] | None = None
            if kind in {"bust", "correct"}:
                done = self.rng.choice(told["executions"] or [None])
                if done is not None:
                    body = {"do": kind, "execution_id": done["execution_id"]}
                    if kind == "correct":
                        body |= {"qty": "1", "price": str(round(float(done["price"]) * 0.99, 2))}
            else:
                is_open = [one["id"] for one in told["orders"] if one["status"] in {"new", "accepted"}]
                body = {"do": "force", "order_id": is_open[0], "status": kind} if is_open else None
            if body is not None:
                self._struck = "updates" in await world.tell("/_ctl/operations", body)
            await anyio.sleep(0.01)


_SWITCHES = frozenset({"slow_cancels", "slow_replaces"})
_BOTH_WAYS = frozenset(
    {Phase.BEFORE_ACCEPT, Phase.AFTER_ACCEPT, Phase.CANCEL, Phase.CANCELED, Phase.REPLACE, Phase.REPLACED}
)


def _when(case: Case) -> str:
    return "after" if case.phase in AFTER else "before"


def _duration_ms(kind: str, rng: random.Random) -> int:
    match kind:
        case "hang":
            return rng.randint(500, 1_500)
        case "delay":
            return rng.choice((rng.randint(10, 300), rng.randint(400, 900)))
        case "stream_freeze" | "stream_mute":
            return rng.randint(200, 1_500)
        case _:
            return rng.randint(50, 800)
