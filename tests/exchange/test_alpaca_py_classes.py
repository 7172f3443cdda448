"""Every class and type of order, asked for by unmodified alpaca-py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.exchange.play import Play
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ORDER = {"symbol": "AAPL", "qty": 10, "side": "buy", "time_in_force": "gtc"}


@pytest.fixture
def requests() -> Any:
    pytest.importorskip("alpaca.trading.client")
    return pytest.importorskip("alpaca.trading.requests")


@pytest.fixture
def trading(requests: Any, play: Play) -> Any:
    package = pytest.importorskip("alpaca.trading.client")
    client = package.TradingClient(DEFAULT_KEY, DEFAULT_SECRET, url_override=play.server.base_url)
    client._session.trust_env = False
    client._retry = 0
    return client


def test_a_bracket_comes_with_its_legs_and_is_followed_by_its_parent(requests: Any, trading: Any, play: Play) -> None:
    order = trading.submit_order(
        requests.MarketOrderRequest(
            **ORDER,
            order_class="bracket",
            take_profit=requests.TakeProfitRequest(limit_price=900),
            stop_loss=requests.StopLossRequest(stop_price=1.5),
        )
    )
    assert (order.order_class.value, [leg.status.value for leg in order.legs]) == ("bracket", ["held", "held"])
    play.advance()
    found = trading.get_order_by_id(order.id, requests.GetOrderByIdRequest(nested=True))
    assert [leg.status.value for leg in found.legs] == ["new", "held"]
    new = trading.replace_order_by_id(found.legs[0].id, requests.ReplaceOrderRequest(limit_price=800))
    found = trading.get_order_by_id(order.id, requests.GetOrderByIdRequest(nested=True))
    assert [leg.id for leg in found.legs] == [new.id, order.legs[1].id]
    trading.cancel_order_by_id(new.id)
    found = trading.get_order_by_id(order.id, requests.GetOrderByIdRequest(nested=True))
    assert {leg.status.value for leg in found.legs} == {"canceled"}


def test_an_oco_is_sent_without_a_limit_price(requests: Any, trading: Any, play: Play) -> None:
    trading.submit_order(requests.MarketOrderRequest(**ORDER))
    play.advance()
    order = trading.submit_order(
        requests.LimitOrderRequest(
            **{**ORDER, "side": "sell"},
            order_class="oco",
            take_profit=requests.TakeProfitRequest(limit_price=900),
            stop_loss=requests.StopLossRequest(stop_price=1.5, limit_price=1.4),
        )
    )
    (stop,) = order.legs
    assert (order.order_class.value, order.limit_price, stop.type.value, stop.status.value) == (
        "oco",
        "900",
        "stop_limit",
        "held",
    )


def test_an_oto_has_one_leg(requests: Any, trading: Any) -> None:
    order = trading.submit_order(
        requests.MarketOrderRequest(**ORDER, order_class="oto", stop_loss=requests.StopLossRequest(stop_price=1.5))
    )
    assert [leg.type.value for leg in order.legs] == ["stop"]


def test_stops_and_trailing_stops_are_entered_and_changed(requests: Any, trading: Any, play: Play) -> None:
    stop = trading.submit_order(requests.StopOrderRequest(**ORDER, stop_price=900))
    assert (stop.type.value, stop.stop_price) == ("stop", "900")
    limit = trading.submit_order(requests.StopLimitOrderRequest(**ORDER, stop_price=900, limit_price=901.5))
    assert (limit.type.value, limit.limit_price) == ("stop_limit", "901.5")
    moved = trading.replace_order_by_id(limit.id, requests.ReplaceOrderRequest(stop_price=890))
    assert (moved.stop_price, moved.limit_price, moved.replaces) == ("890", "901.5", limit.id)
    trailing = trading.submit_order(requests.TrailingStopOrderRequest(**ORDER, trail_percent=2))
    assert (trailing.type.value, trailing.trail_percent) == ("trailing_stop", "2")
    play.advance()
    wider = trading.replace_order_by_id(trailing.id, requests.ReplaceOrderRequest(trail=5))
    assert (wider.trail_percent, wider.hwm is not None) == ("5", True)
    assert len(trading.get_orders()) == 3


def test_orders_for_the_auctions_and_for_a_moment(requests: Any, trading: Any, play: Play) -> None:
    terms = {**ORDER, "time_in_force": "cls"}
    close = trading.submit_order(requests.LimitOrderRequest(**terms, limit_price=900))
    kill = trading.submit_order(requests.LimitOrderRequest(**{**terms, "time_in_force": "fok"}, limit_price=1))
    play.advance(390)
    assert trading.get_order_by_id(kill.id).status.value == "canceled"
    assert trading.get_order_by_id(close.id).status.value == "filled"
    error = pytest.importorskip("alpaca.common.exceptions").APIError
    with pytest.raises(error) as late:
        trading.submit_order(requests.LimitOrderRequest(**terms, limit_price=900))
    assert (late.value.status_code, late.value.code) == (422, 42210000)
