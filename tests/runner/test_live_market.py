"""An exchange that moves by itself: the runner listens, decides as bars come, and ends when told."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.judge import Judge
from tests.crash.verdict import assert_nothing_lost_or_doubled
from tests.runner.process import KEYS, Done, rows, run, running, stop, tradecore, until, write

LEDGER = "ledger.db"  # where the verdict looks for it


def attach(folder: Path, judge: Judge, broker: str, more: str = "") -> tuple[str, ...]:
    """The options of a runner at this exchange."""
    text = f'ledger = "sqlite:///{LEDGER}"\n[broker]\nname = "{broker}"\nbase_url = "{judge.base_url}"\n{more}'
    return ("--config", write(folder, "runner.toml", text))


def market_time_passes(judge: Judge) -> bool:
    return int(judge.ask("/_ctl/state")["steps_done"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["alpaca", "exchange"])
def test_a_self_paced_market_is_traded_live_until_sigterm(broker: str, tmp_path: Path) -> None:
    with Judge.start(tmp_path, "--speed", "7500", "--days", "2", "--symbols", "AAA,BBB", "--seed", "7") as judge:
        strategy = "[strategy]\nparameters = { fast = 3, slow = 8 }\n"
        options = attach(tmp_path, judge, broker, strategy + '[market_data]\nsymbols = ["AAA", "BBB"]\n')
        with running(tmp_path, *options, ledger=LEDGER, **KEYS) as runner:
            until(judge.is_done, "the end of the market")
            done = stop(runner, signal.SIGTERM)
        assert done.code == 0, done.err
        assert done.err == ""
        assert "told to stop by SIGTERM" in done.out
        assert "agree on every order, fill, position and on cash" in done.out
        assert assert_nothing_lost_or_doubled(judge, tmp_path) > 0  # how many depends on how busy the machine is
    assert tradecore(tmp_path, "verify", "--ledger", f"sqlite:///{LEDGER}").code == 0


@contextmanager
def delivering(folder: Path) -> Iterator[Judge]:
    """A runner that only delivers, at an exchange that moves by itself, a minute in a tenth of a second.

    Nothing is read again on a schedule, so what arrives was told.
    """
    arguments = ("--speed", "600", "--days", "1", "--symbols", "AAA,BBB", "--seed", "7")
    with Judge.start(folder, *arguments) as judge:
        options = attach(folder, judge, "exchange", '[strategy]\nname = "none"\n[delivery]\nreconcile_every_s = 3600\n')
        with running(folder, *options, ledger=LEDGER) as runner:
            until(lambda: market_time_passes(judge), "the first bar")
            yield judge
            done = stop(runner, signal.SIGTERM)
        assert done.code == 0, done.err
        assert_nothing_lost_or_doubled(judge, folder)


def place(folder: Path, *words: str) -> dict[str, Any]:
    """`tradecore place …`; returns the order."""
    done = tradecore(folder, "place", *words, "--ledger", f"sqlite:///{LEDGER}", "--json")
    return placed(done)


def placed(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)[0]
    return found


def order_at(judge: Judge, client_order_id: str) -> dict[str, Any]:
    """The order as the exchange has it; empty where it has none."""
    listed = judge.ask("/_ctl/orders")["orders"]
    return next((order for order in listed if order["client_order_id"] == client_order_id), {})


def status(folder: Path, order_id: str) -> str:
    """The order's status in the ledger."""
    return next(str(row["status"]) for row in rows(folder, "orders", LEDGER) if row["order_id"] == order_id)


def test_an_order_placed_by_hand_is_delivered_and_filled_without_waiting_for_a_schedule(tmp_path: Path) -> None:
    with delivering(tmp_path) as judge:
        order = place(tmp_path, "AAA", "buy", "10")
        until(lambda: bool(order_at(judge, order["client_order_id"])), "its arrival")
        until(lambda: status(tmp_path, order["order_id"]) == "filled", "its fill")


def test_a_cancel_by_hand_reaches_the_exchange_without_waiting_for_a_schedule(tmp_path: Path) -> None:
    with delivering(tmp_path) as judge:
        order = place(tmp_path, "AAA", "buy", "10", "--type", "limit", "--limit", "1")
        until(lambda: order_at(judge, order["client_order_id"]).get("status") == "new", "its rest in the book")
        until(lambda: status(tmp_path, order["order_id"]) in ("accepted", "new"), "its acceptance")
        placed(tradecore(tmp_path, "cancel", order["order_id"], "--ledger", f"sqlite:///{LEDGER}", "--json"))
        until(lambda: order_at(judge, order["client_order_id"])["status"] == "canceled", "the cancel")
        until(lambda: status(tmp_path, order["order_id"]) == "canceled", "the news of it")


def test_a_runner_that_only_delivers_does_not_ask_for_bars(tmp_path: Path) -> None:
    with delivering(tmp_path) as judge:
        until(lambda: judge.ask("/_ctl/state")["listening"]["trades"] == 1, "the stream of orders")
        assert judge.ask("/_ctl/state")["listening"]["data"] == 0


def test_the_exchange_tells_its_speed_and_null_when_it_waits(tmp_path: Path) -> None:
    with Judge.start(tmp_path, "--speed", "60") as judge:
        assert judge.ask("/_ctl/state")["speed"] == 60
    (tmp_path / "judge.db").unlink()
    with Judge.start(tmp_path) as judge:
        assert judge.ask("/_ctl/state")["speed"] is None


def test_an_order_placed_before_the_first_run_is_delivered_by_it(tmp_path: Path) -> None:
    order = place(tmp_path, "AAA", "buy", "10")
    done = run(tmp_path, "--strategy", "none", "--days", "1", "--ledger", f"sqlite:///{LEDGER}")
    assert done.code == 0, done.err
    assert status(tmp_path, order["order_id"]) == "filled"


def test_a_position_with_a_bracket_is_closed_by_hand_legs_first(tmp_path: Path) -> None:
    with delivering(tmp_path) as judge:
        terms = ("--class", "bracket", "--take-profit", "9000", "--stop-loss", "1")
        entry = place(tmp_path, "AAA", "buy", "10", *terms)
        until(lambda: status(tmp_path, entry["order_id"]) == "filled", "the entry's fill")
        legs = [row["order_id"] for row in rows(tmp_path, "orders", LEDGER) if row["order_id"] != entry["order_id"]]
        assert len(legs) == 2
        until(lambda: {status(tmp_path, leg) for leg in legs} <= {"new", "held"}, "the legs")
        trade = next(row["trade_id"] for row in rows(tmp_path, "trades", LEDGER))
        saga = placed(tradecore(tmp_path, "close-trade", trade, "--ledger", f"sqlite:///{LEDGER}", "--json"))
        until(lambda: ended(tmp_path, saga["saga_id"]), "the end of the saga")
        (row,) = rows(tmp_path, "sagas", LEDGER)
        assert (row["status"], row["reason"].split(";")[0]) == ("completed", "closed")
        assert {status(tmp_path, leg) for leg in legs} == {"canceled"}
        assert [row for row in rows(tmp_path, "positions", LEDGER) if row["qty"] != "0"] == []
        assert judge.ask("/_ctl/orders")["orders"][-1]["status"] == "filled"


def ended(folder: Path, saga_id: str) -> bool:
    """Whether nothing more is to be done for the saga."""
    found = next(row for row in rows(folder, "sagas", LEDGER) if row["saga_id"] == saga_id)
    return found["status"] in ("completed", "failed", "manual")
