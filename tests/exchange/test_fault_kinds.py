"""The faults of answers, of reading, and of the stream's beginning."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.exchange.play import JSON, KEYS, PATIENCE_S, SYMBOLS, Play, events, received, small_floor
from tradecore_bars import seeded_bars
from tradecore_exchange import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    ExchangeOptions,
    ExchangeServer,
    Floor,
    Serving,
    StreamPolicy,
)

AUTHENTICATE = json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET})
LISTEN = json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}})


def log(play: Play) -> list[tuple[str, str, str]]:
    """What struck: where, at what, and what."""
    return [(line["where"], line["target"], line["kind"]) for line in play.get("/_ctl/faults/log")["log"]]


@pytest.mark.parametrize("kind", ["answer_null_field", "answer_missing_field", "answer_unknown_word", "cut_200"])
def test_an_answer_is_right_but_for_one_thing(play: Play, kind: str) -> None:
    play.arm(kind, field="updated_at")
    answer = play.post(client_order_id="one")
    assert answer.status_code == 200
    if kind == "cut_200":
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    else:
        body = answer.json()
        struck = {
            "answer_null_field": body.get("updated_at", "") is None,
            "answer_missing_field": "updated_at" not in body,
            "answer_unknown_word": body["status"] == "teleported",
        }
        assert [name for name, is_so in struck.items() if is_so] == [kind]
    assert len(play.judge()["orders"]) == 1
    assert log(play) == [("request", "POST /v2/orders", kind)]


@pytest.mark.parametrize("kind", ["answer_null_field", "answer_unknown_word"])
def test_a_list_is_spoiled_in_its_first_element(play: Play, kind: str) -> None:
    play.post()
    play.arm(kind, endpoint="GET /v2/orders", field="id")
    first = play.get("/v2/orders", status="all")[0]
    assert (first["id"] is None) == (kind == "answer_null_field")
    assert (first["status"] == "teleported") == (kind == "answer_unknown_word")


def test_a_refusal_has_nothing_to_spoil(play: Play) -> None:
    play.arm("answer_missing_field", field="code")
    assert play.post(qty="0").json()["code"]


def test_a_cancel_comes_too_late_because_the_fill_was_first(play: Play) -> None:
    order_id = play.post().json()["id"]
    play.arm("fill_first", advance=True)
    refused = play.http.delete(f"/v2/orders/{order_id}")
    assert (refused.status_code, refused.json()["code"]) == (422, 42210000)
    assert play.get(f"/v2/orders/{order_id}")["status"] == "filled"


def test_a_replacement_comes_too_late_because_the_fill_was_first(play: Play) -> None:
    order_id = play.post(type="limit", limit_price="999").json()["id"]
    play.arm("fill_first", advance=True)
    refused = play.http.patch(f"/v2/orders/{order_id}", json={"qty": "5"})
    assert refused.status_code == 422
    assert [order["status"] for order in play.judge()["orders"]] == ["filled"]


def test_a_cancel_is_held_until_the_market_that_moves_by_itself_has_filled() -> None:
    with ExchangeServer(small_floor(), speed=600) as server, Play(server) as play:
        order_id = play.post().json()["id"]
        play.arm("fill_first", ms=10_000)
        assert play.http.delete(f"/v2/orders/{order_id}").status_code == 422


def test_the_events_of_a_cancel_are_out_before_its_answer(play: Play) -> None:
    order_id = play.post(type="limit", limit_price="1").json()["id"]
    with play.trades() as socket:
        play.arm("fill_before_answer", endpoint="DELETE /v2/orders/{id}", ms=1)
        assert play.http.delete(f"/v2/orders/{order_id}").status_code == 204
        assert json.loads(socket.recv(timeout=0))["data"]["event"] == "canceled"


def test_a_fault_of_chance_strikes_the_same_requests_again() -> None:
    def struck() -> list[int]:
        with ExchangeServer(small_floor()) as server, Play(server) as play:
            play.arm("http_500", count=1_000, probability=0.5)
            return [play.post(client_order_id=str(number)).status_code for number in range(30)]

    first = struck()
    assert set(first) == {200, 500}
    assert struck() == first


def test_orders_lag(play: Play) -> None:
    order_id = play.post(client_order_id="one").json()["id"]
    play.arm("order_lag", ms=60_000)
    play.advance()
    assert play.get(f"/v2/orders/{order_id}")["status"] == "new"
    assert play.get("/v2/orders:by_client_order_id", client_order_id="one")["status"] == "new"
    assert [order["status"] for order in play.get("/v2/orders", status="open")] == ["new"]
    assert play.get("/v2/orders", status="closed") == []
    later = play.post(client_order_id="two").json()["id"]
    assert play.http.get(f"/v2/orders/{later}").status_code == 404
    play.http.delete("/_ctl/faults")
    assert play.get(f"/v2/orders/{order_id}")["status"] == "filled"
    assert ("lookup", "GET /v2/orders/{id}", "order_lag") in log(play)


def test_an_order_of_a_moment_ago_shows_its_legs(play: Play) -> None:
    legs = {"take_profit": {"limit_price": "900"}, "stop_loss": {"stop_price": "1.5"}}
    order_id = play.post(order_class="bracket", **legs).json()["id"]
    play.arm("order_lag", ms=60_000)
    play.advance()
    shown = play.get(f"/v2/orders/{order_id}", nested="true")
    assert (shown["status"], [leg["status"] for leg in shown["legs"]]) == ("new", ["held", "held"])
    (listed,) = play.get("/v2/orders", status="all", nested="true")
    assert listed == shown


def test_positions_lag_while_orders_do_not(play: Play) -> None:
    play.arm("position_lag", ms=60_000)
    order_id = play.post().json()["id"]
    play.advance()
    assert play.get(f"/v2/orders/{order_id}")["status"] == "filled"
    assert play.get("/v2/positions") == []
    assert play.http.get("/v2/positions/AAPL").json()["code"] == 40410000
    play.http.delete("/_ctl/faults")
    play.arm("position_lag", ms=1)
    time.sleep(0.01)
    assert play.get("/v2/positions/AAPL")["qty"] == "10"


@contextmanager
def speaking(play: Play) -> Iterator[ClientConnection]:
    with connect(play.server.stream_url, proxy=None) as socket:
        yield socket


def test_authentication_is_never_answered(play: Play) -> None:
    play.arm("auth_mute")
    with speaking(play) as socket:
        socket.send(AUTHENTICATE)
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.2)


def test_a_greeting_comes_before_the_authorization(play: Play) -> None:
    play.arm("greeting")
    with speaking(play) as socket:
        socket.send(AUTHENTICATE)
        assert [received(socket)["stream"] for _ in range(2)] == ["greeting", "authorization"]


@pytest.mark.parametrize(("kind", "status"), [("upgrade_404", 404), ("upgrade_429", 429)])
def test_the_upgrade_is_refused(play: Play, kind: str, status: int) -> None:
    play.arm(kind)
    with pytest.raises(InvalidStatus) as refused, speaking(play):
        pass
    assert refused.value.response.status_code == status
    with play.trades():
        pass


def test_new_is_told_again_with_its_old_execution_id_to_whoever_comes_back(play: Play) -> None:
    with play.trades() as socket:
        play.post(type="limit", limit_price="1")
        play.post(symbol="MSFT")
        told = [received(socket) for _ in range(4)]
        play.advance()
        assert events(socket, 1) == ["fill"]
    play.arm("resend_new")
    with play.trades() as socket:
        assert received(socket) == told[1]


@pytest.mark.parametrize(
    ("kind", "is_struck"),
    [
        ("missing_field", lambda data: "submitted_at" not in data["order"]),
        ("unknown_word", lambda data: data["order"]["asset_class"] == "teleported"),
        ("bad_id", lambda data: data["execution_id"] == "not-a-uuid"),
    ],
)
def test_a_message_is_spoiled(play: Play, kind: str, is_struck: object) -> None:
    with play.trades() as socket:
        play.arm(kind)
        play.post()
        assert callable(is_struck)
        assert is_struck(received(socket)["data"])


def test_one_kind_of_message_is_lost(play: Play) -> None:
    with play.trades() as socket:
        play.arm("drop_update", event="fill")
        play.post()
        play.advance()
        play.post(symbol="MSFT")
        assert events(socket, 4) == ["pending_new", "new", "pending_new", "new"]


def test_a_late_message_comes_after_those_that_followed_it(play: Play) -> None:
    with play.trades() as socket:
        play.arm("delay_update", ms=100)
        play.post()
        assert events(socket, 2) == ["new", "pending_new"]


def test_a_frozen_connection_answers_no_ping_and_then_goes_on(play: Play) -> None:
    with play.trades() as socket:
        play.arm("stream_freeze", ms=400)
        play.post()
        play.advance()
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.1)
        assert not socket.ping().wait(0.1)
        assert events(socket, 3) == ["pending_new", "new", "fill"]


def test_the_cancel_of_the_other_leg_is_not_told(play: Play) -> None:
    with play.trades() as socket:
        legs = {"take_profit": {"limit_price": "2000"}, "stop_loss": {"stop_price": "1"}}
        parent = play.post(order_class="bracket", **legs).json()
        play.arm("drop_sibling_cancel", count=10)
        play.advance()
        play.http.delete(f"/v2/orders/{parent['legs'][0]['id']}")
        play.post(symbol="MSFT", client_order_id="last")
        told: list[JSON] = []
        while not told or told[-1]["data"]["order"]["client_order_id"] != "last":
            told.append(received(socket))
    assert "canceled" not in {message["data"]["event"] for message in told}
    assert [order["status"] for order in play.judge()["orders"][1:3]] == ["canceled", "canceled"]


def with_policy(policy: StreamPolicy, reap_after_s: float = 60.0) -> ExchangeServer:
    return ExchangeServer(small_floor(), serving=Serving(stream_policy=policy, reap_after_s=reap_after_s))


def test_a_second_connection_is_refused_while_the_first_is_there() -> None:
    with with_policy(StreamPolicy.REFUSE) as server, Play(server) as play:
        with play.trades():
            with pytest.raises(InvalidStatus) as refused, speaking(play):
                pass
            assert refused.value.response.status_code == 429
        with play.trades():
            pass


def test_a_connection_that_broke_off_keeps_its_place_until_it_is_missed() -> None:
    with with_policy(StreamPolicy.REFUSE, reap_after_s=0.5) as server, Play(server) as play:
        with play.trades() as socket:
            play.arm("stream_abort")
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=PATIENCE_S)
        with pytest.raises(InvalidStatus), speaking(play):
            pass
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                with play.trades():
                    break
            except InvalidStatus:
                time.sleep(0.05)
        else:
            raise AssertionError("it was never missed")


def test_a_second_connection_ends_the_first() -> None:
    with (
        with_policy(StreamPolicy.KICK) as server,
        Play(server) as play,
        play.trades() as first,
        play.trades() as second,
    ):
        with pytest.raises(ConnectionClosed):
            first.recv(timeout=PATIENCE_S)
        play.post()
        assert events(second, 1) == ["pending_new"]


def partials_of_one_millisecond() -> Floor:
    bars = list(seeded_bars(SYMBOLS, 1, 7))
    return Floor(SYMBOLS, bars, source="seeded 7", options=ExchangeOptions(seed=3, partial_fill_rate=1.0))


def test_partial_fills_of_one_millisecond_are_listed_by_their_ids() -> None:
    with ExchangeServer(partials_of_one_millisecond()) as server, Play(server) as play:
        quote = {"symbol": "AAPL", "bid": "9.99", "ask": "10.01"}
        for number in range(8):
            play.post(client_order_id=f"{number}", qty="100")
        play.http.post("/_ctl/quote", json=quote)
        play.http.post("/_ctl/quote", json=quote)
        in_order = play.get("/v2/account/activities/FILL", direction="asc")
        play.arm("shuffle_partials")
        shuffled = play.get("/v2/account/activities/FILL", direction="asc")
        assert sorted(one["id"] for one in in_order) == [one["id"] for one in shuffled]
        by_order: dict[str, list[float]] = {}
        for one in shuffled:
            by_order.setdefault(one["order_id"], []).append(float(one["cum_qty"]))
        assert any(cumulated != sorted(cumulated) for cumulated in by_order.values())
        paged: list[str] = []
        while page := play.get(
            "/v2/account/activities/FILL",
            direction="asc",
            page_size=3,
            **({"page_token": paged[-1]} if paged else {}),
        ):
            paged += [one["id"] for one in page]
        assert paged == [one["id"] for one in shuffled]


def test_keys_are_asked_even_of_faults(play: Play) -> None:
    assert play.http.get("/_ctl/faults/log", headers={**KEYS, "APCA-API-SECRET-KEY": "no"}).status_code == 401
