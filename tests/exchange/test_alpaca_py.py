"""Unmodified alpaca-py cannot tell this exchange from the one it was made for."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.exchange.play import PATIENCE_S, SYMBOLS, Gathered, Play
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def alpaca() -> Any:
    """The package, with the half of it that is used here imported."""
    package = pytest.importorskip("alpaca")
    pytest.importorskip("alpaca.trading.client")
    pytest.importorskip("alpaca.trading.stream")
    pytest.importorskip("alpaca.data.historical")
    pytest.importorskip("alpaca.data.live")
    return package


@pytest.fixture
def trading(alpaca: Any, play: Play) -> Any:
    client = alpaca.trading.client.TradingClient(DEFAULT_KEY, DEFAULT_SECRET, url_override=play.server.base_url)
    client._session.trust_env = False
    client._retry = 0
    return client


def market_order(alpaca: Any, **changes: Any) -> Any:
    fields = {"symbol": "AAPL", "qty": 10, "side": "buy", "time_in_force": "day", **changes}
    return alpaca.trading.requests.MarketOrderRequest(**fields)


@contextmanager
def running(stream: Any) -> Iterator[None]:
    """The stream in a thread of its own, as its makers mean it to run."""
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stream.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextmanager
def trade_updates(alpaca: Any, play: Play) -> Iterator[Gathered]:
    stream = alpaca.trading.stream.TradingStream(DEFAULT_KEY, DEFAULT_SECRET, url_override=play.server.stream_url)
    gathered = Gathered()
    stream.subscribe_trade_updates(gathered.bring)
    with running(stream):
        until_connected(play, "trades")
        yield gathered


def until_connected(play: Play, name: str) -> None:
    """Wait on the exchange's own word that somebody listens."""
    for _ in range(2_000):
        if play.get("/_ctl/state")["listening"][name]:
            return
    raise AssertionError("nobody connected")


def test_floats_of_the_client_become_canonical_text(alpaca: Any, trading: Any) -> None:
    order = trading.submit_order(market_order(alpaca, qty=0.25))
    assert (order.status.value, order.qty) == ("pending_new", "0.25")
    assert trading.submit_order(market_order(alpaca, qty=2.0)).qty == "2"
    assert trading.submit_order(market_order(alpaca, qty=1e-7)).qty == "0.0000001"


def test_orders_positions_and_account_parse_after_a_fill(alpaca: Any, trading: Any, play: Play) -> None:
    order = trading.submit_order(market_order(alpaca, client_order_id="one"))
    play.advance()
    found = trading.get_order_by_client_id("one")
    assert (found.id, found.status.value, found.filled_qty) == (order.id, "filled", "10")
    assert trading.get_order_by_id(order.id).filled_avg_price == found.filled_avg_price
    query = alpaca.trading.requests.GetOrdersRequest(
        status="all", nested=True, symbols=["AAPL"], after=dt.datetime(2024, 1, 1)
    )
    assert [one.id for one in trading.get_orders(query)] == [order.id]
    (position,) = trading.get_all_positions()
    assert (position.symbol, position.qty, position.qty_available) == ("AAPL", "10", "10")
    assert trading.get_open_position("AAPL").asset_id == position.asset_id
    account = trading.get_account()
    assert (account.status.value, account.multiplier) == ("ACTIVE", "4")
    (activity,) = trading.get("/account/activities/FILL", {"order_id": str(order.id)})
    assert activity["cum_qty"] == "10"


def test_every_other_question_of_the_trading_client_parses(alpaca: Any, trading: Any) -> None:
    assert [asset.symbol for asset in trading.get_all_assets()] == list(SYMBOLS)
    assert trading.get_asset("AAPL").fractionable is True
    assert trading.get_clock().is_open is True
    query = alpaca.trading.requests.GetCalendarRequest(start=dt.date(2024, 1, 2), end=dt.date(2024, 1, 2))
    assert [day.close for day in trading.get_calendar(query)] == [dt.datetime(2024, 1, 2, 16)]
    configuration = trading.get_account_configurations()
    configuration.suspend_trade = True
    assert trading.set_account_configurations(configuration).suspend_trade is True
    assert trading.get_portfolio_history().base_value == 100_000


