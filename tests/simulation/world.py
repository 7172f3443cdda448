"""One seed: a market, an exchange, machines, whoever disturbs them, and the judge."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Callable

import attrs

from tests.simulation import broker_side, operator
from tests.simulation.anyio_order import order_anyio
from tests.simulation.dialing import virtual_http
from tests.simulation.disk import Disk, Handle
from tests.simulation.faults import FAULT_DOINGS, heal
from tests.simulation.file_disk import FileDisk, uses_files
from tests.simulation.hosts import HOST, Host, Killed, Livelock
from tests.simulation.judge import Judge
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import Machine, is_expected
from tests.simulation.market import SYMBOLS, bars
from tests.simulation.minds import MORE, THOUGHTS, mind_of, thoughts_of
from tests.simulation.models import Models
from tests.simulation.network import Network
from tests.simulation.script import HEAL_S, Act, script_of
from tests.simulation.terms import SPEED, VISIBILITY_S, options_of, settings_of
from tests.simulation.thoughts import Thoughts, in_words
from tests.simulation.verdict import judge_end
from tests.simulation.wire import check_request
from tradecore import failpoints
from tradecore.domain.events import Event, KillVerified
from tradecore.domain.messages import Recorded
from tradecore.domain.values import TradingState
from tradecore_exchange import Floor
from tradecore_exchange.app import create_app
from tradecore_exchange.house import House
from tradecore_exchange.pacing import keep_pace

END_S = 225.0
UNREAD_S = 35.0
"""Fees and the like are read every thirty seconds: younger ones may be missing at the end."""
_THOUGHTS = (*failpoints.MODEL_FAILPOINTS, *failpoints.DECISION_FAILPOINTS)


@attrs.frozen
class Outcome:
    """What became of a seed. `violation` names the first invariant that did not hold, None when all did."""

    seed: int
    digest: str
    violation: str | None
    steps: int
    orders: int
    events: int
    starts: int
    kills: int
    reach: Counter[str]
    acts: tuple[Act, ...]


def whole_script(seed: int, machines: int) -> tuple[Act, ...]:
    """Everything that happens in a seed's world, in the order of time."""
    acts = (*script_of(seed, machines), *thoughts_of(seed, machines))
    return tuple(sorted(acts, key=lambda act: (act.at, act.kind, act.number)))


_MOST_AT_ONCE = 3_000
"""Events at one moment: a whole day has some three hundred."""


