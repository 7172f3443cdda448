"""The account's history over HTTP."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.exchange.play import JSON, Play


def ids(rows: JSON) -> list[str]:
    return [row["id"] for row in rows]


def some_history(play: Play) -> None:
    for number in range(6):
        play.post(client_order_id=str(number), symbol=["AAPL", "MSFT"][number % 2])
        play.advance()
    for body in ({"do": "dividend", "symbol": "AAPL", "per_share": "0.5"}, {"do": "fee", "amount": "1.25"}):
        assert play.http.post("/_ctl/operations", json=body).status_code == 200


def test_pages_hold_everything_once_in_both_directions(play: Play) -> None:
    some_history(play)
    for direction in ("asc", "desc"):
        whole = ids(play.get("/v2/account/activities", direction=direction))
        assert len(whole) == 8
        paged: list[str] = []
        while page := ids(
            play.get(
                "/v2/account/activities",
                direction=direction,
                page_size=3,
                **({"page_token": paged[-1]} if paged else {}),
            )
        ):
            paged += page
        assert paged == whole
    assert ids(play.get("/v2/account/activities")) == whole


def test_ids_begin_with_the_time_of_new_york(play: Play) -> None:
    some_history(play)
    assert all(one.startswith("20240102093") and one[17:19] == "::" for one in ids(play.get("/v2/account/activities")))


def test_kinds_and_categories_choose(play: Play) -> None:
    some_history(play)

    def kinds(**query: str) -> set[str]:
        return {row["activity_type"] for row in play.get("/v2/account/activities", **query)}

    assert kinds() == {"FILL", "DIV", "FEE"}
    assert kinds(category="trade_activity") == {"FILL"}
    assert kinds(category="non_trade_activity") == {"DIV", "FEE"}
    assert kinds(activity_types="FEE,DIV") == {"FEE", "DIV"}
    assert [row["activity_type"] for row in play.get("/v2/account/activities/DIV")] == ["DIV"]


def test_entries_are_told_as_entries(play: Play) -> None:
    some_history(play)
    fee, dividend = play.get("/v2/account/activities", category="non_trade_activity")
    assert (fee["net_amount"], fee["status"], fee["date"]) == ("-1.25", "executed", "2024-01-02")
    assert (dividend["net_amount"], dividend["per_share_amount"], dividend["qty"]) == ("15", "0.5", "30")


def test_an_order_chooses_its_fills(play: Play) -> None:
    some_history(play)
    order_id = play.judge()["orders"][2]["id"]
    (row,) = play.get("/v2/account/activities/FILL", order_id=order_id)
    assert (row["order_id"], row["cum_qty"], row["leaves_qty"]) == (order_id, "10", "0")


def test_times_are_strict_and_a_date_is_of_new_york(play: Play) -> None:
    some_history(play)
    rows = play.get("/v2/account/activities/FILL", direction="asc")
    moment = dt.datetime.fromisoformat(play.judge()["executions"][2]["time"])
    after = play.get("/v2/account/activities/FILL", after=moment.isoformat(), direction="asc")
    assert ids(after) in (ids(rows[2:]), ids(rows[3:]))  # the time has more digits than are asked with
    until = play.get("/v2/account/activities/FILL", until=moment.isoformat(), direction="asc")
    assert ids(until) == ids(rows[:2])
    assert len(play.get("/v2/account/activities", date="2024-01-02")) == 8
    assert play.get("/v2/account/activities", date="2024-01-03") == []


def test_a_date_has_no_page_size_but_the_one_asked_for(play: Play) -> None:
    for number in range(104):
        play.post(client_order_id=str(number), qty="1")
    play.advance()
    assert len(play.get("/v2/account/activities")) == 100
    assert len(play.get("/v2/account/activities", date="2024-01-02")) == 104
    assert len(play.get("/v2/account/activities", date="2024-01-02", page_size=5)) == 5


@pytest.mark.parametrize(
    "query",
    [
        {"page_token": "20240102::nobody"},
        {"page_size": "101"},
        {"direction": "up"},
        {"category": "other"},
        {"category": "trade_activity", "activity_types": "FILL"},
        {"date": "2024-01-02", "after": "2024-01-01"},
        {"date": "today"},
        {"until": "soon"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(shared: Play, query: dict[str, str]) -> None:
    answer = shared.http.get("/v2/account/activities", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, 40010001)


def test_entries_can_come_on_the_day_after(play: Play) -> None:
    some_history(play)
    play.arm("late_entries")
    assert {row["activity_type"] for row in play.get("/v2/account/activities")} == {"FILL"}
    play.advance(400)
    late = play.get("/v2/account/activities", after="2024-01-02T23:00:00Z")
    assert {row["activity_type"] for row in late} == {"DIV", "FEE"}
    assert {row["date"] for row in late} == {"2024-01-02"}


def test_operations_that_make_no_sense_are_refused(play: Play) -> None:
    bodies: list[JSON] = [
        {},
        {"do": "magic"},
        {"do": "halt"},
        {"do": "halt", "symbol": "ZZZ"},
        {"do": "fee", "amount": "much"},
        {"do": "split", "symbol": "AAPL"},
        {"do": "switch", "hold_new": "yes"},
        {"do": "switch", "unknown": True},
        {"do": "bust", "execution_id": "none"},
    ]
    for body in bodies:
        assert play.http.post("/_ctl/operations", json=body).status_code in {404, 422}, body


def test_operations_reach_orders(play: Play) -> None:
    def operate(**body: JSON) -> JSON:
        answer = play.http.post("/_ctl/operations", json=body)
        assert answer.status_code == 200, answer.text
        return [update["event"] for update in answer.json()["updates"]]

    operate(do="switch", slow_cancels=True)
    order_id = play.post(type="limit", limit_price="1").json()["id"]
    assert play.http.delete(f"/v2/orders/{order_id}").status_code == 204
    assert play.get(f"/v2/orders/{order_id}")["status"] == "pending_cancel"
    assert operate(do="deny", order_id=order_id) == ["order_cancel_rejected"]
    assert operate(do="halt", symbol="AAPL") == ["suspended"]
    assert operate(do="resume", symbol="AAPL") == ["new"]
    assert operate(do="force", order_id=order_id, status="stopped") == ["stopped"]
    assert operate(do="release", order_id=order_id) == ["new"]
    operate(do="journal", amount="-5")
    play.post(client_order_id="corrected", symbol="MSFT")
    play.advance()
    execution = play.judge()["executions"][0]["execution_id"]
    assert operate(do="correct", execution_id=execution, qty="4", price="10") == ["trade_correct"]
    assert play.get("/v2/positions/MSFT")["qty"] == "4"