def test_orders_are_canceled_and_replaced(alpaca: Any, trading: Any) -> None:
    requests = alpaca.trading.requests
    limit = requests.LimitOrderRequest(symbol="AAPL", qty=10, side="buy", time_in_force="gtc", limit_price=10)
    order = trading.submit_order(limit)
    replaced = trading.replace_order_by_id(order.id, requests.ReplaceOrderRequest(qty=5, limit_price=11))
    assert (replaced.replaces, replaced.qty, replaced.limit_price) == (order.id, "5", "11")
    trading.cancel_order_by_id(replaced.id)
    trading.cancel_order_by_id(replaced.id)
    trading.submit_order(limit)
    assert [one.status for one in trading.cancel_orders()] == [200]


def test_positions_are_closed(alpaca: Any, trading: Any, play: Play) -> None:
    trading.submit_order(market_order(alpaca))
    trading.submit_order(market_order(alpaca, symbol="MSFT"))
    play.advance()
    half = trading.close_position("AAPL", alpaca.trading.requests.ClosePositionRequest(percentage="50"))
    assert half.qty == "5"
    closed = trading.close_all_positions(cancel_orders=True)
    assert [(one.symbol, one.status, one.body.qty) for one in closed] == [("AAPL", 200, "10"), ("MSFT", 200, "10")]
    play.advance()
    assert trading.get_all_positions() == []


def test_refusals_arrive_as_api_errors_with_their_code(alpaca: Any, trading: Any) -> None:
    error = alpaca.common.exceptions.APIError
    trading.submit_order(market_order(alpaca, client_order_id="one"))
    with pytest.raises(error) as repeated:
        trading.submit_order(market_order(alpaca, client_order_id="one"))
    assert (repeated.value.status_code, repeated.value.code) == (422, 40010001)
    with pytest.raises(error) as unknown:
        trading.get_order_by_id(uuid.uuid4())
    assert (unknown.value.status_code, unknown.value.code) == (404, 40410000)
    with pytest.raises(error) as poor:
        trading.submit_order(
            alpaca.trading.requests.LimitOrderRequest(
                symbol="MSFT", qty=1_000_000, side="buy", time_in_force="day", limit_price=100
            )
        )
    assert poor.value.code == 40310000


def test_the_trading_stream_hears_an_order_live(alpaca: Any, trading: Any, play: Play) -> None:
    with trade_updates(alpaca, play) as gathered:
        order = trading.submit_order(market_order(alpaca))
        play.advance()
        updates = gathered.until(lambda items: len(items) >= 3)
    assert [update.event for update in updates] == ["pending_new", "new", "fill"]
    assert {update.order.id for update in updates} == {order.id}
    assert (updates[2].qty, updates[2].position_qty) == (10.0, 10.0)


def test_the_trading_stream_comes_back_after_a_drop(alpaca: Any, trading: Any, play: Play) -> None:
    with trade_updates(alpaca, play) as gathered:
        play.arm("stream_drop")
        gone_and_back(play)
        trading.submit_order(market_order(alpaca))
        assert gathered.until(lambda items: len(items) >= 2)[1].event == "new"


def gone_and_back(play: Play) -> None:
    """It waits about a second before it comes back; meanwhile nobody listens."""
    for _ in range(20_000):
        if not play.get("/_ctl/state")["listening"]["trades"]:
            break
    for _ in range(20_000):
        if play.get("/_ctl/state")["listening"]["trades"]:
            return
    raise AssertionError("it did not come back")


