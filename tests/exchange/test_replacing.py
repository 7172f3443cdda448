"""Replacing orders, and what is refused about it; on the core alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchange.core_play import done, entered, exchange_with, flat, no, replaced, row, slow, wish, working
from tradecore_exchange import ReplaceRequest, Submitted

AT_TEN = ReplaceRequest(limit_price=Decimal(10))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("accepted", "cannot replace order in accepted status"),
        ("pending_new", "cannot replace order in pending_new status"),
        ("suspended", "cannot replace order in suspended status"),
        ("stopped", "cannot replace order in stopped status"),
        ("calculated", "cannot replace order in calculated status"),
        ("done_for_day", "cannot replace order in done_for_day status"),
        ("rejected", 'order is already in "rejected" state'),
    ],
)
def test_only_a_working_order_is_replaced(status: str, message: str) -> None:
    exchange = exchange_with()
    order = working(exchange)
    done(exchange.force(order.id, status))
    assert no(exchange.replace(order.id, AT_TEN)) == (422, 42210000, message)


def test_what_is_already_asked_about_is_neither_replaced_nor_canceled() -> None:
    exchange = slow()
    one, two = working(exchange), working(exchange)
    done(exchange.cancel(one.id))
    outcome = exchange.replace(two.id, AT_TEN)
    assert isinstance(outcome, Submitted)
    assert no(exchange.replace(one.id, AT_TEN))[2] == "cannot replace order in pending_cancel status"
    assert no(exchange.replace(two.id, AT_TEN))[2] == "cannot replace order in pending_replace status"
    assert no(exchange.replace(outcome.order.id, AT_TEN))[2] == "cannot replace order in pending_new status"
    assert no(exchange.cancel(one.id)) == (422, 42210000, "order pending cancel")
    assert no(exchange.cancel(two.id)) == (422, 42210000, "order pending replace")
    assert no(exchange.cancel(outcome.order.id)) == (422, 42210000, "order pending replace")


@pytest.mark.parametrize(
    ("terms", "change", "refusal"),
    [
        ({}, {}, (403, 40310000, "order parameters are not changed")),
        ({}, {"qty": "10", "limit_price": "8"}, (403, 40310000, "order parameters are not changed")),
        ({}, {"qty": "0.5"}, (422, 42210000, "qty of fractional orders cannot be changed")),
        ({"qty": "0.5"}, {"qty": "1"}, (422, 42210000, "qty of fractional orders cannot be changed")),
        ({"qty": None, "notional": "5"}, {"limit_price": "9"}, (422, 42210000, "notional orders cannot be replaced")),
        ({}, {"stop_price": "12"}, (422, 40010001, "limit orders require no stop price")),
        ({}, {"trail": "1"}, (422, 40010001, "trail is only for trailing stop orders")),
        (
            {},
            {"limit_price": "8.001"},
            (
                422,
                42210000,
                "invalid limit_price 8.001. sub-penny increment does not fulfill minimum pricing criteria",
            ),
        ),
        ({}, {"limit_price": "40001"}, (403, 40310000, "insufficient buying power")),
        ({}, {"client_order_id": "taken", "qty": "5"}, (422, 40010001, "client_order_id must be unique")),
    ],
)
def test_each_wrong_replacement_is_refused_with_its_own_words(
    terms: dict[str, str], change: dict[str, str], refusal: tuple[int, int, str]
) -> None:
    exchange = exchange_with()
    entered(exchange, wish(cid="taken", limit="1"))
    order = entered(exchange, wish(**{"limit": "8", **terms}))  # type: ignore[arg-type]
    numbers = {name: text if name == "client_order_id" else Decimal(text) for name, text in change.items()}
    assert no(exchange.replace(order.id, ReplaceRequest(**numbers))) == refusal  # type: ignore[arg-type]
    assert row(order.status, order.replaced_by) == ("new", None)


def test_an_order_that_does_not_exist_is_not_found() -> None:
    assert no(exchange_with().replace("nothing", AT_TEN)) == (404, 40410000, "order not found for nothing")
    assert no(exchange_with().cancel("nothing")) == (404, 40410000, "order not found for nothing")


@pytest.mark.parametrize(("qty", "expected"), [(None, 10), ("10", 10), ("6", 6), ("3", 3)])
def test_a_replacement_is_for_the_whole_again_unless_it_is_told_what_is_left(qty: str | None, expected: int) -> None:
    exchange = exchange_with(volume_share=Decimal("0.004"))
    order = working(exchange, limit="10")
    exchange.on_bar(flat())
    terms = ReplaceRequest(qty=None if qty is None else Decimal(qty), limit_price=Decimal(9))
    new = replaced(exchange, order, terms)
    assert row(order.filled_qty, order.status, new.qty) == (4, "replaced", expected)