class World:
    """Everything of one seed. `acts` replaces what the seed would have happen."""

    def __init__(self, seed: int, *, loud: bool = False, acts: tuple[Act, ...] | None = None) -> None:
        self.seed = seed
        self.loud = loud
        self.rng = random.Random(f"world:{seed}")
        self.reach: Counter[str] = Counter()
        self.violation: str | None = None
        self.digest = hashlib.blake2b(digest_size=16)
        self.operators = self.kills = 0
        self.wrote_at, self.written = 0.0, 0
        self.read_activities = 0
        """So many activities are old enough at the end that a runner has read them."""
        self.loop = SimulatedLoop(seed)
        self.network = Network(self.loop, seed)
        self.disk = (FileDisk if uses_files(seed) else Disk)(self.loop, seed, self.on_append, self.on_stuck)
        self.judge = Judge(self.fail, self.reach, VISIBILITY_S, self._status_of)
        self.mind = mind_of(seed)
        self.thoughts = Thoughts(self.fail, self.reach, self.mind)
        self.armed: dict[tuple[str, str], int] = {}
        self.held_up: dict[tuple[str, str], tuple[int, Callable[[], None]]] = {}
        is_shared = self.rng.random() < 0.4
        names = ("one", "two") if is_shared else ("one",)
        self.machines = [Machine(self, name, settings_of(seed, shared=is_shared)) for name in names]
        self.models = None if self.mind is None else Models(self, self.mind)
        self.acts = whole_script(seed, len(names)) if acts is None else acts
        day = bars(seed, 7, 3 if self.mind is None else MORE)
        self.floor = Floor(SYMBOLS, day, source=f"simulated {seed}", options=options_of(seed))
        app = create_app(self.floor, monotonic=self.loop.time)
        self.network.app = app
        self.house: House = app.state.house
        self.house.host.speed = SPEED
        self.house.host.abort = self.network.abort
        self.house.host.freeze = self.network.freeze
        self.house.first.rate.now = self.loop.time

    # --- telling ----------------------------------------------------------------------------------------------------

    def tell(self, who: str, what: str) -> None:
        """A line of the timeline."""
        line = f"{self.loop.time():9.3f}  {who:<11} {self.disk.anonymous(what)}\n"
        self.digest.update(line.encode())
        if self.loud:
            sys.stdout.write(line)

    def fail(self, invariant: str, message: str) -> None:
        """An invariant does not hold: this seed is over."""
        if self.violation is None:
            self.violation = f"{invariant}: {message}"
            self.tell("judge", self.violation)
            self.loop.stop()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something later, whatever becomes of the processes."""
        context = contextvars.copy_context()
        context.run(HOST.set, self.loop.world)
        self.loop.call_later(seconds, action, context=context)

    # --- what is watched --------------------------------------------------------------------------------------------

    def on_append(self, host: Host, recorded: tuple[Recorded[Event], ...]) -> None:
        """Something was written."""
        if self.wrote_at != self.loop.time():
            self.wrote_at, self.written = self.loop.time(), 0
        self.written += len(recorded)
        if self.written > _MOST_AT_ONCE:
            self.fail("L1", f"{self.written} events at one moment; {host.name} writes {recorded[-1].envelope.name}")
        for one in recorded:
            if isinstance(one.event, KillVerified):
                self._check_kill()
            told = f"#{one.envelope.position} {one.envelope.name} {one.envelope.stream}"
            self.tell(host.name, told + in_words(one.event))
        self.judge.written(self.loop.time(), host.name, recorded)
        if self.models is not None:
            self.models.written(host, recorded)

    def on_stuck(self, host: Host) -> None:
        """A process goes on after its journal broke."""
        self.fail("L5", f"{host.name} writes on to a journal that refuses everything since a write failed")

    def _check_kill(self) -> None:
        """What is verified as killed has nothing left that works, but for what was sent since."""
        asked = self.loop.time() - 10.0
        for order in self.floor.exchange.book.open():
            ours = self.judge.by_broker_id.get(order.id)
            if ours is not None and ours.attempts and ours.attempted_at < min(asked, self.judge.stopped_at):
                self.fail("I5", f"everything is verified as canceled, and {ours.order_id} is {order.status}")

    def on_request(self, host: Host, method: str, path: str, body: bytes) -> None:
        """A request is about to leave."""
        self.tell(host.name, f"{method} {path} {body.decode()[:200]}")
        machine = next(one for one in self.machines if one.host is host)
        check_request(self.judge, self.loop.time(), machine.clock.now(), host.name, method, path, body)

    def forget(self, host: Host) -> None:
        """A process ended."""
        self.network.forget(host)
        self.disk.forget(host)
        if self.models is not None:
            self.models.dialer.forget(host)

    def on_open(self, machine: Machine, handle: Handle) -> None:
        """A process opens the ledger."""

    def on_failpoint(self, name: str) -> None:
        """A process passes a failpoint, where it may have to die."""
        self.reach[f"{'thought' if name in _THOUGHTS else 'failpoint'}:{name}"] += 1
        if not (self.armed or self.held_up):
            return
        host = HOST.get(self.loop.world)
        machine = next((one for one in self.machines if one.host is host), None)
        if machine is not None and (machine.name, name) in self.held_up:
            self._hold_up(machine.name, name)
        left = self.armed.get((machine.name, name)) if machine is not None else None
        if machine is None or left is None:
            return
        if left > 1:
            self.armed[machine.name, name] = left - 1
            return
        del self.armed[machine.name, name]
        self.reach[f"{'killed in thought' if name in _THOUGHTS else 'killed at'}:{name}"] += 1
        machine.kill(f"at {name}", self.rng.uniform(0.5, 8))
        raise Killed(name)

    def _hold_up(self, machine: str, name: str) -> None:
        left, strike = self.held_up.pop((machine, name))
        if left > 1:
            self.held_up[machine, name] = left - 1, strike
            return
        self.reach[f"paused at:{name}"] += 1
        strike()

    def _status_of(self, client_order_id: str) -> str | None:
        order = self.floor.exchange.book.by_client_order_id.get(client_order_id)
        return None if order is None else order.status

    def judge_end(self, host: Host, error: BaseException) -> None:
        """Whether a process may end like this."""
        self.reach[f"end:{type(error).__name__}"] += 1
        if not is_expected(error):
            self.fail("crash", f"{host.name} ended with {error!r}")

    # --- running ----------------------------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        """Let one thing of the script happen."""
        if act.kind in operator.DOINGS:
            outcome = operator.carry_out(self, act)
        elif act.kind in broker_side.DOINGS:
            outcome = broker_side.carry_out(self, act)
        elif act.kind in THOUGHTS:
            machine = self.machines[act.who % len(self.machines)]
            outcome = "nobody asks a model" if self.models is None else self.models.act(machine, act)
        else:
            outcome = FAULT_DOINGS[act.kind](self, self.machines[act.who % len(self.machines)], act)
        self.tell("script", f"{act}: {outcome}")
        if act.kind in ("halt", "kill switch") and outcome == "done" and self.judge.state is not TradingState.HALTED:
            self.fail("I5", "trading was halted by hand, and the ledger does not have it")
        self.reach[f"act:{act.kind}" if outcome == "done" else f"act:{act.kind}: not"] += 1

    def run(self) -> Outcome:
        """Simulate the day."""
        restores = (order_anyio(), virtual_http(self.loop))
        gc.disable()
        failpoints.watch(self.on_failpoint)
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.start(self.network.server, keep_pace(self.house, SPEED))
            for machine in self.machines:
                self.after(self.rng.uniform(0, 2), machine.start)
            for act in self.acts:
                self.after(act.at, lambda act=act: self.act(act))  # type: ignore[misc]
            self.after(HEAL_S, self._heal)
            self.after(END_S - UNREAD_S, self._remember_activities)
            self.after(END_S, self.loop.stop)
            try:
                self.loop.run_forever()
            except Livelock as stuck:
                self.fail("L1", str(stuck))
            for failure in self.loop.failures[:1]:
                self.fail("crash", f"{failure.get('message')} {failure.get('exception')!r}")
            failpoints.watch(None)
            self.reach.update(f"file commit:{how}" for how in self.disk.struck)
            self.reach.update(f"struck:{line['kind']}" for line in self.house.first.faults.log.lines)
            if self.violation is None:
                judge_end(self, thorough=self.seed % 10 == 0)
            return self._outcome()
        finally:
            failpoints.watch(None)
            self.loop.end()
            self.disk.end()
            asyncio.set_event_loop(None)
            for restore in restores:
                restore()
            gc.enable()

    def _remember_activities(self) -> None:
        self.read_activities = len(self.floor.exchange.activities)

    def _heal(self) -> None:
        heal(self)
        if self.models is not None:
            self.models.heal()

    def _outcome(self) -> Outcome:
        return Outcome(
            seed=self.seed,
            digest=self.digest.hexdigest(),
            violation=self.violation,
            steps=self.loop.steps,
            orders=len(self.floor.exchange.book.all),
            events=self.judge.envelopes.position,
            starts=sum(machine.starts for machine in self.machines),
            kills=self.kills,
            reach=self.reach,
            acts=self.acts,
        )
