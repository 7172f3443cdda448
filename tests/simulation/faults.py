"""What goes wrong with machines, networks, disks and the exchange, and how all of it is put right."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.script import Act
from tradecore_exchange import PlanTerms
from tradecore_exchange.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

_NOT_THERE = "no process there"
_LAGS = ("lookup_404", "order_lag", "position_lag")
_ON_UPDATES = ("stream_drop", "stream_abort")
_PLANNED = frozenset(
    {
        "delay", "empty_200", "garbage_200", "http_429", "http_500", "http_502", "http_503", "http_504", "reset",
        "cut_200", "answer_missing_field", "answer_null_field", "answer_unknown_word", "fill_before_answer",
        "lookup_404", "order_lag", "position_lag", "duplicate_update", "drop_update", "reorder_updates",
        "delay_update", "stream_drop", "stream_abort", "stream_mute", "missing_field", "non_json",
    }
)  # fmt: skip


def _restart_s(act: Act) -> float:
    return 0.2 + act.number % 90 / 10


def _kill(_world: World, machine: Machine, act: Act) -> str:
    if machine.host is None:
        return _NOT_THERE
    machine.kill("at a moment", _restart_s(act))
    return "done"


def _kill_at_step(_world: World, machine: Machine, act: Act) -> str:
    host = machine.host
    if host is None:
        return _NOT_THERE
    host.at_step = (host.steps + act.number, lambda: machine.kill("at a step", _restart_s(act)))
    return "done"


def _kill_at_failpoint(world: World, machine: Machine, act: Act) -> str:
    world.armed[machine.name, act.word] = act.number
    return "done"


def _pause(world: World, machine: Machine, act: Act) -> str:
    host = machine.host
    if host is None:
        return _NOT_THERE
    world.loop.pause(host)
    world.thoughts.disturbed.add(host.name)
    world.after(act.lasts_s, lambda: world.loop.resume(host))
    return "done"


def _pause_at_step(world: World, machine: Machine, act: Act) -> str:
    host = machine.host
    if host is None:
        return _NOT_THERE

    def strike() -> None:
        _pause(world, machine, act)

    host.at_step = (host.steps + act.number, strike)
    return "done"


def _pause_at_failpoint(world: World, machine: Machine, act: Act) -> str:
    world.held_up[machine.name, act.word] = (act.number, lambda: _pause_now(world, machine, act))
    return "done"


def _pause_now(world: World, machine: Machine, act: Act) -> None:
    """Right behind the callback that is running: it cannot be left in the middle."""
    host = machine.host
    if host is None:
        return

    def strike() -> None:
        _pause(world, machine, act)

    host.at_step = (host.steps + 1, strike)


def _term(world: World, machine: Machine, _act: Act) -> str:
    if machine.host is None or not world.loop.send_signal(machine.host, signal.SIGTERM):
        return _NOT_THERE
    return "done"


def _network(world: World, machine: Machine, act: Act) -> str:
    link = machine.link
    link.mode = act.word
    sockets = [one for one in world.network.sockets.values() if one.host is machine.host]
    for socket in sockets:
        socket.hold(True)

    def mend() -> None:
        link.mode = ""
        for socket in sockets:
            socket.hold(False)

    world.after(act.lasts_s, mend)
    return "done"


def _slow(world: World, machine: Machine, act: Act) -> str:
    machine.link.slow_s = 0.5 + act.number % 40 / 10
    world.after(act.lasts_s, lambda: setattr(machine.link, "slow_s", 0.0))
    return "done"


def _cut(world: World, machine: Machine, _act: Act) -> str:
    for socket in [one for one in world.network.sockets.values() if one.host is machine.host]:
        socket.cut("connection reset by peer")
    return "done"


def _clock(world: World, machine: Machine, act: Act) -> str:
    machine.clock.off_s += act.lasts_s
    world.after(10 + act.number % 30, lambda: setattr(machine.clock, "off_s", 0.0))
    return "done"


def _commit(world: World, machine: Machine, act: Act) -> str:
    handle = next((one for one in world.disk.handles if one.host is machine.host), None)
    if handle is None:
        return _NOT_THERE
    handle.fail_at = (handle.appends + act.number, act.word == "done")
    return "done"


def _disk_full(world: World, _machine: Machine, act: Act) -> str:
    world.disk.is_full = True
    world.after(act.lasts_s, lambda: setattr(world.disk, "is_full", False))
    return "done"


def _power(world: World, _machine: Machine, act: Act) -> str:
    for machine in world.machines:
        machine.kill("the power is gone", _restart_s(act))
    world.disk.lose_power()
    world.judge.envelopes.rewind(world.disk.journal.head())
    return "done"


def _fault(world: World, _machine: Machine, act: Act) -> str:
    kind = act.word
    waits = kind in _ON_UPDATES and act.number % 2 == 0
    fault = Fault(
        kind,
        count=1 + act.number % 3,
        after_accept=act.number % 2 == 0,
        ms=(200 + act.number % 4000) * (3 if kind in _LAGS else 1),
        method="POST" if act.number % 3 and not waits else None,
        path="/v2/orders" if act.number % 3 else None,
        on_update=waits,
        field=("status", "filled_qty", "id", "updated_at")[act.number % 4],
        advance=False,
    )
    world.house.first.arm(fault)

    def disarm() -> None:
        if fault in world.house.first.faults.armed:
            world.house.first.faults.armed.remove(fault)

    world.after(60.0, disarm)
    return "done"


def _lost_and_hidden(world: World, _machine: Machine, act: Act) -> str:
    """The answer to a submit is lost, and the order is not shown until later: all of what the protocol is for."""
    service = world.house.first
    lost = Fault(("reset", "http_504", "http_500")[act.number % 3], after_accept=True)
    hidden = [Fault(kind, ms=2000 + act.number % 14_000) for kind in ("lookup_404", "order_lag")]
    for fault in (lost, *hidden):
        service.arm(fault)

    def disarm() -> None:
        service.faults.armed = [one for one in service.faults.armed if one not in (lost, *hidden)]

    world.after(60.0, disarm)
    return "done"


def _plan(world: World, _machine: Machine, act: Act) -> str:
    intensity = (0.02, 0.05, 0.15)[act.number % 3]
    world.house.first.follow(PlanTerms(act.number, intensity, kinds=_PLANNED, ms_max=1500))
    return "done"


def _rate_limit(world: World, _machine: Machine, act: Act) -> str:
    rate = world.house.first.rate
    rate.per_minute, rate.enforced = 20 + act.number % 60, True
    return "done"


def heal(world: World) -> None:
    """Put everything right, and keep it so."""
    world.tell("script", "heals everything")
    service = world.house.first
    service.faults.clear()
    service.rate.enforced = False
    world.disk.is_full = False
    world.armed.clear()
    world.held_up.clear()
    world.floor.exchange.switches.slow_cancels = world.floor.exchange.switches.slow_replaces = False
    for handle in world.disk.handles:
        handle.fail_at = None
    for machine in world.machines:
        machine.link.mode, machine.link.slow_s, machine.clock.off_s = "", 0.0, 0.0
        if machine.host is not None:
            machine.host.at_step = None
            world.loop.resume(machine.host)
    for socket in list(world.network.sockets.values()):
        socket.hold(False)


FAULT_DOINGS: dict[str, Callable[[World, Machine, Act], str]] = {
    "kill": _kill,
    "kill at a step": _kill_at_step,
    "kill at a failpoint": _kill_at_failpoint,
    "pause": _pause,
    "pause at a step": _pause_at_step,
    "pause at a failpoint": _pause_at_failpoint,
    "lost and hidden": _lost_and_hidden,
    "term": _term,
    "network": _network,
    "slow": _slow,
    "cut streams": _cut,
    "clock": _clock,
    "commit": _commit,
    "disk full": _disk_full,
    "power": _power,
    "fault": _fault,
    "plan": _plan,
    "rate limit": _rate_limit,
}
