"""The words of the log are permanent: a ledger of any age is read with them."""

from __future__ import annotations

import enum

import pytest

from tradecore.domain import values

WORDS: dict[type[enum.StrEnum], str] = {
    values.Side: "buy sell",
    values.OrderType: "market limit stop stop_limit trailing_stop",
    values.OrderClass: "simple bracket oco oto",
    values.Leg: "take_profit stop_loss",
    values.Purpose: "close protect trade",
    values.TimeInForce: "day gtc ioc fok opg cls",
    values.OrderStatus: (
        "planned queued submitted unknown pending_new accepted held new partially_filled stopped suspended calculated "
        "done_for_day pending_cancel pending_replace filled canceled expired replaced rejected"
    ),
    values.TradeStatus: "proposed approved refused working open closing closed abandoned",
    values.TradingState: "active reduce_only halted",
    values.SagaStatus: "pending running compensating completed failed manual",
}


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_the_words_of_the_log_never_change(words: type[enum.StrEnum]) -> None:
    assert {member.name: member.value for member in words} == {word.upper(): word for word in WORDS[words].split()}


def test_these_statuses_end_an_order() -> None:
    ended = {status.value for status in values.OrderStatus if status.is_terminal}
    assert ended == {"filled", "canceled", "expired", "replaced", "rejected"}


def test_sides_are_signed_and_opposite() -> None:
    buy, sell = values.Side.BUY, values.Side.SELL
    assert (buy.sign, sell.sign, buy.opposite, sell.opposite) == (1, -1, sell, buy)
