"""The models of a seed's world: where they are reached, what is asked, and what happens in the middle of a call."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulation.dialing import Connection, Dialer
from tests.simulation.faults import FAULT_DOINGS
from tests.simulation.hosts import Host
from tests.simulation.market import bars
from tests.simulation.minds import MORE, PORTS, Mind
from tests.simulation.model_stub import Said, Stub
from tests.simulation.network import Link
from tests.simulation.script import HEAL_S, Act
from tests.simulation.way_out import WayOut
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

_CALM_S = 6.0
_MINUTE = dt.timedelta(minutes=1)
_NAMES = {port: name for name, port in PORTS.items()}
_TRACE = re.compile(rb"traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\n")


class Models:
    """Two providers, each with a model."""

    def __init__(self, world: World, mind: Mind) -> None:
        self._world = world
        self.dialer = Dialer(world.network, self._link_of, self._watch)
        self.stubs = [Stub(name, world.seed, mind.mood, self._heard, world.tell) for name in PORTS]
        self.dialer.servers = {port: stub.serve for port, stub in zip(_NAMES, self.stubs, strict=True)}
        self._strikes: dict[str, tuple[float, Callable[[], object]]] = {}
        world.loop.create_connection = self.dialer.connect  # type: ignore[method-assign, assignment]
        self._way_out = WayOut(world.fail, world.reach)
        self._ahead = bars(world.seed, 7, MORE)
        if mind.hangs:
            world.after(HEAL_S, self._hang)
        world.after(HEAL_S + _CALM_S, self._look)

    def written(self, host: Host, recorded: tuple[Recorded[Event], ...]) -> None:
        """Something is on record."""
        now = self._world.loop.time()
        self._world.thoughts.written(now, host.name, recorded)
        self._way_out.written(now, recorded)

    def _look(self) -> None:
        """Twice a second, once nothing is disturbed any more."""
        now, market = self._world.loop.time(), self._world.floor.exchange.clock.market_ns
        while self._ahead and (self._ahead[0].start + _MINUTE).timestamp() * 10**9 <= market:
            bar = self._ahead.pop(0)
            if now > HEAL_S + 2 * _CALM_S:
                position = self._world.judge.positions.get(bar.symbol, Decimal(0))
                self._way_out.closed(now, bar, position)
        self._way_out.look(now)
        self._world.after(0.5, self._look)

    def act(self, machine: Machine, act: Act) -> str:
        """Let something of the script happen to a model, or to who asks one."""
        stub = self.stubs[act.number % len(self.stubs)]
        match act.kind:
            case "model fails":
                stub.armed += [act.word] * (1 + act.number % 3)
            case "model is down":
                port = PORTS[stub.name]
                self.dialer.refusing.add(port)
                self._world.after(act.lasts_s, lambda: self.dialer.refusing.discard(port))
            case "kill in a call" | "pause in a call":
                kind = act.kind.partition(" ")[0]
                delay_s = random.Random(act.number).uniform(0.0, 0.8)
                self._strikes[machine.name] = delay_s, lambda: FAULT_DOINGS[kind](self._world, machine, act)
            case _:
                return FAULT_DOINGS["kill at a failpoint"](self._world, machine, act)
        return "done"

    def heal(self) -> None:
        """Nobody is struck any more. The models are nobody's to mend: nothing may depend on their answers."""
        self._strikes.clear()
        self.dialer.refusing.clear()

    def _hang(self) -> None:
        self._world.tell("script", "no model answers any more")
        for stub in self.stubs:
            stub.hangs = True

    def _link_of(self, process: Host) -> Link:
        return next(machine.link for machine in self._world.machines if machine.host is process)

    def _watch(self, connection: Connection, data: bytes) -> None:
        """Bytes leave a process: with its headers, a request does."""
        found = _TRACE.search(data)
        if found is None:
            return
        world, process = self._world, connection.process
        trace, span = found.group(1).decode(), found.group(2).decode()
        provider = _NAMES[connection.port]
        connection.call = call = world.thoughts.asked(world.loop.time(), process.name, provider, trace, span)
        what = "what nobody recorded" if call is None else f"{call.purpose} (attempt {call.attempt})"
        world.tell(process.name, f"asks {provider}: {what}")
        machine = next(one for one in world.machines if one.host is process)
        strike = self._strikes.pop(machine.name, None)
        if strike is not None:
            world.reach["struck in a call"] += 1
            world.after(*strike)

    def _heard(self, connection: Connection, said: Said) -> None:
        self._world.reach[f"model:{said.kind or 'well'}"] += 1
        if connection.call is not None:
            self._world.thoughts.said(connection.call, said)
