"""From bars to a decision, a filled order, a scored outcome and the whole trace, with a model server on this machine.

Run it with `python examples/one_decision.py`: no key, no network, seeded bars. With bars of your own:
`python examples/one_decision.py --bars bars.parquet --symbols SPY,IBM`. It leaves nothing behind.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from tradecore.cli import main as tradecore
from tradecore.runner.wiring import open_session
from tradecore.settings import Settings, load_settings
from tradecore.testing.model_server import ModelServer
from tradecore.views import read_rows
from tradecore_daemon.daemon import Daemon

HOUR_S = 3600


def think(request: Mapping[str, Any]) -> str:
    """What the model says: buy what is not held, and sell what is. A language model would say more."""
    said = request["messages"][-1]["content"]
    shown = json.loads(said.removeprefix("<data>").removesuffix("</data>"))
    holds = shown["position"]["held"] != "0"
    answer = {
        "action": "sell" if holds else "buy",
        "confidence": "0.65",
        "reasoning": "it has been long enough" if holds else f"RSI is {shown['features'].get('rsi', 'not known')}",
        "factors": [{"name": "position", "direction": "down" if holds else "up", "weight": "1"}],
        "size_fraction": "0.05",
    }
    return json.dumps(answer)


def settings_for(folder: Path, model_url: str, bars: str, symbols: str) -> Settings:
    """One day, a cycle every hour, one model at one provider."""
    return load_settings(
        None,
        {
            "ledger": f"sqlite:///{folder / 'example.db'}",
            "market_data": {"days": 1, "bars": bars, "symbols": symbols},
            "agent": {"name": "single"},
            "cycle": {"every_s": HOUR_S},
            "models": {
                "providers": {"local": {"base_url": model_url}},
                "catalogue": {
                    "small": {
                        "provider": "local",
                        "model": "small",
                        "input_per_million": "0.10",
                        "output_per_million": "0.40",
                    }
                },
                "chains": {"default": ["small"]},
            },
        },
    )


class Quiet:
    """Shows no progress."""

    def update(self, done: int, total: int | None, message: str) -> None:
        """Say nothing."""


async def play(settings: Settings) -> str:
    """Run the day; returns the first decision that has an outcome."""
    async with open_session(settings) as session:
        await Daemon().run(session, Quiet())
        session.engine.projector.catch_up()
        decided = [row for row in read_rows(session.journal, "decisions") if row["outcome"] in ("earned", "lost")]
        return str(decided[0]["decision_id"])


def main() -> None:
    """Play, then show the trace and the scorecard."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--bars", default="", help="a file of one-minute bars (default: seeded ones)")
    parser.add_argument("--symbols", default="", help="which of its symbols")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ModelServer(think) as models:
        settings = settings_for(Path(name), models.url, said.bars, said.symbols)
        decision = anyio.run(play, settings)
        tradecore(["trace", decision, "--ledger", settings.ledger])
        tradecore(["scorecard", "--ledger", settings.ledger])


if __name__ == "__main__":
    main()
