"""Two runners share the lane of an account: one delivers, the other takes over when it falls silent, nothing twice."""

from __future__ import annotations

import datetime as dt
import itertools
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.crash.judge import Judge
from tests.postgres.server import Server, binaries
from tests.runner.process import KEYS, finish, start, until, write
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

_STOPPED = "T"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | None]:
    if binaries() is None:
        yield None
        return
    server = Server(tmp_path_factory.mktemp("postgres"))
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, server: Server | None, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    if server is None:
        pytest.skip("no Postgres here")
    return server.url("postgres", schema=f"lanes_{next(_NUMBERS)}")


@attrs.define
class Pair:
    """A ledger in the hands of two runners, and one for the test."""

    folder: Path
    url: str
    judge: Judge
    ledger: Ledger
    runners: list[subprocess.Popen[str]] = attrs.field(factory=list)

    def start(self, takeover_s: int = 4, **env: str) -> subprocess.Popen[str]:
        """Start a runner that shares the ledger."""
        text = f"""
ledger = "{self.url}"
[broker]
name = "alpaca"
base_url = "{self.judge.base_url}"
[strategy]
name = "none"
[delivery]
shared = true
takeover_s = {takeover_s}
not_after_s = 600
visibility_s = 0.3
lookup_interval_s = 0.1
lookups = 2
retry_initial_s = 0.1
retry_jitter_s = 0.05
reconcile_every_s = 5
"""
        before = self.count(ev.RunnerStarted)
        runner = start(self.folder, "--config", write(self.folder, "runner.toml", text), **KEYS, **env)
        self.runners.append(runner)
        until(lambda: self.count(ev.RunnerStarted) > before or runner.poll() is not None, "the start of a runner")
        assert runner.poll() is None, finish(runner)
        return runner

    def events(self) -> list[ev.Event]:
        return [item.event for item in self.ledger.journal.read(0, 1_000_000)]

    def count(self, kind: type[ev.Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events())

    def place(self, symbol: str = "AAA") -> str:
        clock, ids = SystemClock(), SystemIds()
        order_id = ids.order_id()
        order = cmd.PlaceOrder(
            order_id=order_id,
            account="main",
            symbol=symbol,
            side=Side.BUY,
            quantity=Decimal(1),
            order_type=OrderType.LIMIT,
            limit_price=Decimal("0.05"),
            time_in_force=TimeInForce.DAY,
            strategy="test",
            not_after=clock.now() + dt.timedelta(minutes=10),
        )
        self.ledger.handle(order, Cause(ids.trace_id(), actor="test"))
        return order_id

    def is_there(self, order_id: str) -> bool:
        """Whether the ledger knows the order at the broker."""
        return any(isinstance(event, ev.OrderAccepted) and event.order_id == order_id for event in self.events())

    def posts(self) -> dict[str, Any]:
        told: dict[str, Any] = self.judge.ask("/_ctl/orders")["posts"]
        return told


@pytest.fixture
def pair(url: str, tmp_path: Path) -> Iterator[Pair]:
    arguments = ("--speed", "600", "--days", "1", "--symbols", "AAA,BBB", "--seed", "7")
    with Judge.start(tmp_path, *arguments) as judge, closing(open_journal(url)) as journal:
        until(lambda: int(judge.ask("/_ctl/state")["steps_done"]) > 0, "the first bar")
        pair = Pair(tmp_path, url, judge, Ledger(journal, SystemClock(), SystemIds()))
        try:
            yield pair
        finally:
            for runner in pair.runners:
                if runner.poll() is None:
                    runner.kill()
                finish(runner)


def is_stopped(process: subprocess.Popen[str]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == _STOPPED


@pytest.mark.slow
@pytest.mark.parametrize("place", ["outbox.t2.before", "outbox.post.before", "outbox.post.after"])
def test_a_runner_that_sleeps_past_its_time_sends_nothing_twice_and_loses_nothing(pair: Pair, place: str) -> None:
    first = pair.start(TRADECORE_FAILPOINTS=f"{place}:3:stop")
    early = pair.place()
    until(lambda: pair.is_there(early), "the first order")
    second = pair.start()
    orders = [pair.place() for _ in range(6)]  # one call at a time: of one symbol
    until(lambda: is_stopped(first), "the first runner to fall asleep")
    until(lambda: all(pair.is_there(order) for order in orders), "the second runner to take over")
    fences = [(event.fence, event.holder) for event in pair.events() if isinstance(event, ev.LaneTaken)]
    assert [fence for fence, _ in fences] == [1, 2]
    assert len({holder for _, holder in fences}) == 2

    first.send_signal(signal.SIGCONT)
    late = [pair.place() for _ in range(2)]
    until(lambda: all(pair.is_there(order) for order in late), "delivery to go on")
    said = ""
    for runner in (first, second):
        runner.send_signal(signal.SIGTERM)
        done = finish(runner)
        assert done.code == 0, done
        said += done.err
    if place == "outbox.t2.before":  # it woke with marks to make, and could make none
        assert "somebody else delivers this lane by now" in said
    posts = pair.posts()
    known = {event.client_order_id for event in pair.events() if isinstance(event, ev.OrderPlanned)}
    assert posts == dict.fromkeys(known, 1)
    assert pair.count(ev.OrderAccepted) == len(known)
    assert pair.count(ev.LaneTaken) <= 3
    if place == "outbox.post.before":
        assert pair.count(ev.StaleOutcome) >= 1  # what became of the attempt it made is kept


@pytest.mark.slow
def test_a_runner_that_is_killed_is_succeeded_by_the_other(pair: Pair) -> None:
    first = pair.start(TRADECORE_FAILPOINTS="outbox.post.after:3:kill")
    early = pair.place()
    until(lambda: pair.is_there(early), "the first order")
    pair.start()
    orders = [pair.place(symbol) for _ in range(4) for symbol in ("AAA", "BBB")]
    until(lambda: first.poll() is not None, "the first runner's end")
    until(lambda: all(pair.is_there(order) for order in orders), "the second runner to take over")
    assert set(pair.posts().values()) == {1}


@pytest.mark.slow
def test_a_runner_that_stops_in_good_order_leaves_its_lane_at_once(pair: Pair) -> None:
    first = pair.start(takeover_s=600)  # longer than anybody waits here
    early = pair.place()
    until(lambda: pair.is_there(early), "the first order")
    pair.start(takeover_s=600)
    first.send_signal(signal.SIGTERM)
    assert finish(first).code == 0
    assert pair.count(ev.LaneLeft) == 1
    order = pair.place()
    until(lambda: pair.is_there(order), "the second runner")


def test_a_runner_that_wants_the_ledger_for_itself_is_refused_while_others_share_it(pair: Pair) -> None:
    pair.start()
    config = (pair.folder / "runner.toml").read_text().replace("shared = true", "shared = false")
    done = finish(start(pair.folder, "--config", write(pair.folder, "alone.toml", config), **KEYS))
    assert done.code == 1
    assert "runners that share it already work on this ledger" in done.err
