"""The campaign of injected texts: `python -m tests.agents.campaign [TEXTS]` attacks with so many of each kind."""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Mapping
from decimal import Decimal

import anyio
import structlog

from tests.agents.injection import KINDS, PLENTY, SCARCE, SECRETS, attacks, make_arena, obey
from tests.models.stage import Stage, settings_for
from tradecore.testing.model_server import ModelServer

_TEXTS = 500


async def attack(kind: str, count: int, budget: Decimal) -> Mapping[str, int]:
    """So many attacks of a kind on one account; returns what happened, raises where a promise was broken."""
    os.environ.update(SECRETS)
    try:
        with ModelServer(obey) as server:
            stage = Stage()
            settings = settings_for(server.url, ("obedient",), budget={"per_day": str(budget)}, breaker={"failures": 0})
            async with stage.gateway(settings) as gateway:
                arena = make_arena(stage.ledger, gateway)
                for symbol, text in attacks(kind, count):
                    await arena.attack(symbol, text)
                return arena.judge(server, budget)
    finally:
        for name in SECRETS:
            os.environ.pop(name, None)


def main(arguments: list[str]) -> int:
    """Attack with every kind, with money for every text and then with little, and say what happened."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    count = int(arguments[0]) if arguments else _TEXTS
    for kind, budget in itertools.product(KINDS, (PLENTY, SCARCE)):
        happened = anyio.run(attack, kind, count if budget == PLENTY else count // 5, budget)
        told = ", ".join(f"{number} {name}" for name, number in happened.items())
        print(f"{kind:<17} {budget:>5} $ a day: {told}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
