"""Builds: which code works on a ledger. Runners that share one are of the same, or one trades by rules long gone."""

from __future__ import annotations

import hashlib

import attrs

from tradecore.domain import streams
from tradecore.domain.account_state import unversioned
from tradecore.domain.events import RunnerStarted, RunnerStopped
from tradecore.domain.limits import Limits
from tradecore.errors import MixedBuilds
from tradecore.ledger import Ledger


def refuse_mixed(ledger: Ledger, build: str, *, alone: bool) -> None:
    """Refuse to work beside a runner of another build. Raises `MixedBuilds`.

    Who is `alone` has nobody beside: runners that left without a word are dead, for the lease is free of them.
    """
    if alone:
        return
    beside: dict[str, RunnerStarted] = {}
    for recorded in ledger.journal.load(streams.RUNNER):
        event = recorded.event
        if isinstance(event, RunnerStarted):
            if event.alone:
                beside.clear()
            beside[event.runner_id] = event
        elif isinstance(event, RunnerStopped):
            beside.pop(event.runner_id, None)
    for runner in beside.values():
        if runner.build != build:
            raise MixedBuilds(
                f"runner {runner.runner_id} works on this ledger with build {runner.build or 'unknown'} (tradecore "
                f"{runner.version}), and this one is {build}: stop all of them, then start them with the same code"
            )


def limits_hash(limits: Limits) -> str:
    """A short hash of what limits say, whatever their version."""
    said = sorted(attrs.asdict(unversioned(limits)).items())
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
