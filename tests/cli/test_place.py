"""`tradecore place`: records an intent, or says in one line why not."""

from __future__ import annotations

import datetime as dt
import getpass
import uuid
from contextlib import closing
from decimal import Decimal

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import Desk
from tradecore.domain import streams
from tradecore.domain.events import AssetsRefreshed, OrderPlanned, OrderQueued
from tradecore.domain.messages import Cause
from tradecore.domain.values import OrderType, Side, TimeInForce
from tradecore.journal import open_journal


def planned(terminal: Terminal) -> list[OrderPlanned]:
    with closing(open_journal(f"sqlite:///{terminal.path}")) as journal:
        return [item.event for item in journal.read(0, 1000) if isinstance(item.event, OrderPlanned)]


def test_an_order_is_recorded_and_its_ids_are_printed(terminal: Terminal) -> None:
    (placed,) = terminal.json("place", "AAPL", "buy", "10")
    assert {"order_id", "client_order_id", "trace_id"} <= set(placed)
    (order,) = planned(terminal)
    assert (order.order_id, order.client_order_id) == (placed["order_id"], placed["client_order_id"])
    assert (order.symbol, order.side, order.quantity, order.order_type, order.strategy) == (
        "AAPL",
        Side.BUY,
        Decimal(10),
        OrderType.MARKET,
        "manual",
    )


def test_every_term_reaches_the_order(terminal: Terminal) -> None:
    terminal.json(
        "place", "BRK.B", "sell", "2", "--type", "limit", "--limit", "431.07", "--tif", "day", "--strategy", "hand",
        "--extended-hours", "--account", "second",
    )  # fmt: skip
    (order,) = planned(terminal)
    assert (order.limit_price, order.time_in_force, order.strategy) == (Decimal("431.07"), TimeInForce.DAY, "hand")
    assert (order.extended_hours, order.account) == (True, "second")


@pytest.mark.parametrize(("words", "seconds"), [((), 600), (("--good-for", "5"), 5), (("--good-for", "0.5"), 0.5)])
def test_an_intent_goes_stale_after_the_time_it_is_good_for(
    terminal: Terminal, words: tuple[str, ...], seconds: float
) -> None:
    terminal.json("place", "AAPL", "buy", "10", *words)
    with closing(open_journal(f"sqlite:///{terminal.path}")) as journal:
        (queued,) = [item for item in journal.read(0, 1000) if isinstance(item.event, OrderQueued)]
    assert isinstance(queued.event, OrderQueued)
    left = queued.event.not_after.timestamp() - queued.envelope.recorded_at_ns / 1e9
    assert seconds - 5 < left <= seconds


def test_the_actor_of_an_order_is_the_person_at_the_keyboard(terminal: Terminal) -> None:
    terminal.json("place", "AAPL", "buy", "10")
    actors = {event["actor"] for event in terminal.json("events", "--name", "trade.")}
    assert actors == {f"cli:{getpass.getuser()}"}


def test_for_people_the_ids_come_one_per_line(terminal: Terminal) -> None:
    said = terminal.run("place", "AAPL", "buy", "10")
    fields = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    uuid.UUID(fields["order_id"])
    assert fields["client_order_id"].startswith("tc-")
    assert len(fields["trace_id"]) == 32


@pytest.mark.parametrize("number", ["0", "-1", "1e5", "NaN", "inf", "-inf", "", " 1", "1 ", "1,5", "0x10", "１０", "٣",
                                    "1_000", "1.0000000001", "1000000000000000", "ten", "--10", "+-1"])  # fmt: skip
