"""Two runners with an agent share a ledger: one asks the models, the other goes on when it dies or sleeps."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import attrs
import pytest

from tests.crash.judge import Judge
from tests.cycle.test_crash import think
from tests.cycle.test_live import KEYS
from tests.postgres.server import Server, binaries
from tests.runner.process import finish, start, until, write
from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.journal import open_journal
from tradecore.journal.contract import Journal
from tradecore.testing.model_server import ModelServer

SETTINGS = """ledger = "{url}"
[broker]
name = "alpaca"
base_url = "{exchange}"
[market_data]
symbols = ["AAA"]
[delivery]
shared = true
takeover_s = 4
not_after_s = 600
reconcile_every_s = 5
[agent]
name = "single"
[cycle]
every_s = 0.5
mode = "autonomous"
decide_s = 5
deliver_s = 1
[models.providers.local]
base_url = "{models}"
[models.catalogue.small]
provider = "local"
model = "small"
input_per_million = 1
output_per_million = 4
[models.chains]
default = ["small"]
"""


@attrs.define
class Scene:
    """A market that moves, a model server, and two runners on one ledger."""

    folder: Path
    config: str
    journal: Journal
    judge: Judge
    models: ModelServer
    runners: list[subprocess.Popen[str]] = attrs.field(factory=list)

    def start(self, **env: str) -> subprocess.Popen[str]:
        before = self.count(ev.RunnerStarted)
        runner = start(self.folder, "--config", self.config, **KEYS, **env)
        self.runners.append(runner)
        until(lambda: self.count(ev.RunnerStarted) > before or runner.poll() is not None, "the start of a runner")
        assert runner.poll() is None, finish(runner)
        return runner

    def events(self) -> list[ev.Event]:
        return [item.event for item in self.journal.read(0, 1_000_000)]

    def count(self, kind: type[ev.Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events())

    def turns(self) -> list[ev.LaneTaken]:
        lane = streams.cycle_lane("main")
        return [event for event in self.events() if isinstance(event, ev.LaneTaken) and event.lane == lane]

    def goes_on(self) -> bool:
        """Whether since the second turn cycles were completed and a decision of theirs got to the broker."""
        events = self.events()
        turns = self.turns()
        if len(turns) < 2:
            return False
        since = [type(event) for event in events[events.index(turns[1]) :]]
        return since.count(ev.CycleCompleted) >= 3 and ev.DecisionExecuted in since and ev.OrderAccepted in since


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    arguments = ("--speed", "300", "--days", "2", "--symbols", "AAA", "--seed", "7")
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        if request.param == "postgres":
            if binaries() is None:
                pytest.skip("no Postgres here")
            server = Server(tmp_path_factory.mktemp("postgres"))
            stack.callback(server.remove)
            server.create()
            server.start()
            url = server.url("postgres", schema="cycles")
        judge = stack.enter_context(Judge.start(tmp_path, *arguments))
        models = stack.enter_context(ModelServer(think))
        journal = stack.enter_context(closing(open_journal(url)))
        text = SETTINGS.format(url=url, exchange=judge.base_url, models=models.url)
        scene = Scene(tmp_path, write(tmp_path, "agent.toml", text), journal, judge, models)
        try:
            yield scene
        finally:
            for runner in scene.runners:
                if runner.poll() is None:
                    runner.kill()
                finish(runner)


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "death"), [("sqlite", "stop"), ("postgres", "kill")], indirect=["scene"])
def test_one_of_two_runners_asks_and_the_other_goes_on_when_it_falls_silent(scene: Scene, death: str) -> None:
    first = scene.start(TRADECORE_FAILPOINTS=f"decision.concluded:4:{death}")
    until(lambda: len(scene.turns()) == 1, "the first turn")
    second = scene.start()
    until(scene.goes_on, "the second runner to go on")
    first.send_signal(signal.SIGCONT)
    for runner in (one for one in (first, second) if one.poll() is None):
        runner.send_signal(signal.SIGTERM)
        done = finish(runner)
        assert done.code == 0, done
    fences = [turn.fence for turn in scene.turns()]
    assert fences == list(range(1, len(fences) + 1))  # on a busy machine the second may have taken one for asleep
    assert_asked_and_executed_once(scene)


def assert_asked_and_executed_once(scene: Scene) -> None:
    """No decision costs money twice, is executed twice, or after it was given up; no two cycles overlap."""
    events = scene.events()
    asked = Counter(event.decision_id for event in events if isinstance(event, ev.ModelCallRequested))
    assert set(asked.values()) == {1}
    assert len(scene.models.requests) == len(asked)
    executed = Counter(event.decision_id for event in events if isinstance(event, ev.DecisionExecuted))
    assert set(executed.values()) == {1}
    lapsed = {event.decision_id for event in events if isinstance(event, ev.DecisionLapsed)}
    assert not lapsed & set(executed)
    assert set(scene.judge.ask("/_ctl/orders")["posts"].values()) == {1}
    live: set[str] = set()
    for event in events:
        if isinstance(event, ev.CycleStarted):
            assert not live, "a cycle began while another was at work"
            live.add(event.cycle_id)
        elif isinstance(event, ev.CycleCompleted | ev.CycleFailed):
            live.discard(event.cycle_id)
