"""Several accounts on one market: nothing of one is seen by another."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.exchange.play import JSON, PATIENCE_S, Play, events, order, received, small_floor
from tradecore.errors import ConfigurationError, InputError
from tradecore_exchange import AccountEntry, ExchangeServer, Serving, Store
from tradecore_exchange.accounts import account_from_text

SECOND = AccountEntry("second", "second-key", "second-secret", Decimal(5_000))


class Http:
    """Requests with the keys of one account, each on a connection of its own."""

    def __init__(self, server: ExchangeServer, entry: AccountEntry) -> None:
        self._headers = {"APCA-API-KEY-ID": entry.key, "APCA-API-SECRET-KEY": entry.secret}
        self._base_url = server.base_url

    def __call__(self, method: str, path: str, **more: JSON) -> httpx.Response:
        with httpx.Client(headers=self._headers, trust_env=False, timeout=PATIENCE_S) as http:
            return http.request(method, self._base_url + path, **more)


class Client:
    """A client of the second account."""

    def __init__(self, server: ExchangeServer) -> None:
        self.ask = Http(server, SECOND)

    def get(self, path: str) -> JSON:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, **changes: JSON) -> JSON:
        answer = self.ask("POST", "/v2/orders", json=order(**changes))
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_every_account_has_books_of_its_own() -> None:
    with ExchangeServer(small_floor(), accounts=[SECOND]) as server, Play(server) as first:
        second = Client(server)
        mine = first.post(client_order_id="same").json()["id"]
        yours = second.post(qty="3", client_order_id="same")["id"]
        first.advance()
        assert mine != yours
        assert (first.get("/v2/positions/AAPL")["qty"], second.get("/v2/positions/AAPL")["qty"]) == ("10", "3")
        assert second.ask("GET", f"/v2/orders/{mine}").status_code == 404
        assert second.ask("DELETE", f"/v2/orders/{mine}").status_code == 404
        (activity,) = second.get("/v2/account/activities/FILL")
        assert activity["order_id"] == yours
        accounts = first.get("/v2/account"), second.get("/v2/account")
        assert accounts[0]["id"] != accounts[1]["id"]
        assert Decimal(accounts[1]["last_equity"]) == 5_000
        assert [len(one["orders"]) for one in (first.judge(), second.get("/_ctl/orders"))] == [1, 1]


def test_every_account_has_a_stream_of_its_own() -> None:
    with ExchangeServer(small_floor(), accounts=[SECOND]) as server, Play(server) as first, first.trades() as mine:
        second = Client(server)
        with connect(server.stream_url, proxy=None) as yours:
            yours.send(json.dumps({"action": "auth", "key": SECOND.key, "secret": SECOND.secret}))
            yours.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
            assert [received(yours)["stream"] for _ in range(2)] == ["authorization", "listening"]
            second.post(client_order_id="yours")
            first.post(client_order_id="mine")
            first.advance()
            for socket, name in ((mine, "mine"), (yours, "yours")):
                told = [received(socket)["data"] for _ in range(3)]
                assert {one["order"]["client_order_id"] for one in told} == {name}
                assert [one["event"] for one in told] == ["pending_new", "new", "fill"]


def test_faults_and_budgets_are_each_accounts_own() -> None:
    with ExchangeServer(small_floor(), accounts=[SECOND]) as server, Play(server) as first:
        second = Client(server)
        first.arm("http_500")
        second.post()
        assert first.post().status_code == 500
        body = {"per_minute": 1, "enforced": True}
        assert second.ask("PUT", "/_ctl/rate-limit", json=body).status_code == 200
        limited = [second.ask("GET", "/v2/account") for _ in range(3)]
        assert limited[-1].status_code == 429
        assert limited[-1].json()["code"] == 42910000
        assert limited[-1].headers["x-ratelimit-limit"] == "1"
        assert [first.http.get("/v2/account").status_code for _ in range(3)] == [200, 200, 200]


def test_the_market_and_what_is_done_to_it_is_everybodys() -> None:
    with ExchangeServer(small_floor(), accounts=[SECOND]) as server, Play(server) as first:
        second = Client(server)
        first.post()
        second.post()
        first.advance()
        first.http.post("/_ctl/operations", json={"do": "split", "symbol": "AAPL", "ratio": "2"})
        assert second.get("/v2/positions/AAPL")["qty"] == "20"
        first.http.post("/_ctl/quote", json={"symbol": "MSFT", "bid": "9.99", "ask": "10.01"})
        second.post(symbol="MSFT", qty="1")
        assert second.get("/v2/positions/MSFT")["avg_entry_price"] == "10.01"


def test_an_account_opened_later_joins_the_market_where_it_stands_and_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as first:
        first.advance(3)
        body = {"name": SECOND.name, "key": SECOND.key, "secret": SECOND.secret, "cash": "5000"}
        assert Client(server).ask("GET", "/v2/account").status_code == 401
        assert first.http.post("/_ctl/accounts", json=body).status_code == 201
        assert first.http.post("/_ctl/accounts", json=body).status_code == 422
        second = Client(server)
        assert second.get("/_ctl/state")["prices"] == first.get("/_ctl/state")["prices"]
        second.post(qty="2")
        first.advance()
    with ExchangeServer(small_floor(Store(path)), accounts=[SECOND]) as server, Play(server) as first:
        second = Client(server)
        assert second.get("/v2/positions/AAPL")["qty"] == "2"
        assert [one["name"] for one in first.get("/_ctl/accounts")] == ["main", "second"]
        assert second.get("/_ctl/state")["steps_done"] == first.get("/_ctl/state")["steps_done"] == 4


def test_an_account_that_a_stop_left_behind_catches_up(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    with ExchangeServer(small_floor(Store(path)), accounts=[SECOND]) as server:
        Client(server).post(qty="2")
    alone = small_floor(Store(path))
    alone.advance()
    alone.close()
    with ExchangeServer(small_floor(Store(path)), serving=Serving()) as server:
        second = Client(server)
        assert second.get("/_ctl/state")["steps_done"] == 1
        assert second.get("/v2/positions/AAPL")["qty"] == "2"


def test_two_accounts_cannot_have_one_name_or_one_key() -> None:
    same_key = AccountEntry("third", SECOND.key, "secret")
    for other in (same_key, AccountEntry("main", "key", "secret"), SECOND):
        with pytest.raises(ConfigurationError, match="already"):
            ExchangeServer(small_floor(), accounts=[SECOND, other])


def test_an_account_is_written_in_one_word() -> None:
    assert account_from_text("b:key:secret", Decimal(7)) == AccountEntry("b", "key", "secret", Decimal(7))
    assert account_from_text("b:key:secret:12.5", Decimal(7)).cash == Decimal("12.5")


@pytest.mark.parametrize(
    "text", ["b", "b:key", "b:key:secret:much", "b:key:secret:1:2", "B:key:secret", "b::secret", "b:key:secret:-1"]
)
def test_an_account_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="account") as refused:
        account_from_text(text, Decimal(7))
    assert "key:secret" not in str(refused.value).replace("name:key:secret", "")


def test_an_event_of_one_account_does_not_wait_for_the_other() -> None:
    with ExchangeServer(small_floor(), accounts=[SECOND]) as server, Play(server) as first, first.trades() as socket:
        first.post()
        Client(server).ask("POST", "/_ctl/advance")
        assert events(socket, 3) == ["pending_new", "new", "fill"]
