"""The HTTP face: shapes, lists, pages, refusals."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from tests.exchange.play import SYMBOLS, Play, order
from tradecore_exchange import DEFAULT_KEY


def test_an_order_has_every_field_of_the_protocol_and_numbers_are_text(play: Play) -> None:
    body = play.post(client_order_id="one", qty=1.0).json()
    assert body["status"] == "pending_new"
    assert (body["qty"], body["filled_qty"], body["filled_avg_price"]) == ("1", "0", None)
    assert (body["order_class"], body["legs"], body["type"], body["order_type"]) == ("", None, "market", "market")
    assert body["position_intent"] == "buy_to_open"
    assert body["expires_at"] == "2024-01-02T21:00:00Z"
    assert re.fullmatch(r"2024-01-02T14:30:00\.\d{1,9}Z", body["submitted_at"])
    assert uuid.UUID(body["id"]).version == 4
    filled = {"filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at", "replaced_by", "replaces"}
    assert {body[name] for name in filled} == {None}


def test_an_order_is_found_by_both_ids(play: Play) -> None:
    body = play.post(client_order_id="one").json()
    assert play.get(f"/v2/orders/{body['id']}", nested="True")["id"] == body["id"]
    assert play.get("/v2/orders:by_client_order_id", client_order_id="one")["id"] == body["id"]


@pytest.mark.parametrize("path", ["/v2/orders/nothing", "/v2/orders:by_client_order_id?client_order_id=nothing"])
def test_an_unknown_order_is_404_with_its_code(shared: Play, path: str) -> None:
    answer = shared.http.get(path)
    assert (answer.status_code, answer.json()) == (404, {"code": 40410000, "message": "order not found for nothing"})


@pytest.mark.parametrize(
    ("changes", "status", "code", "message"),
    [
        ({"symbol": "NOPE"}, 422, 42210000, 'asset "NOPE" not found'),
        ({"symbol": None}, 422, 40010001, "symbol is required"),
        ({"symbol": 5}, 422, 40010001, "symbol must be a string"),
        ({"side": "hold"}, 422, 40010001, "invalid side"),
        ({"side": ["buy"]}, 422, 40010001, "invalid side"),
        ({"type": "magic"}, 422, 40010001, "invalid order type"),
        ({"time_in_force": "never"}, 422, 40010001, "invalid time_in_force"),
        ({"qty": None}, 422, 40010001, "qty or notional is required"),
        ({"notional": "5"}, 422, 40010001, "only one of qty or notional is accepted"),
        ({"qty": None, "notional": "0.99"}, 422, 40010001, "notional must be >= 1.00"),
        ({"qty": "0"}, 422, 40010001, "qty must be > 0"),
        ({"qty": -1}, 422, 40010001, "qty must be > 0"),
        ({"qty": "ten"}, 422, 40010001, "qty must be a number"),
        ({"qty": True}, 422, 40010001, "qty must be a number"),
        ({"qty": "NaN"}, 422, 40010001, "qty must be a number"),
        ({"qty": {}}, 422, 40010001, "qty must be a number"),
        ({"qty": "1e400"}, 422, 40010001, "qty is too large"),
        ({"qty": "0.0000000001"}, 422, 42210000, "qty must be limited to 9 decimal places"),
        ({"qty": "0.5", "time_in_force": "gtc"}, 422, 42210000, "fractional orders must be DAY orders"),
        ({"qty": None, "notional": "5", "time_in_force": "gtc"}, 422, 42210000, "fractional orders must be DAY orders"),
        ({"type": "limit"}, 422, 40010001, "limit orders require a limit price"),
        ({"limit_price": "5"}, 422, 40010001, "market orders require no limit price"),
        (
            {"type": "limit", "limit_price": "290.123"},
            422,
            42210000,
            "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        ({"client_order_id": "x" * 129}, 422, 40010001, "client_order_id must be no more than 128 characters"),
        ({"client_order_id": 7}, 422, 40010001, "client_order_id must be a string"),
        ({"extended_hours": "yes"}, 422, 40010001, "extended_hours must be a boolean"),
        ({"extended_hours": True}, 422, 42210000, "extended hours order must be DAY or GTC limit orders"),
        ({"order_class": "mleg"}, 422, 42210000, "options are not traded on this exchange"),
        ({"position_intent": "sell_to_close"}, 422, 42210000, "position intent mismatch, inferred: buy_to_open"),
        (
            {"side": "sell", "qty": "0.5"},
            422,
            42210000,
            "fractional orders cannot be sold short",
        ),
    ],
)
def test_each_wrong_order_is_refused_with_its_own_words(
    shared: Play, changes: dict[str, Any], status: int, code: int, message: str
) -> None:
    answer = shared.post(**changes)
    assert (answer.status_code, answer.json()) == (status, {"code": code, "message": message})
    assert shared.judge()["orders"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"symbol":"AAPL","qty":NaN,"side":"buy","type":"market","time_in_force":"day"}', 422),
        (b'{"symbol":"AAPL","qty":-Infinity,"side":"buy","type":"market","time_in_force":"day"}', 422),
        (b'{"symbol":"AAPL","qty":1e999999999999,"side":"buy","type":"market","time_in_force":"day"}', 422),
        (b'{"symbol":"AAPL","qty":' + b"9" * 10_000 + b',"side":"buy","type":"market","time_in_force":"day"}', 422),
        (b"[]", 422),
        (b"5", 422),
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
    ],
)
def test_no_body_brings_the_server_down(shared: Play, body: bytes, status: int) -> None:
    assert shared.http.post("/v2/orders", content=body).status_code == status


def test_buying_power_and_its_cost_are_told(play: Play) -> None:
    answer = play.post(type="limit", limit_price="200", qty="2001")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "400000",
        "cost_basis": "400200",
    }


def test_a_repeated_client_order_id_is_refused_even_after_the_fill(play: Play) -> None:
    play.post(client_order_id="one")
    play.advance()
    answer = play.post(client_order_id="one")
    assert (answer.status_code, answer.json()["code"]) == (422, 40010001)
    assert play.judge()["posts"] == {"one": 2}


@pytest.mark.parametrize("keys", [{}, {"APCA-API-KEY-ID": DEFAULT_KEY}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize("path", ["/v2/account", "/v2/clock", "/v2/stocks/bars", "/_ctl/state", "/nowhere"])
def test_without_keys_everything_is_401(shared: Play, keys: dict[str, str], path: str) -> None:
    answer = httpx.get(shared.server.base_url + path, headers=keys, trust_env=False)
    assert (answer.status_code, answer.json()) == (401, {"message": "unauthorized."})


def test_every_answer_tells_the_rate_limit(shared: Play) -> None:
    for path in ("/v2/account", "/v2/orders/nothing", "/nowhere"):
        headers = shared.http.get(path).headers
        assert headers["x-ratelimit-limit"] == "200"
        assert int(headers["x-ratelimit-remaining"]) < 200
        assert int(headers["x-ratelimit-reset"]) > 1_700_000_000


def test_a_list_of_orders_is_filtered_and_cut_as_asked(play: Play) -> None:
    ids = [play.post(client_order_id=str(at), symbol=SYMBOLS[at % 2], qty="1").json() for at in range(6)]

    def listed(**query: Any) -> str:
        return "".join(one["client_order_id"] for one in play.get("/v2/orders", **query))

    assert listed() == "543210"
    assert listed(direction="asc", limit=2) == "01"
    assert listed(symbols="AAPL") == "420"
    assert listed(symbols="AAPL,MSFT", side="sell") == ""
    assert listed(after=ids[3]["submitted_at"]) == "54"
    assert listed(until=ids[2]["submitted_at"], nested="True") == "10"
    assert listed(after_order_id=ids[2]["id"], direction="asc") == "345"
    assert listed(before_order_id=ids[2]["id"]) == "10"
    assert listed(status="closed") == ""
    play.http.delete(f"/v2/orders/{ids[0]['id']}")
    assert (listed(status="closed"), listed(status="open"), listed(status="all")) == ("0", "54321", "543210")


@pytest.mark.parametrize(
    "query",
    ["status=some", "limit=501", "limit=0", "limit=x", "after=noon", "direction=up", "side=x", "nested=perhaps"],
)
def test_a_list_asked_for_in_unknown_words_is_422(shared: Play, query: str) -> None:
    assert shared.http.get(f"/v2/orders?{query}").status_code == 422


def test_cancels_are_204_once_and_again_and_422_after_the_fill(play: Play) -> None:
    one, two = play.post().json()["id"], play.post().json()["id"]
    first, again = play.http.delete(f"/v2/orders/{one}"), play.http.delete(f"/v2/orders/{one}")
    assert (first.status_code, first.content, again.status_code) == (204, b"", 204)
    play.advance()
    late = play.http.delete(f"/v2/orders/{two}")
    assert (late.status_code, late.json()["message"]) == (422, 'order is already in "filled" state')


def test_canceling_all_is_207_with_each(play: Play) -> None:
    ids = {play.post().json()["id"] for _ in range(2)}
    answer = play.http.delete("/v2/orders")
    assert answer.status_code == 207
    assert {(one["id"], one["status"]) for one in answer.json()} == {(one, 200) for one in ids}
    assert play.http.delete("/v2/orders").json() == []


def test_a_working_limit_order_is_replaced_by_a_new_one(play: Play) -> None:
    old = play.post(type="limit", limit_price="10").json()["id"]
    new = play.http.patch(f"/v2/orders/{old}", json={"limit_price": 11.0, "qty": 5, "client_order_id": "new"}).json()
    assert (new["replaces"], new["limit_price"], new["qty"], new["client_order_id"]) == (old, "11", "5", "new")
    assert play.get(f"/v2/orders/{old}")["replaced_by"] == new["id"]


def test_the_account_balances_to_the_cent(play: Play) -> None:
    play.post(qty="0.123456789")
    play.advance()
    account = play.get("/v2/account")
    fill = play.get("/v2/account/activities/FILL")[0]
    cost = round(float(fill["qty"]) * float(fill["price"]), 2)
    assert account["status"] == "ACTIVE"
    assert account["cash"] == f"{100_000 - cost:.2f}".rstrip("0").rstrip(".")
    assert "pattern_day_trader" not in account


def test_positions_are_told_and_closed(play: Play) -> None:
    play.post(qty="10")
    play.advance()
    position = play.get("/v2/positions/AAPL")
    assert (position["qty"], position["qty_available"], position["side"]) == ("10", "10", "long")
    assert play.get("/v2/positions") == [position]
    assert play.get(f"/v2/positions/{position['asset_id']}") == position
    half = play.http.delete("/v2/positions/AAPL", params={"percentage": "50"})
    assert (half.status_code, half.json()["qty"], half.json()["side"]) == (200, "5", "sell")
    assert play.get("/v2/positions/AAPL")["qty_available"] == "5"
    rest = play.http.delete("/v2/positions", params={"cancel_orders": "True"})
    assert (rest.status_code, rest.json()[0]["body"]["qty"]) == (207, "10")
    play.advance()
    gone = play.http.get("/v2/positions/AAPL")
    assert (gone.status_code, gone.json()["message"]) == (404, "position does not exist")


@pytest.mark.parametrize(
    ("side", "percentage", "qty"), [("buy", "25", "2.5"), ("sell", "25", "2"), ("sell", "100", "10")]
)
def test_a_part_of_a_position_is_one_that_can_be_ordered(play: Play, side: str, percentage: str, qty: str) -> None:
    play.post(side=side)
    play.advance()
    assert play.http.delete("/v2/positions/AAPL", params={"percentage": percentage}).json()["qty"] == qty


def test_a_part_too_small_to_order_closes_nothing(play: Play) -> None:
    play.post(qty="1")
    play.advance()
    answer = play.http.delete("/v2/positions/AAPL", params={"percentage": "0.00000001"})
    assert (answer.status_code, answer.json()) == (422, {"code": 40010001, "message": "qty must be > 0"})
    assert play.get("/v2/orders") == []
    for query in ({"qty": "1", "percentage": "5"}, {"percentage": "101"}, {"qty": "x"}):
        assert play.http.delete("/v2/positions/AAPL", params=query).status_code == 422
    more = play.http.delete("/v2/positions/AAPL", params={"qty": "2"})
    assert more.json()["message"] == "insufficient qty available for order (requested: 2, available: 1)"


def test_activities_are_paged_without_a_gap_or_a_repeat(play: Play) -> None:
    for _ in range(7):
        play.post(qty="1")
    play.advance()
    for direction in ("asc", "desc"):
        seen: list[str] = []
        while True:
            query = {"page_size": 3, "direction": direction, **({"page_token": seen[-1]} if seen else {})}
            page = play.get("/v2/account/activities/FILL", **query)
            if not page:
                break
            seen += [one["id"] for one in page]
        assert len(seen) == len(set(seen)) == 7


def test_an_activity_is_dated_in_new_york_and_shares_no_id_with_its_execution(play: Play) -> None:
    order_id = play.post().json()["id"]
    play.post(symbol="MSFT")
    play.advance()
    (fill,) = play.get("/v2/account/activities", activity_types="FILL,DIV", order_id=order_id)
    execution = play.judge()["executions"][0]
    assert fill["id"].startswith("20240102093100")
    assert fill["id"].split("::")[1] != execution["execution_id"]
    assert (fill["activity_type"], fill["type"], fill["cum_qty"], fill["leaves_qty"]) == ("FILL", "fill", "10", "0")
    assert "client_order_id" not in fill


def test_activities_after_a_time_are_strictly_later(play: Play) -> None:
    play.post()
    play.advance()
    assert play.get("/v2/account/activities/FILL", after="2024-01-02T14:31:01Z") == []
    assert len(play.get("/v2/account/activities/FILL", after="2024-01-02T14:30:59Z")) == 1
    assert play.get("/v2/account/activities/FILL", until="2024-01-02T09:31:00-05:00") == []
    assert len(play.get("/v2/account/activities/FILL", date="2024-01-02")) == 1


def test_a_suspended_account_refuses_orders_until_it_is_resumed(play: Play) -> None:
    play.http.patch("/v2/account/configurations", json={"suspend_trade": True})
    assert play.post().status_code == 403
    assert play.get("/v2/account")["trade_suspended_by_user"] is True
    assert play.http.patch("/v2/account/configurations", json={"suspend_trade": "maybe"}).status_code == 422
    play.http.patch("/v2/account/configurations", json={"suspend_trade": False})
    assert play.post().status_code == 200


def test_clock_and_calendar_are_the_markets(shared: Play) -> None:
    clock = shared.get("/v2/clock")
    assert clock["timestamp"].endswith("-05:00")
    assert (clock["is_open"], clock["next_close"]) == (True, "2024-01-02T16:00:00-05:00")
    days = shared.get("/v2/calendar", start="2024-01-05", end="2024-01-08")
    assert [(day["date"], day["open"], day["settlement_date"]) for day in days] == [
        ("2024-01-05", "09:30", "2024-01-08"),
        ("2024-01-08", "09:30", "2024-01-09"),
    ]


def test_assets_are_those_of_the_market(shared: Play) -> None:
    assert [asset["symbol"] for asset in shared.get("/v2/assets")] == list(SYMBOLS)
    asset = shared.get("/v2/assets/MSFT")
    assert shared.get(f"/v2/assets/{asset['id']}") == asset
    assert shared.http.get("/v2/assets/NOPE").status_code == 404


def test_historical_bars_never_show_the_future(play: Play) -> None:
    assert play.get("/v2/stocks/bars", symbols="AAPL")["bars"] == {}
    play.advance(3)
    body = play.get("/v2/stocks/bars", symbols="AAPL,MSFT", timeframe="1Min", end="2030-01-01T00:00:00Z")
    assert {symbol: len(bars) for symbol, bars in body["bars"].items()} == {"AAPL": 3, "MSFT": 3}
    assert body["next_page_token"] is None
    assert play.get("/v2/stocks/bars/latest", symbols="AAPL")["bars"]["AAPL"] == body["bars"]["AAPL"][-1]


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_historical_bars_are_paged_without_a_gap_or_a_repeat(play: Play, sort: str) -> None:
    play.advance(5)
    seen: list[tuple[str, str]] = []
    token = None
    while True:
        query = {"symbols": "AAPL,MSFT", "limit": 3, "sort": sort, **({"page_token": token} if token else {})}
        body = play.get("/v2/stocks/bars", **query)
        seen += [(symbol, bar["t"]) for symbol, bars in body["bars"].items() for bar in bars]
        token = body["next_page_token"]
        if token is None:
            break
    assert len(seen) == len(set(seen)) == 10


def test_longer_timeframes_join_the_minutes(play: Play) -> None:
    play.advance(10)
    minutes = play.get("/v2/stocks/bars", symbols="AAPL")["bars"]["AAPL"]
    fives = play.get("/v2/stocks/bars", symbols="AAPL", timeframe="5Min")["bars"]["AAPL"]
    assert [one["t"] for one in fives] == ["2024-01-02T14:30:00Z", "2024-01-02T14:35:00Z"]
    assert (fives[0]["o"], fives[0]["c"]) == (minutes[0]["o"], minutes[4]["c"])
    assert fives[0]["h"] == max(one["h"] for one in minutes[:5])
    assert fives[0]["v"] == sum(one["v"] for one in minutes[:5])


def test_a_quote_from_outside_is_told_by_the_data_service(play: Play) -> None:
    answer = play.http.post("/_ctl/quote", json={"symbol": "AAPL", "bid": "9.99", "ask": "10.01"})
    assert answer.status_code == 200
    latest = play.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"]["AAPL"]
    assert (latest["bp"], latest["ap"]) == (9.99, 10.01)
    play.post(client_order_id="now")
    assert play.get("/v2/orders:by_client_order_id", client_order_id="now")["filled_avg_price"] == "10.01"


def test_advancing_tells_what_happened_and_where_the_market_stands(play: Play) -> None:
    play.post()
    assert play.advance() == {
        "time": "2024-01-02T14:31:00Z",
        "bars": ["AAPL", "MSFT"],
        "orders_changed": 1,
        "updates": 3,
        "done": False,
        "steps_done": 1,
        "steps_total": 780,
    }
    assert play.advance(5_000)["done"] is True
    assert play.advance()["orders_changed"] == 0


def test_the_portfolio_history_has_each_close_and_now(play: Play) -> None:
    play.advance(400)
    history = play.get("/v2/account/portfolio/history")
    assert (len(history["timestamp"]), history["equity"], history["base_value"]) == (2, [100000.0, 100000.0], 100000.0)


def test_the_body_of_an_order_may_hold_unknown_fields(play: Play) -> None:
    assert play.http.post("/v2/orders", json=order(subtag="x", source="y")).status_code == 200
