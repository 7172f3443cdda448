"""What is done behind the counter, as clients hear and read of it; and after a restart."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.exchange.play import Play, received, small_floor
from tradecore_exchange import Done, Exchange, ExchangeServer, Refusal, Store


def do(play: Play, operation: Callable[[Exchange], Done | Refusal]) -> None:
    """Reach behind the counter of a server that waits; the next request lets the streams hear of it."""
    assert isinstance(play.server.floor.carry_out(operation), Done)


def placed(play: Play, **changes: Any) -> dict[str, Any]:
    answer = play.post(**changes)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def activities(play: Play, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = play.get(f"/v2/account/activities/{kind}", direction="asc")
    return found


def first_execution(play: Play) -> str:
    return play.server.floor.exchange.activities[0].execution_id


def test_a_bust_is_heard_and_read(play: Play) -> None:
    entered = placed(play)
    play.advance()
    execution = first_execution(play)
    with play.trades() as socket:
        do(play, lambda exchange: exchange.bust(execution))
        play.get("/v2/clock")
        told = received(socket)["data"]
    assert (told["event"], told["qty"], told["position_qty"]) == ("trade_bust", "10", "0")
    assert told["previous_execution_id"] == execution != told["execution_id"]
    assert (told["order"]["status"], told["order"]["filled_qty"]) == ("filled", "0")
    fill, bust = activities(play, "FILL")
    assert (fill["type"], bust["type"], bust["previous_id"], bust["order_id"]) == (
        "fill",
        "trade_bust",
        execution,
        entered["id"],
    )
    assert play.get("/v2/account")["cash"] == "100000"
    assert play.get("/v2/positions") == []


def test_a_correction_is_read_with_what_it_says_now(play: Play) -> None:
    placed(play)
    play.advance()
    do(play, lambda exchange: exchange.correct(first_execution(play), Decimal(9), Decimal("10.5")))
    correction = activities(play, "FILL")[1]
    assert (correction["type"], correction["qty"], correction["price"]) == ("trade_correct", "9", "10.5")
    assert (play.get("/v2/positions/AAPL")["cost_basis"], play.get("/v2/account")["cash"]) == ("94.5", "99905.5")


def test_every_other_entry_of_the_history_says_what_it_did(play: Play) -> None:
    placed(play)
    play.advance()
    do(play, lambda exchange: exchange.dividend("AAPL", Decimal("0.25")))
    do(play, lambda exchange: exchange.split("AAPL", Decimal(2)))
    do(play, lambda exchange: exchange.fee(Decimal("1.5"), "a fee"))
    do(play, lambda exchange: exchange.journal(Decimal(100)))
    entries = play.get("/v2/account/activities", category="non_trade_activity", direction="asc")
    assert [(one["activity_type"], one["net_amount"], one.get("qty"), one.get("symbol")) for one in entries] == [
        ("DIV", "2.5", "10", "AAPL"),
        ("SPLIT", "0", "10", "AAPL"),
        ("FEE", "-1.5", None, None),
        ("JNLC", "100", None, None),
    ]
    assert {one["status"] for one in entries} == {"executed"}
    assert {one["date"] for one in entries} == {"2024-01-02"}
    assert entries[0]["per_share_amount"] == "0.25"
    assert play.get("/v2/positions/AAPL")["qty"] == "20"


def test_a_halted_order_reads_suspended(play: Play) -> None:
    entered = placed(play, type="limit", limit_price="900")
    do(play, lambda exchange: exchange.halt("AAPL"))
    play.advance()
    assert play.get(f"/v2/orders/{entered['id']}")["status"] == "suspended"
    assert [one["id"] for one in play.get("/v2/orders")] == [entered["id"]]
    do(play, lambda exchange: exchange.resume("AAPL"))
    play.advance()
    assert play.get(f"/v2/orders/{entered['id']}")["status"] == "filled"


def test_a_rejected_order_tells_when_it_failed(play: Play) -> None:
    entered = placed(play)
    do(play, lambda exchange: exchange.force(entered["id"], "rejected"))
    found = play.get(f"/v2/orders/{entered['id']}")
    assert (found["status"], found["failed_at"] is not None) == ("rejected", True)


def test_a_refused_operation_changes_nothing(play: Play) -> None:
    before = play.server.floor.exchange.state()
    assert isinstance(play.server.floor.carry_out(lambda exchange: exchange.bust("nothing")), Refusal)
    assert play.server.floor.exchange.state() == before


def test_halts_switches_and_splits_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as play:
        placed(play)
        play.advance()
        do(play, lambda exchange: exchange.split("AAPL", Decimal(2)))
        do(play, lambda exchange: exchange.halt("MSFT"))
        do(play, lambda exchange: exchange.switch(slow_cancels=True))
        waiting = placed(play, symbol="MSFT")
    before = server.floor.exchange
    with ExchangeServer(small_floor(Store(path))) as server, Play(server) as play:
        assert server.floor.exchange.state() == before.state()
        assert server.floor.exchange.prices == before.prices
        play.advance()
        assert play.get(f"/v2/orders/{waiting['id']}")["status"] == "accepted"
