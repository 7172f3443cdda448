"""Every fault does what its name says, and the judge knows what was really done."""

from __future__ import annotations

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.sync.client import connect

from tests.exchange.play import PATIENCE_S, Play, events, received
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET


@pytest.mark.parametrize("after_accept", [False, True])
@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("http_500", 500, "50010000"),
        ("http_502", 502, "<html>"),
        ("http_503", 503, "<html>"),
        ("http_504", 504, "50410000"),
        ("empty_200", 200, ""),
        ("garbage_200", 200, "garbage"),
        ("redirect_302", 302, ""),
    ],
)
def test_an_answer_is_spoiled_before_or_after_the_order_is_accepted(
    play: Play, kind: str, status: int, body: str, after_accept: bool
) -> None:
    play.arm(kind, after_accept=after_accept)
    answer = play.post(client_order_id="one")
    assert answer.status_code == status
    assert body in answer.text
    judge = play.judge()
    assert len(judge["orders"]) == int(after_accept)
    assert judge["posts"] == {"one": 1}
    assert play.post(client_order_id="two").status_code == 200


@pytest.mark.parametrize(("after_accept", "body"), [(False, "42910000"), (True, "<html>")])
def test_the_broker_counts_at_the_door_and_a_gateway_also_what_it_passed_on(
    play: Play, after_accept: bool, body: str
) -> None:
    play.arm("http_429", after_accept=after_accept)
    answer = play.post(client_order_id="one")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert body in answer.text
    assert len(play.judge()["orders"]) == int(after_accept)


@pytest.mark.parametrize("after_accept", [False, True])
@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_a_connection_breaks_before_or_after_the_order_is_accepted(play: Play, kind: str, after_accept: bool) -> None:
    play.arm(kind, after_accept=after_accept, ms=50)
    with pytest.raises(httpx.TransportError):
        play.post(client_order_id="one")
    judge = play.judge()
    assert (len(judge["orders"]), judge["posts"]) == (int(after_accept), {"one": 1})


def test_a_hang_outlasts_the_patience_of_the_client(play: Play) -> None:
    play.arm("hang", after_accept=True)
    with pytest.raises(httpx.ReadTimeout):
        play.http.post("/v2/orders", json={}, timeout=0.1)


def test_a_delayed_answer_is_the_right_one(play: Play) -> None:
    play.arm("delay", ms=20)
    assert play.post().status_code == 200
    play.arm("delay", ms=20, after_accept=True)
    assert play.post().json()["status"] == "pending_new"


def test_a_fault_strikes_as_often_as_it_was_armed_and_only_its_path(play: Play) -> None:
    play.arm("http_500", count=2, path="/v2/account")
    assert play.post().status_code == 200
    assert [play.http.get("/v2/account").status_code for _ in range(3)] == [500, 500, 200]


def test_clearing_disarms(play: Play) -> None:
    play.arm("http_500", count=100)
    play.http.delete("/_ctl/faults")
    assert play.post().status_code == 200


@pytest.mark.parametrize("body", [{"kind": "magic"}, {"kind": "hang", "speed": 1}, {"kind": "hang", "ms": "soon"}, {}])
def test_an_unknown_fault_is_refused(play: Play, body: dict[str, object]) -> None:
    assert play.http.post("/_ctl/faults", json=body).status_code == 422


def test_an_order_can_be_hidden_from_lookup_for_a_while(play: Play) -> None:
    play.arm("lookup_404", ms=60_000)
    order_id = play.post(client_order_id="one").json()["id"]
    hidden = play.http.get("/v2/orders:by_client_order_id", params={"client_order_id": "one"})
    assert (hidden.status_code, hidden.json()["code"]) == (404, 40410000)
    assert play.get(f"/v2/orders/{order_id}")["client_order_id"] == "one"
    play.http.delete("/_ctl/faults")
    assert play.get("/v2/orders:by_client_order_id", client_order_id="one")["id"] == order_id


def test_a_dropped_stream_is_closed_as_going_away(play: Play) -> None:
    with play.trades() as socket:
        play.arm("stream_drop")
        with pytest.raises(ConnectionClosedOK) as closed:
            socket.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


def test_an_aborted_stream_ends_without_a_goodbye(play: Play) -> None:
    with play.trades() as socket:
        play.arm("stream_abort")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is None


def test_a_cut_on_the_next_update_loses_it(play: Play) -> None:
    with play.trades() as socket:
        play.arm("stream_drop", on_update=True)
        play.post()
        with pytest.raises(ConnectionClosedOK):
            socket.recv(timeout=PATIENCE_S)
    with play.trades() as socket:
        play.advance()
        assert events(socket, 1) == ["fill"]


def test_a_mute_stream_loses_what_happens_and_stays_open(play: Play) -> None:
    with play.trades() as socket:
        play.arm("stream_mute", count=2)
        play.post()
        play.advance()
        assert events(socket, 1) == ["fill"]


def test_a_stream_muted_for_a_time_loses_all_of_it(play: Play) -> None:
    with play.trades() as socket:
        play.arm("stream_mute", ms=60_000)
        play.post()
        play.advance()
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.1)


def test_an_update_is_sent_twice_with_the_same_execution(play: Play) -> None:
    with play.trades() as socket:
        play.post()
        assert events(socket, 2) == ["pending_new", "new"]
        play.arm("duplicate_update")
        play.advance()
        assert received(socket) == received(socket)


def test_unknown_words_reach_the_client(play: Play) -> None:
    with play.trades() as socket:
        play.arm("unknown_event")
        play.arm("unknown_status")
        play.post()
        assert received(socket)["data"]["event"] == "teleported"
        assert received(socket)["data"]["order"]["status"] == "teleported"


def test_a_field_is_null(play: Play) -> None:
    with play.trades() as socket:
        play.arm("null_field", field="updated_at")
        play.arm("null_field", field="timestamp")
        play.post()
        assert received(socket)["data"]["order"]["updated_at"] is None
        assert received(socket)["data"]["timestamp"] is None


def test_a_frame_that_is_no_json_comes_before_the_update(play: Play) -> None:
    with play.trades() as socket:
        play.arm("non_json")
        play.post()
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(socket.recv(timeout=PATIENCE_S))
        assert events(socket, 2) == ["pending_new", "new"]


def test_updates_change_places(play: Play) -> None:
    with play.trades() as socket:
        play.arm("reorder_updates")
        play.post()
        assert events(socket, 2) == ["new", "pending_new"]


def test_an_update_held_back_for_reordering_comes_even_when_it_was_the_last(play: Play) -> None:
    with play.trades() as socket:
        play.post()
        assert events(socket, 2) == ["pending_new", "new"]
        play.arm("reorder_updates")
        play.advance()
        assert events(socket, 1) == ["fill"]


def test_the_fill_is_out_before_the_answer(play: Play) -> None:
    with play.trades() as socket:
        play.arm("fill_before_answer", advance=True)
        answer = play.post()
        assert answer.json()["status"] == "pending_new"
        # Nothing is waited for: the frames were sent before the answer was.
        assert [json.loads(socket.recv(timeout=0))["data"]["event"] for _ in range(3)] == ["pending_new", "new", "fill"]


def test_good_keys_are_refused_as_often_as_armed(play: Play) -> None:
    play.arm("refuse_auth", count=1)
    with connect(play.server.stream_url, proxy=None) as socket:
        message = json.dumps({"action": "auth", "key": DEFAULT_KEY, "secret": DEFAULT_SECRET})
        socket.send(message)
        assert received(socket)["data"]["status"] == "unauthorized"
        socket.send(message)
        assert received(socket)["data"]["status"] == "authorized"
