"""Faults by seed: the same questions meet the same faults, in whatever order they are asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.play import JSON, Play, small_floor
from tradecore_exchange import ExchangeServer, PlanTerms
from tradecore_exchange import fault_kinds as kinds
from tradecore_exchange.endpoints import CANCEL, SUBMIT, endpoint_of
from tradecore_exchange.fault_plan import FaultPlan

QUIET = ["http_500", "http_504", "empty_200", "cut_200", "reset", "delay", "http_429"]


def plan(play: Play, **terms: JSON) -> None:
    answer = play.http.post("/_ctl/faults/plan", json=terms)
    assert answer.status_code == 200, answer.text


def fate(play: Play, number: int) -> str:
    try:
        answer = play.post(client_order_id=str(number))
    except httpx.TransportError:
        return "broken"
    return f"{answer.status_code} {len(answer.content) > 0}"


def story(seed: int) -> tuple[list[str], JSON]:
    with ExchangeServer(small_floor()) as server, Play(server) as play:
        plan(play, seed=seed, intensity=0.4, kinds=QUIET, ms_max=5)
        fates = [fate(play, number) for number in range(40)]
        return fates, play.get("/_ctl/faults/log")["log"]


def test_the_same_seed_strikes_the_same_requests_in_the_same_way() -> None:
    first, second, other = story(1), story(1), story(2)
    assert first == second
    assert first != other
    assert 5 < len(first[1]) < 30
    assert {line["source"] for line in first[1]} == {"plan"}
    assert {line["phase"] for line in first[1]} == {"before", "after"}


def test_whatever_a_plan_does_no_order_exists_twice() -> None:
    with ExchangeServer(small_floor()) as server, Play(server) as play:
        plan(play, seed=5, intensity=0.6, kinds=QUIET, targets=["POST /v2/orders"], ms_max=5)
        for number in range(30):
            while fate(play, number) != "200 True":
                if (
                    play.http.get("/v2/orders:by_client_order_id", params={"client_order_id": str(number)}).status_code
                    == 200
                ):
                    break
        judge = play.judge()
    assert Counter(one["client_order_id"] for one in judge["orders"]) == {str(number): 1 for number in range(30)}
    assert max(judge["posts"].values()) > 1


def test_a_plan_strikes_messages_of_the_stream(play: Play) -> None:
    with play.trades() as socket:
        plan(play, seed=3, intensity=1, kinds=["duplicate_update"], targets=["new"])
        play.post()
        told = [json.loads(socket.recv())["data"]["event"] for _ in range(3)]
    assert told == ["pending_new", "new", "new"]


def test_a_plan_ends_after_its_limit(play: Play) -> None:
    plan(play, seed=1, intensity=1, kinds=["http_500"], limit=3)
    assert [play.post().status_code for _ in range(5)] == [500, 500, 500, 200, 200]
    assert play.get("/_ctl/faults")["plan"]["struck"] == 3


def test_clearing_drops_the_plan(play: Play) -> None:
    plan(play, seed=1, intensity=1, kinds=["http_500"])
    play.http.delete("/_ctl/faults")
    assert play.post().status_code == 200


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"intensity": 2},
        {"intensity": "much"},
        {"intensity": 1, "seed": -1},
        {"intensity": 1, "kinds": ["magic"]},
        {"intensity": 1, "targets": "all"},
        {"intensity": 1, "speed": 3},
        {"intensity": 1, "limit": 1.5},
        {"intensity": True},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(play: Play, terms: dict[str, JSON]) -> None:
    assert play.http.post("/_ctl/faults/plan", json=terms).status_code == 422


@given(st.integers(0, 1_000), st.permutations([SUBMIT] * 5 + [CANCEL] * 5))
def test_a_draw_does_not_depend_on_what_else_is_asked(seed: int, asked: list[str]) -> None:
    terms = PlanTerms(seed, 0.5)
    plain, mixed = FaultPlan(terms), FaultPlan(terms)
    alone = [plain.draw("request", SUBMIT, kinds.kinds_for(SUBMIT)) for _ in range(5)]
    together = [(name, mixed.draw("request", name, kinds.kinds_for(name))) for name in asked]
    assert [drawn for name, drawn in together if name == SUBMIT] == alone


def test_every_kind_of_fault_can_come_from_a_plan_or_stands_until_it_is_cleared() -> None:
    by_request = {kind for endpoint in ALL_ENDPOINTS for kind in kinds.kinds_for(endpoint)}
    planned = by_request | kinds.STREAM | kinds.CONNECTION
    assert kinds.KINDS - planned == {"late_entries", "shuffle_partials", kinds.EVENTS_DROPPED}


ALL_ENDPOINTS = [
    "POST /v2/orders",
    "GET /v2/orders:by_client_order_id",
    "PATCH /v2/orders/{id}",
    "GET /v2/orders",
    "GET /v2/positions",
    "DELETE /v2/positions",
]


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("GET", "/v2/orders", "GET /v2/orders"),
        ("DELETE", "/v2/orders/5c", "DELETE /v2/orders/{id}"),
        ("GET", "/v2/positions/BTC/USD", "GET /v2/positions/{name}"),
        ("GET", "/v2/account/activities/FILL", "GET /v2/account/activities/{kind}"),
        ("GET", "/v2/orders:by_client_order_id", "GET /v2/orders:by_client_order_id"),
    ],
)
def test_requests_are_known_by_their_kind(method: str, path: str, endpoint: str) -> None:
    assert endpoint_of(method, path) == endpoint


def test_the_documentation_names_every_kind_of_fault() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")
    assert [kind for kind in sorted(kinds.KINDS) if f"`{kind}`" not in text] == []