@pytest.mark.parametrize("field", ["qty", "limit", "good_for"])
def test_a_bad_number_is_refused_with_its_field_and_nothing_is_created(
    terminal: Terminal, field: str, number: str
) -> None:
    words = {
        "qty": ("10" if field != "qty" else number,),
        "limit": ("10", "--type", "limit", f"--limit={number}"),
        "good_for": ("10", f"--good-for={number}"),
    }[field]
    said = terminal.run("place", "AAPL", "buy", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    if number:
        assert said.err.startswith((f"error: {field}: ", "error: Unknown option"))
    assert not terminal.path.exists()


@pytest.mark.parametrize("qty", ["-1", "-0.5", "-10"])
def test_a_negative_quantity_is_a_bad_number_and_not_an_option(terminal: Terminal, qty: str) -> None:
    assert terminal.run("place", "AAPL", "buy", qty).err.startswith(f"error: qty: '{qty}' is not acceptable")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("aapl", "buy", "10"), "symbol"),
        (("", "buy", "10"), "symbol"),
        (("A;B", "buy", "10"), "symbol"),
        (("ＡＡＰＬ", "buy", "10"), "symbol"),
        (("AAPL", "BUY", "10"), "side"),
        (("AAPL", "long", "10"), "side"),
        (("AAPL", "buy", "10", "--type", "stopp"), "type"),
        (("AAPL", "buy", "10", "--type", "stop"), "stop_price"),
        (("AAPL", "buy", "10", "--tif", "gtx"), "tif"),
        (("AAPL", "buy", "10", "--type", "limit"), "limit_price"),
        (("AAPL", "buy", "10", "--limit", "5"), "limit_price"),
        (("AAPL", "buy", "10", "--extended-hours"), "extended_hours"),
        (("AAPL", "buy", "1.5", "--tif", "gtc"), "time_in_force"),
        (("AAPL", "buy", "10", "--strategy", ""), "strategy"),
        (("AAPL", "buy", "10", "--strategy", "a b"), "strategy"),
        (("AAPL", "buy", "10", "--account", "../x"), "account"),
        (("AAPL", "buy", "10", "--good-for", "99999999999"), "good_for"),
        (("AAPL", "buy", "10", "--ledger", "mysql://x"), "ledger"),
        (("AAPL", "buy", "10", "--ledger", "memory:"), "ledger"),
    ],
)
def test_a_bad_word_is_refused_with_its_field_and_nothing_is_created(
    terminal: Terminal, words: tuple[str, ...], field: str
) -> None:
    said = terminal.run("place", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {field}: ")
    assert said.err.count("\n") == 1
    assert not terminal.path.exists()


@pytest.mark.parametrize(
    "words",
    [(), ("AAPL",), ("AAPL", "buy"), ("AAPL", "buy", "1", "2"), ("AAPL", "buy", "1", "--bogus"),
     ("AAPL", "buy", "1", "--limit"), ("AAPL", "buy", "1", "--json=maybe")],
)  # fmt: skip
def test_words_that_make_no_order_are_one_line_and_code_2(terminal: Terminal, words: tuple[str, ...]) -> None:
    said = terminal.run("place", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


def test_a_refusal_by_the_risk_gate_is_code_3_and_names_the_rule(terminal: Terminal) -> None:
    terminal.trade(lambda desk: desk.limit(qty="5"))
    said = terminal.run("place", "AAPL", "buy", "10", "--json")
    assert (said.code, said.out) == (3, "")
    assert said.err == "error: order refused by max_order_qty: 10; allowed is at most 5\n"
    assert terminal.json("orders") == []


def refresh_assets(desk: Desk) -> None:
    desk.clock.at = dt.datetime.now(dt.UTC)
    for symbols in (("AAPL", "GONE", "SPY"), ("AAPL", "SPY")):
        desk.ledger.note(
            streams.ASSETS, AssetsRefreshed("test", symbols, is_full=True), Cause(desk.ids.trace_id(), "test")
        )


@pytest.mark.parametrize("symbol", ["GONE", "NEVER"])
def test_a_symbol_that_the_broker_does_not_trade_is_refused(terminal: Terminal, symbol: str) -> None:
    terminal.trade(refresh_assets)
    said = terminal.run("place", symbol, "buy", "10")
    assert said.code == 2
    assert said.err.startswith(f"error: symbol: '{symbol}' is not acceptable; expected one of the 2 symbols")


def test_a_symbol_that_the_broker_trades_is_taken(terminal: Terminal) -> None:
    terminal.trade(refresh_assets)
    assert terminal.run("place", "SPY", "buy", "10").code == 0


def test_the_only_account_of_a_ledger_need_not_be_named(terminal: Terminal) -> None:
    terminal.trade(lambda desk: desk.pin())
    terminal.json("place", "SPY", "buy", "10")
    assert planned(terminal)[0].account == "main"


def test_an_account_that_the_ledger_does_not_have_is_refused(terminal: Terminal) -> None:
    terminal.trade(lambda desk: desk.pin())
    said = terminal.run("place", "SPY", "buy", "10", "--account", "other")
    assert said.code == 2
    assert said.err == "error: account: 'other' is not acceptable; expected an account of this ledger: main\n"
