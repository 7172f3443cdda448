"""Short selling, margin, what orders hold for themselves, and wash trades; on the core alone."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from tests.exchange.core_play import (
    bar,
    bracket,
    done,
    entered,
    exchange_with,
    flat,
    holding,
    legs_of,
    no,
    refused,
    row,
    wish,
)
from tradecore_exchange import AssetTerms, Exchange, Refusal
from tradecore_exchange.requests import OrderRequest


def priced(**options: object) -> Exchange:
    exchange = exchange_with(**options)  # type: ignore[arg-type]
    exchange.on_bars([flat(), flat(symbol="MSFT")])
    return exchange


def buying_power(exchange: Exchange) -> Decimal:
    reserved = [exchange.book.reserved(order) for order in exchange.book.open()]
    return exchange.account.buying_power(exchange.prices, reserved, exchange.account.margin)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (AssetTerms(), None),
        (AssetTerms(shortable=False), (422, 42210000, 'asset "AAPL" cannot be sold short')),
        (AssetTerms(easy_to_borrow=False), (422, 42210000, 'asset "AAPL" cannot be sold short')),
        (AssetTerms(tradable=False), (422, 42210000, 'asset "AAPL" is not tradable')),
    ],
)
def test_only_what_can_be_borrowed_is_sold_short(terms: AssetTerms, refusal: tuple[int, int, str] | None) -> None:
    exchange = priced(assets={"AAPL": terms})
    outcome = exchange.submit(wish("sell"))
    assert not isinstance(outcome, Refusal) if refusal is None else no(outcome) == refusal


@pytest.mark.parametrize("way", ["option", "switch", "cash account", "multiplier"])
def test_an_account_without_shorting_is_told_so(way: str) -> None:
    exchange = priced(shorting=way != "option", multiplier=1 if way == "cash account" else 4)
    exchange.account.configuration.no_shorting = way == "switch"
    if way == "multiplier":
        exchange.account.configuration.max_margin_multiplier = "1"
    assert no(exchange.submit(wish("sell"))) == (403, 40310000, "account is not allowed to short")


def test_shorts_are_whole() -> None:
    refusal = (422, 42210000, "fractional orders cannot be sold short")
    assert no(priced().submit(wish("sell", "1.5"))) == refusal
    assert no(priced().submit(wish("sell", None, notional="50"))) == refusal


def test_no_order_turns_a_position_round() -> None:
    exchange = priced()
    holding(exchange, "buy")
    assert refused(exchange, wish("sell", "11")).message == (
        "insufficient qty available for order (requested: 11, available: 10)"
    )
    short = priced()
    holding(short, "sell")
    assert refused(short, wish("buy", "11")).extras == {
        "available": "10",
        "existing_qty": "10",
        "held_for_orders": "0",
        "symbol": "AAPL",
    }


def test_a_long_and_a_short_are_not_opened_at_once() -> None:
    exchange = priced(wash_trade_check=False)
    entered(exchange, wish("buy", limit="5"))
    words = "cannot open a short sell while a long buy order is open"
    assert no(exchange.submit(wish("sell", limit="15"))) == (403, 40310000, words)
    other = priced(wash_trade_check=False)
    entered(other, wish("sell", limit="15"))
    words = "cannot open a long buy while a short sell order is open"
    assert no(other.submit(wish("buy", limit="5"))) == (403, 40310000, words)


def test_an_intent_that_does_not_fit_is_told_the_one_that_does() -> None:
    exchange = priced()
    for side, intent in (("buy", "buy_to_close"), ("sell", "sell_to_close")):
        words = f"position intent mismatch, inferred: {side}_to_open"
        assert no(exchange.submit(wish(side, intent=intent))) == (422, 42210000, words)
    holding(exchange, "buy")
    words = "position intent mismatch, inferred: sell_to_close"
    assert no(exchange.submit(wish("sell", intent="sell_to_open"))) == (422, 42210000, words)
    entered(exchange, wish("sell", intent="sell_to_close"))


@pytest.mark.parametrize(
    ("request_", "held"),
    [
        (wish(), "100"),
        (wish(limit="8"), "80"),
        (wish(qty=None, notional="55"), "55"),
        (wish(stop="12"), "124.8"),
        (wish(stop="12", limit="12.10"), "121"),
        (wish(trail="2"), "120"),
        (wish("sell", limit="15"), "150"),
        (wish("sell", stop="9"), "90"),
        (bracket(), "100"),
        (wish(qty="1", limit="50", tif="gtc", symbol="BTC/USD"), "50"),
    ],
)
def test_every_opening_order_holds_what_it_may_cost_until_it_ends(request_: OrderRequest, held: str) -> None:
    exchange = priced()
    before = buying_power(exchange)
    order = entered(exchange, request_)
    assert before - buying_power(exchange) == Decimal(held)
    done(exchange.cancel(order.id))
    assert buying_power(exchange) == before


def test_closing_orders_hold_no_dollars() -> None:
    exchange = priced()
    holding(exchange, "buy")
    before = buying_power(exchange)
    entered(exchange, wish("sell", limit="15"))
    assert buying_power(exchange) == before


def test_a_part_that_traded_is_held_no_longer() -> None:
    exchange = priced(volume_share=Decimal("0.004"))
    order = entered(exchange, wish(limit="10"))
    exchange.on_bar(flat(1))
    assert row(order.filled_qty, order.reserved) == (4, 60)


@pytest.mark.parametrize(("multiplier", "most"), [("1", "10000"), ("2", "20000"), ("4", "40000")])
def test_the_owner_may_want_less_margin(multiplier: str, most: str) -> None:
    exchange = priced()
    exchange.account.configuration.max_margin_multiplier = multiplier
    refusal = refused(exchange, wish(qty=str(int(most) + 1)))
    assert refusal.extras == {"buying_power": str(int(most) * 10), "cost_basis": str(int(most) * 10 + 10)}
    entered(exchange, wish(qty=most))


def test_crypto_and_what_is_not_marginable_are_paid_in_full() -> None:
    exchange = priced(assets={"MSFT": AssetTerms(marginable=False)})
    for symbol, tif in (("BTC/USD", "gtc"), ("MSFT", "day")):
        refusal = refused(exchange, wish(qty="10001", limit="10", tif=tif, symbol=symbol))
        assert refusal.extras["buying_power"] == "100000"


@pytest.mark.parametrize(
    "working", [wish("sell", "4", "20"), wish("sell", "4", stop="9"), wish("sell", "4", trail="1")]
)
def test_every_closing_order_holds_its_shares(working: OrderRequest) -> None:
    exchange = priced()
    holding(exchange, "buy")
    order = entered(exchange, working)
    assert refused(exchange, wish("sell", "7", "20")).extras["held_for_orders"] == "4"
    done(exchange.cancel(order.id))
    entered(exchange, wish("sell", "7", "20"))


def test_a_sale_by_dollars_holds_the_shares_that_it_may_need() -> None:
    exchange = priced()
    holding(exchange, "buy")
    entered(exchange, wish("sell", None, notional="40"))
    assert refused(exchange, wish("sell", "7")).extras["held_for_orders"] == "4"


KINDS: dict[str, dict[str, str | None]] = {
    "market": {},
    "high limit": {"limit": "12"},
    "low limit": {"limit": "9.50"},
    "stop": {"stop": None},
    "stop limit": {"stop": None, "limit": "10"},
    "trailing": {"trail": "1"},
}
MARKET_OR_STOP, LIMIT = "opposite side market/stop order exists", "opposite side limit order exists"


def of_kind(side: str, kind: str) -> OrderRequest:
    terms = dict(KINDS[kind])
    if "stop" in terms:
        terms["stop"] = "11" if side == "buy" else "9"
    return wish(side, "1", **terms)  # type: ignore[arg-type]


def expected_reason(existing: str, new: str, new_side: str) -> str | None:
    """The table of the fact sheet."""
    if "trailing" in (existing, new):
        return None
    stops = ("stop" in existing) + ("stop" in new)
    if stops == 2:
        return None
    if "market" not in (existing, new) and stops == 0:
        buy, sell = (new, existing) if new_side == "buy" else (existing, new)
        if (buy, sell) == ("low limit", "high limit"):
            return None
    return LIMIT if existing.endswith("limit") and "stop" not in existing else MARKET_OR_STOP


@pytest.mark.parametrize("new_side", ["buy", "sell"])
@pytest.mark.parametrize(("existing", "new"), list(itertools.product(KINDS, KINDS)))
def test_opposite_orders_that_might_meet_are_wash_trades(existing: str, new: str, new_side: str) -> None:
    exchange = priced()
    holding(exchange, "buy")
    first = entered(exchange, of_kind("sell" if new_side == "buy" else "buy", existing))
    outcome = exchange.submit(of_kind(new_side, new))
    reason = expected_reason(existing, new, new_side)
    if reason is None:
        assert not isinstance(outcome, Refusal)
        return
    assert no(outcome) == (403, 40310000, "potential wash trade detected. use complex orders")
    assert isinstance(outcome, Refusal)
    assert outcome.extras == {"existing_order_id": first.id, "reject_reason": reason}


def test_more_of_the_same_side_is_no_wash_trade() -> None:
    exchange = priced()
    entered(exchange, wish())
    entered(exchange, wish())


def test_a_leg_that_stands_opposite_is_no_wash_trade() -> None:
    exchange = priced()
    root = entered(exchange, bracket())
    exchange.on_bar(bar(1))
    assert [leg.status for leg in legs_of(exchange, root)] == ["new", "held"]
    entered(exchange, wish("buy", limit="13"))
