"""A failing seed with as little happening as it needs: acts are dropped as long as the same invariant still breaks."""

from __future__ import annotations

from tests.simulation.script import Act
from tests.simulation.world import Outcome, World

_MOST_RUNS = 200


def shrunk(outcome: Outcome) -> tuple[Act, ...]:
    """The acts that are left: halves are dropped first, then single ones."""
    assert outcome.violation is not None, "only what fails can be shrunk"
    invariant = outcome.violation.split(":")[0]
    acts, runs = outcome.acts, 0
    size = max(1, len(acts) // 2)
    while size and runs < _MOST_RUNS:
        at = 0
        while at < len(acts) and runs < _MOST_RUNS:
            fewer = acts[:at] + acts[at + size :]
            runs += 1
            found = World(outcome.seed, acts=fewer).run().violation
            if found is not None and found.split(":")[0] == invariant:
                acts = fewer
            else:
                at += size
        size //= 2
    return acts
