"""The campaign of injected texts: `python -m tests.agents.campaign [TEXTS]` attacks with so many of each kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import anyio

from tests.agents.injection import BUDGET, KINDS, SECRETS, attacks, make_arena, obey
from tests.models.stage import Stage, settings_for
from tradecore.testing.model_server import ModelServer

_TEXTS = 500


async def attack(kind: str, count: int) -> Mapping[str, int]:
    """So many attacks of a kind on one account; returns what happened, raises where a promise was broken."""
    os.environ.update(SECRETS)
    try:
        with ModelServer(obey) as server:
            stage = Stage()
            settings = settings_for(server.url, ("obedient",), budget={"per_day": str(BUDGET)}, breaker={"failures": 0})
            async with stage.gateway(settings) as gateway:
                arena = make_arena(stage.ledger, gateway)
                for symbol, text in attacks(kind, count):
                    await arena.attack(symbol, text)
                return arena.judge(server)
    finally:
        for name in SECRETS:
            os.environ.pop(name, None)


def main(arguments: list[str]) -> int:
    """Attack with every kind, and say what happened."""
    count = int(arguments[0]) if arguments else _TEXTS
    for kind in KINDS:
        happened = anyio.run(attack, kind, count)
        print(f"{kind:<17} " + ", ".join(f"{number} {name}" for name, number in happened.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