def test_an_order_accepted_before_a_504_is_refused_as_repeated_by_its_own_retry(
    alpaca: Any, trading: Any, play: Play
) -> None:
    trading._retry, trading._retry_wait = 3, 0
    play.arm("http_504", after_accept=True)
    with pytest.raises(alpaca.common.exceptions.APIError) as error:
        trading.submit_order(market_order(alpaca, client_order_id="one"))
    assert error.value.code == 40010001
    judge = play.judge()
    assert (len(judge["orders"]), judge["posts"]) == (1, {"one": 2})


def test_historical_bars_parse_over_several_pages(alpaca: Any, play: Play) -> None:
    client = alpaca.data.historical.StockHistoricalDataClient(
        DEFAULT_KEY, DEFAULT_SECRET, url_override=play.server.data_url
    )
    client._session.trust_env = False
    play.advance(5)
    requests, timeframe = alpaca.data.requests, alpaca.data.timeframe.TimeFrame.Minute
    bars = client.get_stock_bars(requests.StockBarsRequest(symbol_or_symbols=list(SYMBOLS), timeframe=timeframe))
    assert {symbol: len(one) for symbol, one in bars.data.items()} == {"AAPL": 5, "MSFT": 5}
    latest = client.get_stock_latest_bar(requests.StockLatestBarRequest(symbol_or_symbols="AAPL"))
    assert latest["AAPL"].timestamp == dt.datetime(2024, 1, 2, 14, 34, tzinfo=dt.UTC)
    play.http.post("/_ctl/quote", json={"symbol": "AAPL", "bid": "9.99", "ask": "10.01"})
    quote = client.get_stock_latest_quote(requests.StockLatestQuoteRequest(symbol_or_symbols="AAPL"))
    assert quote["AAPL"].ask_price == 10.01


def test_the_data_stream_brings_bars_and_quotes(alpaca: Any, play: Play) -> None:
    stream = alpaca.data.live.StockDataStream(DEFAULT_KEY, DEFAULT_SECRET, url_override=play.server.data_stream_url)
    bars, quotes = Gathered(), Gathered()
    stream.subscribe_bars(bars.bring, *SYMBOLS)
    stream.subscribe_quotes(quotes.bring, "AAPL")
    with running(stream):
        until_connected(play, "data")
        play.advance(2)
        play.http.post("/_ctl/quote", json={"symbol": "AAPL", "bid": "9.99", "ask": "10.01"})
        seen = bars.until(lambda items: len(items) >= 4)
        (quote,) = quotes.until(lambda items: len(items) >= 1)
    assert [(bar.symbol, bar.timestamp.minute) for bar in seen] == [
        ("AAPL", 30),
        ("MSFT", 30),
        ("AAPL", 31),
        ("MSFT", 31),
    ]
    assert (quote.bid_price, quote.ask_price) == (9.99, 10.01)


@pytest.mark.parametrize("kind", ["greeting", "upgrade_429", "refuse_auth"])
def test_the_trading_stream_outlives_a_bad_beginning(alpaca: Any, trading: Any, play: Play, kind: str) -> None:
    play.arm(kind)
    with trade_updates(alpaca, play) as gathered:
        trading.submit_order(market_order(alpaca))
        play.advance()
        assert gathered.until(lambda items: len(items) >= 3)[2].event == "fill"


def test_two_accounts_are_two_clients_with_books_of_their_own(alpaca: Any, trading: Any, play: Play) -> None:
    body = {"name": "second", "key": "second-key", "secret": "second-secret", "cash": "5000"}
    assert play.http.post("/_ctl/accounts", json=body).status_code == 201
    second = alpaca.trading.client.TradingClient("second-key", "second-secret", url_override=play.server.base_url)
    second._session.trust_env = False
    trading.submit_order(market_order(alpaca))
    second.submit_order(market_order(alpaca, qty=2))
    play.advance()
    assert [one.get_open_position("AAPL").qty for one in (trading, second)] == ["10", "2"]
    assert trading.get_account().id != second.get_account().id
    (fill,) = second.get("/account/activities/FILL")
    assert fill["qty"] == "2"
