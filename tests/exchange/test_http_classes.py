"""Every class and type of order over the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.play import Play, events

BRACKET = {
    "order_class": "bracket",
    "take_profit": {"limit_price": "900"},
    "stop_loss": {"stop_price": "0.50", "limit_price": 0.4},
}


def price_of(play: Play, symbol: str = "AAPL") -> Decimal:
    play.advance()
    return Decimal(play.get("/_ctl/state")["prices"][symbol])


def at(play: Play, price: str) -> None:
    """Move the market to a price with a quote."""
    body = {"symbol": "AAPL", "bid": price, "ask": price}
    assert play.http.post("/_ctl/quote", json=body).status_code == 200


def test_a_bracket_is_answered_with_its_legs_and_listed_as_asked(play: Play) -> None:
    body = play.post(**BRACKET).json()
    profit, loss = body["legs"]
    assert (body["order_class"], body["status"], body["type"]) == ("bracket", "pending_new", "market")
    assert (profit["type"], profit["limit_price"], profit["stop_price"], profit["side"], profit["status"]) == (
        "limit",
        "900",
        None,
        "sell",
        "held",
    )
    assert (loss["type"], loss["limit_price"], loss["stop_price"]) == ("stop_limit", "0.4", "0.5")
    assert {leg["order_class"] for leg in body["legs"]} == {"bracket"}
    assert {leg["legs"] for leg in body["legs"]} == {None}

    nested = play.get(f"/v2/orders/{body['id']}", nested="true")
    assert [leg["id"] for leg in nested["legs"]] == [profit["id"], loss["id"]]
    assert play.get(f"/v2/orders/{body['id']}")["legs"] is None
    assert play.get(f"/v2/orders/{loss['id']}")["status"] == "held"

    def listed(**query: Any) -> list[str]:
        return [one["id"] for one in play.get("/v2/orders", direction="asc", **query)]

    everything = [body["id"], profit["id"], loss["id"]]
    assert listed(status="all") == everything
    assert listed(status="all", nested="true") == [body["id"]]
    assert listed(status="open") == [body["id"]]
    play.advance()
    assert listed(status="open") == [profit["id"]]
    assert listed(status="open", nested="true") == []
    assert listed(status="closed") == [body["id"]]
    assert [leg["status"] for leg in play.get("/v2/orders", status="all", nested="true")[0]["legs"]] == ["new", "held"]


def test_the_stream_tells_of_every_leg(play: Play) -> None:
    with play.trades() as socket:
        play.post(**BRACKET)
        assert events(socket, 4) == ["pending_new", "held", "held", "new"]
        play.advance()
        assert events(socket, 2) == ["fill", "new"]
        at(play, "950")
        assert events(socket, 2) == ["fill", "canceled"]


def test_a_position_behind_a_bracket_is_closed_only_with_its_orders(play: Play) -> None:
    play.post(**BRACKET)
    play.advance()
    refused = play.http.delete("/v2/positions/AAPL")
    assert (refused.status_code, refused.json()) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient qty available for order (requested: 10, available: 0)",
            "available": "0",
            "existing_qty": "10",
            "held_for_orders": "10",
            "symbol": "AAPL",
        },
    )
    (one,) = play.http.delete("/v2/positions").json()
    assert (one["symbol"], one["status"], one["body"]["held_for_orders"]) == ("AAPL", 403, "10")
    (one,) = play.http.delete("/v2/positions", params={"cancel_orders": "True"}).json()
    assert (one["status"], one["body"]["side"], one["body"]["qty"]) == (200, "sell", "10")
    play.advance()
    assert play.get("/v2/positions") == []


def test_canceling_all_cancels_legs_once(play: Play) -> None:
    body = play.post(**BRACKET).json()
    answer = play.http.delete("/v2/orders")
    assert answer.status_code == 207
    assert sorted(one["id"] for one in answer.json()) == sorted([body["id"], *(leg["id"] for leg in body["legs"])])
    assert {one["status"] for one in answer.json()} == {200}
    assert {one["status"] for one in play.get("/v2/orders", status="all")} == {"canceled"}


def test_canceling_all_tells_of_those_that_cannot_be(play: Play) -> None:
    one = play.post(type="limit", limit_price="1").json()["id"]
    play.server.floor.exchange.switch(slow_cancels=True)
    play.http.delete(f"/v2/orders/{one}")
    (answer,) = play.http.delete("/v2/orders").json()
    assert answer == {"id": one, "status": 422, "body": {"code": 42210000, "message": "order pending cancel"}}


def test_a_trailing_stop_shows_its_trail_and_takes_a_new_one(play: Play) -> None:
    play.post()
    price = price_of(play)
    body = play.post(side="sell", type="trailing_stop", trail_percent=10).json()
    assert (body["trail_percent"], body["trail_price"], body["hwm"]) == ("10", None, f"{price.normalize():f}")
    assert Decimal(body["stop_price"]) == round(price * Decimal("0.9"), 2)
    new = play.http.patch(f"/v2/orders/{body['id']}", json={"trail": 20}).json()
    assert (new["trail_percent"], new["replaces"]) == ("20", body["id"])
    assert Decimal(new["stop_price"]) == round(price * Decimal("0.8"), 2)


@pytest.mark.parametrize(
    ("changes", "status", "code", "message"),
    [
        ({"order_class": "pair"}, 422, 40010001, "invalid order_class"),
        ({"order_class": "mleg", "legs": []}, 422, 42210000, "options are not traded on this exchange"),
        ({"order_class": "bracket"}, 422, 40010001, "bracket orders require take_profit and stop_loss"),
        ({"order_class": "oto", "take_profit": {}}, 422, 40010001, "take_profit.limit_price is required"),
        ({"order_class": "oto", "stop_loss": {}}, 422, 40010001, "stop_loss.stop_price is required"),
        ({"order_class": "oto", "stop_loss": "8"}, 422, 40010001, "stop_loss must be an object"),
        ({**BRACKET, "qty": "0.5"}, 422, 42210000, "fractional orders must be simple orders"),
        ({"type": "stop"}, 422, 40010001, "stop orders require a stop price"),
        ({"type": "stop", "stop_price": "-1"}, 422, 40010001, "stop_price must be > 0"),
        ({"type": "stop", "stop_price": "x"}, 422, 40010001, "stop_price must be a number"),
        ({"stop_price": "10"}, 422, 40010001, "market orders require no stop price"),
        (
            {"type": "trailing_stop", "trail_price": "1", "trail_percent": "1"},
            422,
            40010001,
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
    ],
)
def test_each_wrong_order_is_refused_with_its_own_words(
    shared: Play, changes: dict[str, Any], status: int, code: int, message: str
) -> None:
    answer = shared.post(**changes)
    assert (answer.status_code, answer.json()) == (status, {"code": code, "message": message})


def test_a_stop_beyond_the_market_is_told_both_prices(play: Play) -> None:
    price = price_of(play)
    answer = play.post(type="stop", stop_price="1")
    assert (answer.status_code, answer.json()) == (
        422,
        {
            "code": 42210000,
            "message": "stop price must be greater than current price",
            "market_price": f"{price.normalize():f}",
            "stop_price": "1",
        },
    )


def test_a_pair_of_crypto_is_found_by_its_other_spelling_only(shared: Play) -> None:
    answer = shared.http.get("/v2/positions/BTC/USD")
    assert (answer.status_code, answer.json()) == (404, {"message": "endpoint not found."})
    assert shared.http.delete("/v2/positions/BTC/USD").json() == {"message": "endpoint not found."}
    assert shared.http.get("/v2/positions/BTCUSD").json()["code"] == 40410000
