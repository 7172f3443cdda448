"""A recorded run of cycles, replayed without a model: the same decisions, byte for byte; a miss is loud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from tests.cycle.scene import NoScreen
from tests.runner.market import write_csv
from tradecore.domain import events as ev
from tradecore.errors import ReplayMiss
from tradecore.journal import Journal, open_journal
from tradecore.models.replay import ReplayGateway
from tradecore.ports.model import ModelGateway
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore.testing.model_server import ModelServer
from tradecore_daemon.daemon import Daemon

KINDS = (ev.FeaturesRecorded, ev.DecisionConcluded, ev.DecisionValidated, ev.OrderPlanned)


def voices(request: Mapping[str, Any]) -> str:
    """Each voice by its task; the bear changes its mind with the price."""
    task, said = (str(message["content"]) for message in request["messages"])
    shown = json.loads(said.removeprefix("<data>").removesuffix("</data>"))
    if "risk manager. The others" in task:
        return '{"veto": false, "max_size_fraction": "0.04", "reasoning": "as always"}'
    action = "sell" if shown["position"]["held"] != "0" else "buy"
    if "speaks against" in task and int(float(shown["bars"][-1][4]) * 100) % 2:
        action = "hold"
    answer = {"action": action, "confidence": "0.7", "reasoning": f"at {shown['as_of']}"}
    return json.dumps(answer | ({"size_fraction": "0.05"} if "You are the judge" in task else {}))


def play(folder: Path, url: str, gateway: ModelGateway | None = None, minutes: int = 10) -> None:
    """A market of ten minutes, decided by a committee."""
    bars = write_csv(folder, minutes, symbols=("AAA",))
    chosen: dict[str, Any] = {
        "ledger": f"sqlite:///{folder / 'tradecore.db'}",
        "market_data": {"bars": str(folder / bars)},
        "agent": {"name": "committee"},
        "cycle": {"run": "tape"},
        "risk": {"defaults": "none"},
        "models": {
            "providers": {"local": {"base_url": url}},
            "catalogue": {
                "small": {"provider": "local", "model": "m", "input_per_million": "1", "output_per_million": "1"}
            },
            "chains": {"default": ["small"]},
        },
    }

    async def run() -> None:
        async with open_session(load_settings(None, chosen), gateway=gateway) as session:
            await Daemon().run(session, NoScreen())

    try:
        anyio.run(run)
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


def decided(journal: Journal) -> list[bytes]:
    """What was decided, as it is stored, without what names the ledger."""
    events = [one.event for one in journal.read(0, 100_000) if isinstance(one.event, KINDS)]
    plain = [{**msgspec.to_builtins(event), "client_order_id": "", "cost": ""} for event in events]
    return [msgspec.json.encode(item) for item in plain]


def opened(folder: Path) -> Any:
    return closing(open_journal(f"sqlite:///{folder / 'tradecore.db'}", create=False))


def test_a_recorded_run_decides_the_same_without_a_model(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    with ModelServer(voices) as server:
        play(first, server.url)
        asked = len(server.requests)
        with opened(first) as journal:
            tape = ReplayGateway(journal, "tape")
            play(second, server.url, tape)
            assert len(server.requests) == asked, "a replay asks nobody"
            with opened(second) as again:
                assert decided(again) == decided(journal)
                assert len(decided(again)) > 30
                assert not any(one.envelope.name.startswith("ai.call") for one in again.read(0, 100_000))
            with pytest.raises(ReplayMiss):
                play(third, server.url, ReplayGateway(journal, "another tape"))
    with opened(third) as journal:
        assert any(isinstance(one.event, ev.CycleFailed) for one in journal.read(0, 100_000))
