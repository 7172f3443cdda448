"""The bus of the settings: found, opened and told by a runner; a wrong one is refused at the start."""

from __future__ import annotations

import importlib
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest

from tests.cycle.scene import decision, staged
from tests.runner.market import write_csv
from tests.runner.process import QUICK, run, write
from tradecore.errors import ConfigurationError
from tradecore.journal import open_journal
from tradecore.publishing.catalogue import json_schema
from tradecore.publishing.in_process import InProcessBus
from tradecore.runner.buses import make_bus
from tradecore.runner.system import SystemIds
from tradecore.settings import Settings, load_settings
from tradecore_daemon.publishing import publish

LINES = '''
import contextlib, pathlib
from tradecore.publishing.envelope import as_json

class Lines:
    """Appends what happens to a file."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    async def publish(self, publications):
        with self.path.open("ab") as file:
            file.writelines(as_json(one) + b"\\n" for one in publications)

class Broken:
    async def publish(self, publications):
        raise ConnectionResetError("the server went away")

@contextlib.asynccontextmanager
async def open_lines(settings):
    yield Lines(settings.publishing.parameters["file"])

@contextlib.asynccontextmanager
async def open_broken(settings):
    yield Broken()

@contextlib.asynccontextmanager
async def open_mute(settings):
    yield object()

def no_context(settings):
    return Lines("heard")

def demanding(settings, more):
    return None
'''


def configured(folder: Path, bus: str, parameters: str = '{ file = "heard.jsonl" }') -> str:
    write(folder, "bus.py", LINES)
    table = f'[publishing]\nbus = "{bus}"\nparameters = {parameters}\n'
    market = f'[market_data]\nbars = "{write_csv(folder, 30)}"\n'
    return write(folder, "settings.toml", f"{table}{market}[strategy]\n{QUICK}\n")


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "heard.jsonl").read_text(encoding="utf-8").splitlines()]


def recorded(folder: Path) -> list[str]:
    with closing(open_journal(f"sqlite:///{folder / 'tradecore.db'}", create=False)) as journal:
        return [item.envelope.event_id for item in journal.read(0, 1_000_000)]


def test_a_runner_tells_the_bus_of_its_settings_every_event_in_order(tmp_path: Path) -> None:
    done = run(tmp_path, "--config", configured(tmp_path, "bus.py:open_lines"))
    assert done.code == 0, done.err
    heard = told(tmp_path)
    events = [one for one in heard if one["metadata"]]
    ids = [one["event_id"] for one in events]
    assert [event for event in recorded(tmp_path) if event not in ids] == []
    positions = [one["metadata"]["position"] for one in events]
    assert positions == sorted(positions)
    assert {"trade.order.filled", "market.bar.closed", "system.runner.stopped"} <= {one["type"] for one in heard}
    validator = jsonschema.Draft202012Validator(json_schema())
    assert [error.message for one in heard[:20] for error in validator.iter_errors(one)] == []
    again = run(tmp_path, "--config", "settings.toml")
    assert again.code == 0, again.err
    later = [one["event_id"] for one in told(tmp_path)[len(heard) :] if one["metadata"]]
    assert set(later).isdisjoint(ids)  # the cursor is durable
    assert [event for event in recorded(tmp_path) if event not in {*ids, *later}] == []


def test_a_bus_that_fails_as_it_likes_does_not_hold_up_trading(tmp_path: Path) -> None:
    done = run(tmp_path, "--config", configured(tmp_path, "bus.py:open_broken"))
    assert done.code == 0, done.err
    assert "the server went away" in done.err
    with closing(open_journal(f"sqlite:///{tmp_path / 'tradecore.db'}", create=False)) as journal:
        assert "trade.order.filled" in {item.envelope.name for item in journal.read(0, 1_000_000)}


@pytest.mark.parametrize(
    ("bus", "reason"),
    [
        ("nats", "there is no 'nats'; installed are"),
        ("nowhere.py:open_lines", "there is no file 'nowhere.py'"),
        ("bus.py:nothing", "bus.py has no 'nothing'"),
        ("bus.py:no_context", "makes a Lines"),
        ("bus.py:demanding", "TypeError"),
        ("bus.py:open_mute", "without `publish`"),
        ("wrong.py:Bus", "SyntaxError"),
    ],
)
def test_what_is_no_bus_is_one_error_that_names_the_setting(
    bus: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "bus.py", LINES)
    write(tmp_path, "wrong.py", "def")
    monkeypatch.chdir(tmp_path)

    async def opened() -> None:
        async with make_bus(load_settings(None, {"publishing": {"bus": bus}})):
            pass

    with pytest.raises(ConfigurationError, match=r"^publishing\.bus: ") as caught:
        anyio.run(opened)
    assert reason in str(caught.value)


def test_a_wrong_bus_is_found_before_the_first_file_is_made(tmp_path: Path) -> None:
    done = run(tmp_path, "--config", configured(tmp_path, "nats"))
    assert done.code == 2
    assert done.error.startswith("publishing.bus: there is no 'nats'")
    assert not (tmp_path / "tradecore.db").exists()


def test_an_installed_bus_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a wheel would install it: a module and its metadata in a directory of the path."""
    write(tmp_path, "linesbus.py", LINES)
    metadata = tmp_path / "linesbus-1.dist-info"
    metadata.mkdir()
    write(metadata, "METADATA", "Metadata-Version: 2.1\nName: linesbus\nVersion: 1\n")
    write(metadata, "entry_points.txt", "[tradecore.buses]\nlines = linesbus:open_lines\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    terms = {"bus": "lines", "parameters": {"file": str(tmp_path / "heard.jsonl")}}

    async def opened(settings: Settings) -> str:
        async with make_bus(settings) as bus:
            return type(bus).__name__

    assert anyio.run(opened, load_settings(None, {"publishing": terms})) == "Lines"


def test_news_are_told_when_a_decision_is_first_shown_them(tmp_path: Path) -> None:
    notes = tmp_path / "n.jsonl"
    note = {"at": "2024-01-02T14:00:00Z", "origin": "wire", "symbols": ["AAA"], "text": "profits rise"}
    notes.write_text(json.dumps(note) + "\n", encoding="utf-8")

    async def story() -> list[dict[str, Any]]:
        bus = InProcessBus()
        async with staged(tmp_path, lambda _: decision("hold"), cycle={"notes": str(notes)}) as stage:
            with bus.subscribe("market.news.") as news:
                async with stage.running() as now, anyio.create_task_group() as group:
                    group.start_soon(publish, stage.session, bus, SystemIds())
                    await anyio.wait_all_tasks_blocked()
                    assert await stage.cycle.at(now)
                    heard = [await anext(news)]
                    assert await stage.cycle.at(await stage.minute())
                    await anyio.wait_all_tasks_blocked()
                    with anyio.move_on_after(0):
                        heard.append(await anext(news))
                    group.cancel_scope.cancel()
        assert [one.type for one in heard] == ["market.news.published"]
        return [dict(one.data) for one in heard]

    with_hash = anyio.run(story)
    assert [{**one, "text_hash": ""} for one in with_hash] == [
        {"text_hash": "", "symbols": ["AAA"], "at": "2024-01-02T14:00:00.000000Z", "origin": "wire"}
    ]
