"""A slice of the campaign for every run of the tests: `nox -s simulate` runs thousands of seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from tests.simulation import campaign, planted
from tests.simulation.reach import DECLARED, USUAL
from tests.simulation.script import DEEDS, FAULTS, Act
from tests.simulation.shrink import shrunk
from tests.simulation.world import World

_ROOT = Path(__file__).parents[2]
_DIGESTS = """
import json
from tests.simulation import campaign
from tests.simulation.world import World
campaign.quiet()
print(json.dumps([World(seed).run().digest for seed in (3, 9, 11, 14)]))
"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = structlog.get_config()
    campaign.quiet()
    yield
    structlog.configure(**before)


@pytest.mark.slow
def test_nothing_that_happens_in_a_few_dozen_days_breaks_an_invariant(record_property: Callable[..., None]) -> None:
    total = campaign.run(range(1, 41), cores=1)
    record_property("summary", f"simulation: {total}")
    assert [(outcome.seed, outcome.violation) for outcome in total.bad] == []
    assert [place for place in USUAL if not total.reach[place]] == []
    assert total.kills > 30
    assert total.orders > 200


def test_an_undisturbed_day_ends_with_the_books_of_the_exchange() -> None:
    world = World(8, acts=())
    outcome = world.run()
    assert outcome.violation is None
    assert (outcome.kills, outcome.starts) == (0, len(world.machines))
    held = {symbol: one.qty for symbol, one in world.floor.exchange.account.positions.items() if one.qty}
    assert {symbol: quantity for symbol, quantity in world.judge.positions.items() if quantity} == held
    assert outcome.orders > 5


def test_the_same_seed_is_the_same_day_whatever_the_hash_seed() -> None:
    here = [World(seed).run().digest for seed in (3, 9, 11, 14)]  # the second has an agent, the last a file
    assert len(set(here)) == 4
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", _DIGESTS],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == here


@pytest.mark.parametrize(
    "name",
    [
        "one unit more",
        "call repeats",
        "timeout is not sent",
        "open orders are not counted",
        "nothing is restored",
        "reservation stays",
        "hold is bought",
        "cycle stays open",
    ],
)
def test_a_planted_bug_is_noticed(name: str) -> None:
    _, seed, violation = planted.find(name, within=9)
    assert seed is not None, violation


def test_a_failing_seed_is_shrunk_to_what_it_needs() -> None:
    (bug,) = [one for one in planted.BUGS if one.name == "fees are not read"]
    charged = (Act(20.0, "cancel"), Act(30.0, "fee", number=7), Act(40.0, "place", number=3))
    with bug.planted():
        outcome = World(4, acts=charged).run()
        assert outcome.violation is not None
        assert shrunk(outcome) == charged[1:2]


def test_what_is_declared_can_happen() -> None:
    assert set(USUAL) <= set(DECLARED)
    assert len({bug.name for bug in planted.BUGS}) == len(planted.BUGS) >= 40
    assert not FAULTS.keys() & DEEDS.keys()


def test_every_planted_bug_has_its_place_in_the_shipped_code() -> None:
    places = [(bug.owner, bug.attribute) for bug in planted.BUGS] + [
        (owner, attribute) for bug in planted.BUGS for owner, attribute, _ in bug.also
    ]
    assert [f"{owner}.{attribute}" for owner, attribute in places if attribute not in owner.__dict__] == []
