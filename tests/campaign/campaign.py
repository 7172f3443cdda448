"""Runs: a seed chooses a fault and a story; everything heals within a time, or the run says what did not."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import anyio
import attrs

from tests.campaign.catalogue import CASES, WIRES, Case, case_of
from tests.campaign.injection import Injection
from tests.campaign.oracle import Verdict, judge, judge_at_rest
from tests.campaign.stories import give_up, story_for
from tests.campaign.world import Gone, World, open_world
from tradecore.domain import commands as cmd
from tradecore.domain.values import OrderStatus, OrderType
from tradecore.errors import RefusedError, TradecoreError

HEALS_WITHIN_S = 30.0
_STORY_S = 15.0
_SOAK_S = 0.3
_HANGS_AFTER_S = 60.0
_AGAIN_S = 0.5


@attrs.frozen
class Outcome:
    """How a run went. Times in seconds; `story` says everything that a repetition needs besides the seed."""

    seed: int
    case: Case
    story: str
    struck: bool
    verdict: Verdict
    healed_s: float

    def __str__(self) -> str:
        turn = case_of(self.seed)[1]
        return f"seed {self.seed} ({self.case}, turn {turn}; {self.story}): {'; '.join(self.verdict.findings)}"


@attrs.define
class Total:
    """What many runs came to."""

    runs: int = 0
    orders: int = 0
    doubled: int = 0
    lost: int = 0
    healed_s: float = 0.0
    met: Counter[Case] = attrs.field(factory=Counter)
    failed: list[Outcome] = attrs.field(factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.orders += outcome.verdict.orders
        self.doubled += outcome.verdict.doubled
        self.lost += outcome.verdict.lost
        self.healed_s = max(self.healed_s, outcome.healed_s)
        if outcome.struck:
            self.met[outcome.case] += 1
        if not outcome.verdict.ok:
            self.failed.append(outcome)

    @property
    def unmet(self) -> list[Case]:
        """The cases that no run met."""
        return [case for case in CASES if not self.met[case]]

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {len(CASES) - len(self.unmet)} of {len(CASES)} faults met ({self.met.total()} times), "
            f"{self.orders} orders, {self.doubled} doubled, {self.lost} lost, {len(self.failed)} not healed, "
            f"worst healing {self.healed_s:.1f} s"
        )


async def run(seed: int, *, patience_s: float = HEALS_WITHIN_S) -> Outcome:
    """One run; one that hangs is told of like one that did not heal."""
    with anyio.move_on_after(patience_s + _HANGS_AFTER_S):
        return await _run(seed, patience_s)
    verdict = Verdict(findings=["the run hung"])
    return Outcome(seed, case_of(seed)[0], "hung", False, verdict, math.inf)


async def _run(seed: int, patience_s: float) -> Outcome:
    case, turn = case_of(seed)
    rng = random.Random(f"{case}:{turn}")
    story = story_for(case, rng)
    restarts = rng.random() < 0.15
    on_disk = restarts or turn % 2 == 1 or case.kind == "refuse_auth"
    partial_fills = rng.random() < 0.3
    replay_events = rng.random() < 0.2
    words = f"{story.__name__}, {'disk' if on_disk else 'memory'}{', restarted' if restarts else ''}"
    async with (
        open_world(turn, on_disk=on_disk, partial_fills=partial_fills, replay_events=replay_events) as world,
        anyio.create_task_group() as group,
    ):
        group.start_soon(world.live)
        await world.until_begun()
        injection = Injection(world, case, rng)
        await injection.arm()
        async with anyio.create_task_group() as acts:
            acts.start_soon(injection.strike)
            with anyio.move_on_after(_STORY_S):
                await _tell(story, world, rng)
        await anyio.sleep(rng.choice((0.0, 0.1, 0.4)))
        if case.phase not in WIRES:
            await injection.until_struck()
        await injection.end()
        if restarts:
            await world.stop()
            group.start_soon(world.live)
            await anyio.sleep(0.05)
        verdict, healed_s = await _heal(world, patience_s)
        await world.stop()
        group.cancel_scope.cancel()
    return Outcome(seed, case, words, injection.struck, verdict, healed_s)


async def _tell(story: Any, world: World, rng: random.Random) -> None:
    # A daemon that the broker turned away takes its ledger with it; what it had begun heals with the next one.
    with suppress(TradecoreError, Gone):
        await story(world, rng)


async def _heal(world: World, patience_s: float) -> tuple[Verdict, float]:
    """Move the market and cancel what nobody wants to wait for, until nothing is wrong; then look again."""
    began = time.monotonic()
    again_at = 0.0
    verdict = Verdict(findings=["the daemon did not come back"])
    while not world.ends and time.monotonic() - began < patience_s:
        await world.advance()
        with suppress(TradecoreError, Gone):
            if time.monotonic() >= again_at:
                _ask_again(world)
                again_at = time.monotonic() + _AGAIN_S
            verdict = await judge(world)
            if verdict.ok:
                healed_s = time.monotonic() - began
                await anyio.sleep(_SOAK_S)
                verdict = await judge_at_rest(world)
                if verdict.ok:
                    return verdict, healed_s
        await anyio.sleep(0.05)
    verdict.findings += [f"a daemon ended: {end}" for end in world.ends]
    return verdict, math.inf


def _ask_again(world: World) -> None:
    """What a person does who sees an alert: cancel what hangs, and try dead work again."""
    for order in world.orders():
        if order.status.is_terminal:
            continue
        waits = order.order_type is not OrderType.MARKET or order.status is OrderStatus.DONE_FOR_DAY
        if order.dead:
            with suppress(RefusedError):
                world.give(cmd.RetryWork(order.order_id, "healed", world.later()))
        elif waits and order.broker_order_id is not None and (order.cancel_spent or not order.cancel_requested):
            give_up(world, order.order_id)


async def run_all(
    seeds: Iterable[int],
    at_once: int,
    told: Callable[[Outcome], None] = lambda _: None,
    *,
    patience_s: float = HEALS_WITHIN_S,
) -> Total:
    """Many runs, some of them beside each other in this process."""
    total, limiter = Total(), anyio.CapacityLimiter(at_once)

    async def one(seed: int) -> None:
        async with limiter:
            outcome = await run(seed, patience_s=patience_s)
        total.add(outcome)
        told(outcome)

    async with anyio.create_task_group() as group:
        for seed in seeds:
            group.start_soon(one, seed)
    return total
