"""Nothing that was answered is lost, whenever the exchange dies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.exchange.play import KEYS, PATIENCE_S, Play, order, small_floor
from tradecore.errors import ConfigurationError, StoreUnavailable
from tradecore_bars import seeded_bars
from tradecore_exchange import AnotherMarket, ExchangeServer, Floor, OrderRequest, Store, Submitted
from tradecore_exchange.orders import TradeUpdate
from tradecore_exchange.requests import order_request, read_json


def request(**changes: Any) -> OrderRequest:
    return order_request(read_json(json.dumps(order(**changes)).encode()))


class Process:
    """An exchange in a process of its own, with its state in a file."""

    def __init__(self, state: Path) -> None:
        market = ["--seed", "7", "--days", "1", "--symbols", "AAPL,MSFT", "--partial-fill-rate", "0.5"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tradecore_exchange", *market, "--state", str(state)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.addresses = json.loads(self.process.stdout.readline())
        self.http = httpx.Client(base_url=self.addresses["base_url"], headers=KEYS, trust_env=False, timeout=PATIENCE_S)

    def state(self) -> dict[str, Any]:
        names = ("/_ctl/state", "/_ctl/orders", "/v2/account", "/v2/positions", "/v2/account/activities")
        return {name: self.http.get(name).json() for name in names}

    def end(self, number: signal.Signals) -> int:
        self.http.close()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def play_some(exchange: Process, name: str) -> None:
    for at in range(5):
        exchange.http.post("/v2/orders", json=order(client_order_id=f"{name}-{at}", symbol=["AAPL", "MSFT"][at % 2]))
        exchange.http.post("/_ctl/advance", json={"steps": 1})
    legs = {"take_profit": {"limit_price": "900"}, "stop_loss": {"stop_price": "1"}}
    bracket = order(client_order_id=f"{name}-bracket", order_class="bracket", **legs)
    assert exchange.http.post("/v2/orders", json=bracket).status_code == 200
    trailing = order(client_order_id=f"{name}-trail", side="sell", qty="1", type="trailing_stop", trail_percent="5")
    assert exchange.http.post("/v2/orders", json=trailing).status_code == 200
    exchange.http.post("/_ctl/advance", json={"steps": 3})
    limit = order(client_order_id=f"{name}-open", type="limit", limit_price="1")
    exchange.http.post("/v2/orders", json=limit)
    exchange.http.post("/v2/orders", json=limit)


def test_a_killed_exchange_comes_back_as_it_was_and_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    state = tmp_path / "exchange.db"
    first = Process(state)
    play_some(first, "before")
    before = first.state()
    first.end(signal.SIGKILL)

    second = Process(state)
    assert second.state() == before
    play_some(second, "after")
    interrupted = second.state()
    assert second.end(signal.SIGTERM) == 0

    unbroken = Process(tmp_path / "unbroken.db")
    play_some(unbroken, "before")
    play_some(unbroken, "after")
    assert unbroken.state() == interrupted
    assert unbroken.end(signal.SIGINT) == 0


def test_open_orders_survive_and_are_filled_after_the_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    floor = small_floor(Store(path))
    floor.advance()
    floor.submit(request(client_order_id="one"))
    floor.close()
    again = small_floor(Store(path))
    again.advance()
    assert again.exchange.book.by_client_order_id["one"].status == "filled"
    again.close()


def test_waiting_and_expiring_orders_survive(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    floor = small_floor(Store(path))
    for _ in range(390):
        floor.advance()
    floor.submit(request(client_order_id="waiting"))
    floor.submit(request(client_order_id="expiring", type="limit", limit_price="1"))
    floor.close()
    again = small_floor(Store(path))
    while again.advance() is not None:
        pass
    orders = again.exchange.book.by_client_order_id
    assert (orders["waiting"].status, orders["expiring"].status) == ("filled", "expired")
    again.close()


def test_a_quote_from_outside_is_still_live_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as play:
        play.http.post("/_ctl/quote", json={"symbol": "AAPL", "bid": "9.99", "ask": "10.01"})
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as play:
        play.post(client_order_id="one")
        assert play.judge()["executions"][0]["price"] == "10.01"


def test_what_waits_is_decided_in_the_same_order_after_a_restart(tmp_path: Path) -> None:
    def played(path: Path, *, restart: bool) -> list[str]:
        floor = small_floor(Store(path))
        floor.carry_out(lambda exchange: exchange.switch(slow_cancels=True))
        ids = [placed(floor, symbol, limit_price="1", type="limit") for symbol in ("MSFT", "AAPL", "MSFT")]
        for order_id in reversed(ids):
            floor.cancel(order_id)
        if restart:
            floor.close()
            floor = small_floor(Store(path))
        floor.publish()
        told: list[str] = []
        floor.listen(lambda message: told.append(message.order.id) if isinstance(message, TradeUpdate) else None)
        floor.advance()
        floor.publish()
        floor.close()
        assert told == ids
        return told

    assert played(tmp_path / "one.db", restart=True) == played(tmp_path / "two.db", restart=False)


def placed(floor: Floor, symbol: str, **terms: Any) -> str:
    outcome = floor.submit(request(symbol=symbol, **terms))
    assert isinstance(outcome, Submitted)
    return outcome.order.id


def test_a_configuration_survives(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as play:
        play.http.patch("/v2/account/configurations", json={"no_shorting": True})
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as play:
        assert play.get("/v2/account/configurations")["no_shorting"] is True


def test_a_store_of_another_market_is_refused_by_both_names(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    small_floor(Store(path)).close()
    store = Store(path)
    with pytest.raises(AnotherMarket) as error:
        small_floor(store, seed=8)
    assert error.value.stored != error.value.given
    assert error.value.stored in str(error.value)
    assert error.value.given in str(error.value)
    store.close()


def test_a_store_begun_with_other_cash_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    small_floor(Store(path)).close()
    store = Store(path)
    with pytest.raises(ConfigurationError, match="cash 100000"):
        small_floor(store, cash=5)
    store.close()


def test_a_longer_market_of_the_same_name_continues(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    floor = small_floor(Store(path), days=1)
    while floor.advance() is not None:
        pass
    floor.close()
    longer = small_floor(Store(path), days=2)
    assert (longer.feed.steps_done, longer.feed.done) == (390, False)
    longer.close()


def test_a_market_shorter_than_its_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    floor = small_floor(Store(path), days=2)
    for _ in range(400):
        floor.advance()
    floor.close()
    store = Store(path)
    with pytest.raises(ConfigurationError, match="before step 400"):
        small_floor(store, days=1)
    store.close()


def test_a_store_serves_one_exchange_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    floor = small_floor(Store(path))
    with pytest.raises(StoreUnavailable):
        Store(path)
    floor.close()


def test_a_store_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StoreUnavailable):
        Store(path)


def test_a_floor_that_cannot_save_stays_shut() -> None:
    floor = small_floor()
    floor.store.close()
    with pytest.raises(StoreUnavailable):
        floor.submit(request())
    with pytest.raises(StoreUnavailable):
        floor.advance()


def test_a_market_may_be_an_iterator_of_unknown_length() -> None:
    floor = Floor(["AAPL"], seeded_bars(["AAPL"], 1, 7))
    assert floor.feed.steps_total is None
    assert floor.advance() is not None
