"""The rules of matching, on the core alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import MINUTE, OPEN, bar, entered, exchange_with, fills, holding, quote, refused, wish
from tradecore_exchange import Done, Exchange, Refusal, ReplaceRequest, Submitted
from tradecore_exchange.orders import Order


@pytest.mark.parametrize(
    ("side", "limit", "tif", "open_", "high", "low", "price"),
    [
        ("buy", None, "day", "10", "11", "9", "10"),
        ("sell", None, "day", "10", "11", "9", "10"),
        ("buy", "9.50", "day", "10", "11", "9", "9.50"),
        ("buy", "10.50", "day", "10", "11", "9", "10"),
        ("buy", "8.99", "day", "10", "11", "9", None),
        ("buy", "9", "day", "10", "11", "9", "9"),
        ("sell", "10.50", "day", "10", "11", "9", "10.50"),
        ("sell", "9.50", "day", "10", "11", "9", "10"),
        ("sell", "11.01", "day", "10", "11", "9", None),
        ("sell", "11", "day", "10", "11", "9", "11"),
        ("buy", "9.50", "ioc", "10", "11", "9", None),
        ("buy", "10.50", "ioc", "10", "11", "9", "10"),
        ("sell", "10.50", "fok", "10", "11", "9", None),
        ("buy", None, "fok", "10", "11", "9", "10"),
        ("buy", "9.50", "gtc", "10", "11", "9", "9.50"),
    ],
)
def test_the_next_bar_fills_at_the_price_of_the_rule(
    side: str, limit: str | None, tif: str, open_: str, high: str, low: str, price: str | None
) -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(side, limit=limit, tif=tif))
    updates = exchange.on_bar(bar(1, open_, high, low))
    assert fills(updates) == ([] if price is None else [("fill", Decimal(10), Decimal(price))])
    if price is None:
        assert order.status == ("canceled" if tif in {"ioc", "fok"} else "new")


def test_a_bar_does_not_fill_an_order_of_another_symbol() -> None:
    exchange = exchange_with()
    entered(exchange, wish())
    assert exchange.on_bar(bar(symbol="MSFT")) == []


def test_an_order_is_answered_with_a_snapshot_from_before_it_reached_the_market() -> None:
    outcome = exchange_with().submit(wish())
    assert isinstance(outcome, Submitted)
    assert outcome.order.status == "pending_new"
    assert [(update.event, update.order.status) for update in outcome.updates] == [
        ("pending_new", "pending_new"),
        ("new", "new"),
    ]
    assert outcome.updates[0].execution_id is None
    assert outcome.updates[1].execution_id is not None


def test_a_live_quote_fills_a_market_order_at_once() -> None:
    exchange = exchange_with()
    exchange.on_quote(quote())
    outcome = exchange.submit(wish())
    assert isinstance(outcome, Submitted)
    assert outcome.order.status == "pending_new"
    assert fills(outcome.updates) == [("fill", Decimal(10), Decimal("10.01"))]


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        ("buy", "10.01", "10.01"),
        ("buy", "10", None),
        ("sell", "9.99", "9.99"),
        ("sell", "10", None),
        ("sell", None, "9.99"),
    ],
)
def test_a_quote_fills_what_crosses_it(side: str, limit: str | None, price: str | None) -> None:
    exchange = exchange_with()
    entered(exchange, wish(side, limit=limit))
    expected = [] if price is None else [("fill", Decimal(10), Decimal(price))]
    assert fills(exchange.on_quote(quote())) == expected


def test_a_bar_ends_the_life_of_an_older_quote() -> None:
    exchange = exchange_with()
    exchange.on_quote(quote())
    exchange.on_bar(bar())
    assert entered(exchange, wish()).status == "new"


def test_an_empty_side_of_a_quote_trades_nothing() -> None:
    exchange = exchange_with()
    entered(exchange, wish())
    assert exchange.on_quote(quote(ask="0")) == []


def test_volume_share_is_shared_by_orders_in_time_order() -> None:
    exchange = exchange_with(volume_share=Decimal("0.1"))
    first, second = entered(exchange, wish(qty="60")), entered(exchange, wish(qty="60"))
    assert fills(exchange.on_bar(bar(volume="1009"))) == [
        ("fill", Decimal(60), Decimal(10)),
        ("partial_fill", Decimal(40), Decimal(10)),
    ]
    assert (first.status, second.status) == ("filled", "partially_filled")
    assert fills(exchange.on_bar(bar(1, volume="1000"))) == [("fill", Decimal(20), Decimal(10))]


def test_fill_or_kill_is_never_partial() -> None:
    exchange = exchange_with(volume_share=Decimal("0.1"))
    order = entered(exchange, wish(qty="101", tif="fok"))
    assert fills(exchange.on_bar(bar())) == []
    assert order.status == "canceled"


def test_immediate_or_cancel_keeps_what_it_got_and_cancels_the_rest() -> None:
    exchange = exchange_with(volume_share=Decimal("0.1"))
    order = entered(exchange, wish(qty="101", tif="ioc"))
    updates = exchange.on_bar(bar())
    assert [update.event for update in updates] == ["partial_fill", "canceled"]
    assert (order.filled_qty, order.status) == (Decimal(100), "canceled")


def test_a_random_part_fills_first_and_the_rest_with_the_next_bar() -> None:
    exchange = exchange_with(partial_fill_rate=1.0)
    order = entered(exchange, wish(qty="100"))
    (first,) = exchange.on_bar(bar())
    assert first.event == "partial_fill"
    assert first.qty is not None
    assert 0 < first.qty < 100
    assert fills(exchange.on_bar(bar(1))) == [("fill", 100 - first.qty, Decimal(10))]
    assert order.filled_qty == 100


def test_the_average_price_weighs_every_fill() -> None:
    exchange = exchange_with(volume_share=Decimal("0.01"))
    order = entered(exchange, wish(qty="20"))
    exchange.on_bar(bar(0, "10"))
    exchange.on_bar(bar(1, "11"))
    assert order.filled_avg_price == Decimal("10.5")


def test_day_orders_expire_at_four_in_new_york() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(limit="1"))
    exchange.on_bar(bar(388))
    assert order.status == "new"
    assert [update.event for update in exchange.on_bar(bar(389))] == ["expired"]


def test_the_last_minute_still_trades_for_every_symbol() -> None:
    exchange = exchange_with()
    entered(exchange, wish())
    entered(exchange, wish(symbol="MSFT"))
    updates = exchange.on_bars([bar(389), bar(389, symbol="MSFT")])
    assert [update.event for update in updates] == ["fill", "fill"]


def test_a_day_order_expires_even_when_the_market_skips_the_close() -> None:
    exchange = exchange_with()
    entered(exchange, wish(limit="11"))
    (update,) = exchange.on_bar(bar(24 * 60))
    assert (update.event, update.at_ns >= 1704229200_000000000) == ("expired", True)


def test_good_till_canceled_outlives_the_day() -> None:
    exchange = exchange_with()
    entered(exchange, wish(limit="9", tif="gtc"))
    exchange.on_bar(bar(389, low="9.50"))
    assert fills(exchange.on_bar(bar(24 * 60))) == [("fill", Decimal(10), Decimal(9))]


def test_orders_after_hours_are_accepted_and_wait_for_the_open() -> None:
    exchange = exchange_with()
    exchange.on_bar(bar(389))
    outcome = exchange.submit(wish())
    assert isinstance(outcome, Submitted)
    assert outcome.order.status == "accepted"
    assert [update.event for update in outcome.updates] == ["accepted"]
    assert exchange.on_bar(bar(400)) == []
    assert [update.event for update in exchange.on_bar(bar(24 * 60))] == ["new", "fill"]


def test_an_extended_hours_limit_trades_after_hours() -> None:
    exchange = exchange_with()
    exchange.on_bar(bar(389))
    entered(exchange, wish(limit="10", extended=True))
    assert fills(exchange.on_bar(bar(400))) == [("fill", Decimal(10), Decimal(10))]


def test_an_exchange_that_is_always_open_trades_at_night() -> None:
    exchange = exchange_with(always_open=True, start=OPEN + 12 * 60 * MINUTE)
    entered(exchange, wish())
    assert fills(exchange.on_bar(bar(12 * 60))) == [("fill", Decimal(10), Decimal(10))]


def test_crypto_trades_on_sunday_until_canceled() -> None:
    exchange = exchange_with(start=OPEN + 5 * 24 * 60 * MINUTE)
    order = entered(exchange, wish(symbol="BTC/USD", qty="0.5", tif="gtc"))
    exchange.on_bar(bar(5 * 24 * 60, symbol="BTC/USD"))
    assert order.status == "filled"


def test_fractions_are_filled_to_nine_places_and_cash_stays_exact() -> None:
    exchange = exchange_with()
    entered(exchange, wish(qty="0.123456789"))
    exchange.on_bar(bar(open_="10.01"))
    assert exchange.account.cash == Decimal(100000) - Decimal("0.123456789") * Decimal("10.01")


def test_a_notional_order_buys_what_the_price_allows_and_not_more() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(qty=None, notional="5"))
    exchange.on_bar(bar(open_="3"))
    assert (order.filled_qty, order.status) == (Decimal("1.666666666"), "filled")
    assert order.filled_value <= 5


def test_a_short_position_is_negative_and_covering_it_vanishes() -> None:
    exchange = exchange_with()
    holding(exchange, "sell")
    assert exchange.account.position_qty("AAPL") == -10
    assert exchange.account.cash == Decimal(100_100)
    entered(exchange, wish("buy"))
    exchange.on_bar(bar(1))
    assert exchange.account.positions == {}


def test_a_fee_leaves_the_cash_and_is_an_activity_of_its_own() -> None:
    exchange = exchange_with(fee_per_share=Decimal("0.01"))
    order = entered(exchange, wish())
    exchange.on_bar(bar())
    assert (order.commission, exchange.account.cash) == (Decimal("0.1"), Decimal("99899.9"))
    assert [(one.kind, one.net_amount) for one in exchange.activities] == [("FILL", 0), ("FEE", Decimal("-0.1"))]


def test_stamps_and_ids_never_tie() -> None:
    exchange = exchange_with()
    for _ in range(50):
        entered(exchange, wish(qty="1"))
    exchange.on_bar(bar())
    stamps = [one.at_ns for one in exchange.activities] + [order.submitted_ns for order in exchange.book.all]
    assert len({stamp // 1_000 for stamp in stamps}) == len(stamps)
    assert len({one.id for one in exchange.activities} | {one.execution_id for one in exchange.activities}) == 100


def test_the_same_seed_and_inputs_give_the_same_state() -> None:
    def played(seed: int) -> tuple[list[Order], list[object]]:
        exchange = exchange_with(seed=seed, partial_fill_rate=0.5)
        for minute in range(20):
            entered(exchange, wish("buy", limit="10.50", qty="7"))
            exchange.on_bar(bar(minute))
        return exchange.book.all, list(exchange.activities)

    assert played(1) == played(1)
    assert played(1) != played(2)


def test_canceling_twice_is_fine_and_a_filled_order_is_refused() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(limit="1"))
    first, again = exchange.cancel(order.id), exchange.cancel(order.id)
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert ([update.event for update in first.updates], again.updates) == (["canceled"], [])
    filled = entered(exchange, wish())
    exchange.on_bar(bar())
    refusal = exchange.cancel(filled.id)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code, refusal.message) == (422, 42210000, 'order is already in "filled" state')


def test_replacing_puts_a_new_order_in_the_place_of_the_old() -> None:
    exchange = exchange_with()
    old = entered(exchange, wish(limit="1"))
    outcome = exchange.replace(old.id, ReplaceRequest(limit_price=Decimal(10), client_order_id="next"))
    assert isinstance(outcome, Submitted)
    assert next((update.event, update.order.limit_price) for update in outcome.updates) == ("replaced", Decimal(1))
    new = exchange.book.by_client_order_id["next"]
    assert (old.status, old.replaced_by, new.replaces, new.limit_price) == ("replaced", new.id, old.id, Decimal(10))
    assert fills(exchange.on_bar(bar())) == [("fill", Decimal(10), Decimal(10))]


def test_replacing_with_the_same_terms_or_after_the_end_is_refused() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(limit="1"))
    same = exchange.replace(order.id, ReplaceRequest(limit_price=Decimal(1)))
    assert isinstance(same, Refusal)
    assert (same.status, same.message) == (403, "order parameters are not changed")
    exchange.cancel(order.id)
    late = exchange.replace(order.id, ReplaceRequest(limit_price=Decimal(2)))
    assert isinstance(late, Refusal)
    assert late.status == 422


def test_buying_power_is_four_times_equity_less_what_orders_hold() -> None:
    exchange = exchange_with()
    exchange.on_bar(bar())
    entered(exchange, wish(qty="30000", limit="10"))
    refusal = refused(exchange, wish(qty="10001", limit="10"))
    assert (refusal.status, refusal.code) == (403, 40310000)
    assert refusal.extras == {"buying_power": "100000", "cost_basis": "100010"}
    entered(exchange, wish(qty="10000", limit="10"))


def test_canceling_gives_the_buying_power_back() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(qty="40000", limit="10"))
    exchange.cancel(order.id)
    entered(exchange, wish(qty="40000", limit="10"))


def test_more_than_is_held_and_free_cannot_be_sold() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    entered(exchange, wish("sell", "4", limit="20"))
    refusal = refused(exchange, wish("sell", "7", limit="20"))
    assert refusal.message == "insufficient qty available for order (requested: 7, available: 6)"
    assert refusal.extras == {"available": "6", "existing_qty": "10", "held_for_orders": "4", "symbol": "AAPL"}


def test_without_shorting_nothing_can_be_sold_that_is_not_held() -> None:
    refusal = refused(exchange_with(shorting=False), wish("sell"))
    assert (refusal.status, refusal.code, refusal.message) == (403, 40310000, "account is not allowed to short")


def test_fractions_cannot_be_sold_short() -> None:
    assert refused(exchange_with(), wish("sell", "0.5")).status == 422


def test_a_short_cannot_be_turned_into_a_long_by_one_order() -> None:
    exchange = exchange_with()
    holding(exchange, "sell")
    assert refused(exchange, wish("buy", "11")).code == 40310000


def test_opposite_orders_that_could_meet_are_refused_as_wash_trades() -> None:
    exchange = exchange_with()
    holding(exchange, "buy")
    waiting = entered(exchange, wish("sell", limit="12"))
    crossing = refused(exchange, wish("buy", limit="12"))
    assert crossing.extras == {"existing_order_id": waiting.id, "reject_reason": "opposite side limit order exists"}
    entered(exchange, wish("buy", limit="11"))
    market = refused(exchange_after_market_buy(), wish("sell", limit="12"))
    assert market.extras["reject_reason"] == "opposite side market/stop order exists"


def exchange_after_market_buy() -> Exchange:
    exchange = exchange_with()
    holding(exchange, "buy")
    entered(exchange, wish("buy"))
    return exchange


def test_a_client_order_id_is_unique_for_ever_even_when_it_could_not_be_afforded_again() -> None:
    exchange = exchange_with()
    order = entered(exchange, wish(qty="40000", limit="10", cid="once"))
    again = refused(exchange, wish(qty="40000", limit="10", cid="once"))
    assert (again.status, again.code, again.message) == (422, 40010001, "client_order_id must be unique")
    exchange.cancel(order.id)
    assert refused(exchange, wish(cid="once")).code == 40010001
    assert refused(exchange, wish(symbol="NOPE", cid="once")).status == 422


def test_a_refused_order_does_not_use_up_its_client_order_id() -> None:
    exchange = exchange_with()
    refused(exchange, wish(symbol="NOPE", cid="again"))
    entered(exchange, wish(cid="again"))


def test_a_suspended_account_takes_no_orders() -> None:
    exchange = exchange_with()
    exchange.account.configuration.suspend_trade = True
    assert refused(exchange, wish()).message == "new orders are rejected by user request"
