"""`python -m tradecore_openai_endpoint --config FILE.toml --agent bull=BULL_TOKEN`: serve until told to stop.

Each agent has a token in an environment variable of its own. With `--replay RUN` nobody is asked: the endpoint gives
again what that run was told. Results go to standard output: the base URL and the name of the run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from tradecore.errors import ConfigurationError, TradecoreError
from tradecore.journal import find_key_ring, open_journal
from tradecore.ledger import Ledger
from tradecore.models.replay import ReplayGateway
from tradecore.runner.models import open_gateway
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.settings import Settings, load_settings
from tradecore_openai_endpoint.app import Endpoint, Pursuer
from tradecore_openai_endpoint.serving import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 for settings that do not make sense."""
    told = _parser().parse_args(arguments)
    try:
        tokens = dict(map(_token, told.agent))
        settings = load_settings(told.config)
        anyio.run(_serve, settings, tokens, told)
    except (TradecoreError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, ConfigurationError) else 1
    return 0


async def _serve(settings: Settings, tokens: dict[str, str], told: argparse.Namespace) -> None:
    clock, ids = SystemClock(), SystemIds()
    run = told.replay or told.run or ids.order_id()
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with _gateway(settings, clock, ids, told.replay) as gateway:
            endpoint = Endpoint(gateway, clock, ids, run, tokens)
            async with serve(endpoint, told.port) as url:
                sys.stdout.write(f"{url} {run}\n")
                sys.stdout.flush()
                async for _ in signals:
                    return


@asynccontextmanager
async def _gateway(settings: Settings, clock: SystemClock, ids: SystemIds, replay: str) -> AsyncIterator[Pursuer]:
    journal = open_journal(settings.ledger, create=not replay, keys=find_key_ring(settings.encryption.keys_file))
    try:
        if replay:
            yield ReplayGateway(journal, replay)
            return
        ledger = Ledger(journal, clock, ids)
        async with open_gateway(settings.models, ledger, clock, ids, settings.account) as gateway:
            yield gateway
    finally:
        journal.close()


def _token(said: str) -> tuple[str, str]:
    agent, _, variable = said.partition("=")
    if not agent or not variable or not os.environ.get(variable):
        raise ConfigurationError(f"--agent {said}: NAME=VARIABLE with an environment variable that holds the token")
    return agent, os.environ[variable]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tradecore_openai_endpoint", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--config", type=Path, default=None, help="settings (TOML)")
    parser.add_argument("--port", type=int, default=8088, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--agent", action="append", default=[], metavar="NAME=VARIABLE", help="repeat for more agents")
    parser.add_argument("--run", default="", help="the name that the run is replayed by; a new id by default")
    parser.add_argument("--replay", default="", metavar="RUN", help="answer from this run and ask nobody")
    return parser


if __name__ == "__main__":
    sys.exit(main())
