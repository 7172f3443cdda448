"""The two event streams: the past by time or id, then the present, and no event lost by a restart."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.play import JSON, KEYS, PATIENCE_S, Play, small_floor
from tradecore_exchange import ExchangeServer, Serving, Store
from tradecore_exchange.ulid import number_of, ulid

TRADES, ACTIVITIES = "/v2/events/trades", "/v2beta1/events/activities"
BEGINNING = "2000-01-01T00:00:00Z"
END = "2100-01-01T00:00:00Z"


@pytest.fixture
def replay() -> Iterator[Play]:
    """An exchange that offers events."""
    floor = small_floor(fee_per_share=Decimal("0.01"))
    with ExchangeServer(floor, serving=Serving(events=True)) as server, Play(server) as play:
        yield play


def past(play: Play, path: str, **query: str) -> list[JSON]:
    """Everything of a stream that ends."""
    with play.http.stream("GET", path, params=query) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line[6:]) for line in answer.iter_lines() if line]


def all_of(play: Play, path: str) -> list[JSON]:
    return past(play, path, since=BEGINNING, until=END)


def traded(play: Play, count: int = 1) -> None:
    for number in range(count):
        play.post(client_order_id=f"one-{number}")
    play.advance()


def test_events_are_not_offered_unless_asked(play: Play) -> None:
    assert [play.http.get(path).status_code for path in (TRADES, ACTIVITIES)] == [404, 404]


def test_the_past_is_what_the_trade_stream_told(replay: Play) -> None:
    with replay.trades() as socket:
        traded(replay)
        told = [json.loads(socket.recv(timeout=PATIENCE_S))["data"] for _ in range(3)]
    events = all_of(replay, TRADES)
    added = ("account_id", "at", "event_id", "settle_date")
    assert [{name: one[name] for name in one if name not in added} for one in events] == told
    assert {one["account_id"] for one in events} == {replay.get("/v2/account")["id"]}
    assert (events[-1]["event"], events[-1]["settle_date"]) == ("fill", "2024-01-03")


def test_ids_sort_as_the_events_came(replay: Play) -> None:
    traded(replay, 20)
    ids = [event["event_id"] for event in all_of(replay, TRADES)]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", one) for one in ids)


@pytest.mark.parametrize("path", [TRADES, ACTIVITIES])
def test_a_reader_goes_on_after_the_last_id_it_has_seen(replay: Play, path: str) -> None:
    traded(replay, 3)
    events = all_of(replay, path)
    middle, last = events[len(events) // 2]["event_id"], events[-1]["event_id"]
    assert past(replay, path, since_id=middle, until_id=last) == events[len(events) // 2 + 1 :]
    assert past(replay, path, since_id=last, until_id=last) == []


def test_times_bound_a_stream_too(replay: Play) -> None:
    traded(replay)
    replay.advance(10)
    replay.post(client_order_id="later")
    events = all_of(replay, TRADES)
    assert past(replay, TRADES, since=events[2]["at"], until=events[2]["at"]) == [events[2]]
    assert past(replay, TRADES, since=events[3]["at"], until=END) == events[3:]


@pytest.mark.parametrize(
    "query",
    [
        {"since": BEGINNING, "since_id": ulid(1, 1)},
        {"until": END},
        {"until_id": ulid(1, 1)},
        {"since": BEGINNING, "until_id": ulid(1, 1)},
        {"since_id": "short"},
        {"since": "yesterday"},
        {"since_id": "8" + ulid(1, 1)[1:]},
    ],
)
def test_bounds_that_make_no_sense_are_refused(replay: Play, query: dict[str, str]) -> None:
    assert replay.http.get(TRADES, params=query).status_code == 422


class Reader:
    """A live reader in a thread of its own."""

    def __init__(self, play: Play, path: str, **query: str) -> None:
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self._url, self._query = play.server.base_url + path, query
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.connected = threading.Event()
        self.thread.start()
        assert self.connected.wait(PATIENCE_S)

    def _read(self) -> None:
        with httpx.Client(headers=KEYS, trust_env=False, timeout=PATIENCE_S) as http:
            try:
                with http.stream("GET", self._url, params=self._query) as answer:
                    self.connected.set()
                    for line in answer.iter_lines():
                        with self.changed:
                            self.lines.append(line)
                            self.changed.notify_all()
            except httpx.TransportError:
                return

    def until(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(list(filter(None, self.lines))) >= count, PATIENCE_S), self.lines
            return list(filter(None, self.lines))


@pytest.mark.parametrize("path", [TRADES, ACTIVITIES])
def test_a_live_reader_hears_what_happens_and_only_that(replay: Play, path: str) -> None:
    traded(replay, 2)
    before = len(all_of(replay, path))
    reader = Reader(replay, path)
    replay.post(client_order_id="live")
    replay.advance()
    after = all_of(replay, path)[before:]
    assert [json.loads(line[6:]) for line in reader.until(len(after))] == after


def test_a_reader_that_lost_something_is_told(replay: Play) -> None:
    reader = Reader(replay, TRADES)
    replay.arm("events_dropped")
    replay.post(client_order_id="lost")
    assert reader.until(1) == [": you are reading too slowly, dropped 2 messages"]
    replay.advance()
    assert json.loads(reader.until(2)[1][6:])["event"] == "fill"


def test_a_reader_that_is_too_slow_loses_the_oldest() -> None:
    serving = Serving(events=True, events_behind_max=1)
    with ExchangeServer(small_floor(), serving=serving) as server, Play(server) as play:
        reader = Reader(play, TRADES)
        play.post(client_order_id="one")
        assert reader.until(2)[0] == ": you are reading too slowly, dropped 1 messages"


def test_a_restart_loses_no_event(tmp_path: Path) -> None:
    path, serving = tmp_path / "exchange.db", Serving(events=True)
    with ExchangeServer(small_floor(Store(path)), serving=serving) as server, Play(server) as play:
        traded(play, 2)
        before = all_of(play, TRADES)
    with ExchangeServer(small_floor(Store(path)), serving=serving) as server, Play(server) as play:
        assert all_of(play, TRADES) == before
        play.post(client_order_id="after")
        after = past(play, TRADES, since_id=before[-1]["event_id"], until_id=ulid(1, 1_000))
    assert [event["event"] for event in after] == ["pending_new", "new"]


def test_activities_tell_executions_and_entries(replay: Play) -> None:
    traded(replay)
    execution = replay.judge()["executions"][0]["execution_id"]
    busted = replay.http.post("/_ctl/operations", json={"do": "bust", "execution_id": execution})
    assert busted.status_code == 200, busted.text
    trade, fee, bust = all_of(replay, ACTIVITIES)[:3]
    assert (trade["activity_type"], trade["ref_id"]) == ("TRD", execution)
    assert trade["details"]["client_order_id"] == "one-0"
    assert (trade["details"]["execution_type"], trade["details"]["cum_qty"]) == ("fill", "10")
    assert (fee["activity_type"], fee["details"]["net_amount"]) == ("FEE", "-0.1")
    assert (bust["details"]["execution_type"], bust["previous_id"]) == ("trade_bust", execution)
    required = {"at", "event_id", "activity_type", "executed_at", "status", "settle_date", "currency", "ref_id"}
    assert all(required <= event.keys() for event in (trade, fee, bust))


@given(st.integers(0, 2**47), st.lists(st.integers(1, 2**39), min_size=2, max_size=5, unique=True))
def test_an_id_holds_its_number_and_sorts_by_it(ms: int, numbers: list[int]) -> None:
    ids = {number: ulid(ms * 1_000_000, number, "x") for number in numbers}
    assert {number: number_of(text) for number, text in ids.items()} == {number: number for number in numbers}
    assert sorted(ids.values()) == [ids[number] for number in sorted(numbers)]
