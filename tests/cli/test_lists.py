"""The verbs that list: one JSON list for programs, a table for people, and never a new ledger."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.ledger.desk import NOON, Desk
from tests.views.test_rows import FIELDS
from tests.views.vandal import trade_for_an_hour
from tradecore.domain import commands as cmd
from tradecore.reconcile import Difference, Reconciler
from tradecore.runner.system import SystemIds

LISTS = ("orders", "fills", "trades", "positions", "balances", "outbox", "sagas")
LABELED = ("orders", "positions", "balances")
READING = (*LISTS, "events", "verify", "trace")


def an_hour(desk: Desk) -> None:
    trade_for_an_hour(desk)
    desk.give(cmd.StartSaga(str(uuid.UUID(int=1)), "rebalance", "main", {"strategy": "test"}, desk.clock.now()))


def words_of(verb: str) -> tuple[str, ...]:
    return (verb, "some-id") if verb == "trace" else (verb,)


@pytest.mark.parametrize("verb", LISTS)
def test_a_list_prints_rows_with_exactly_the_public_fields(terminal: Terminal, verb: str) -> None:
    terminal.trade(an_hour)
    objects = terminal.json(verb)
    assert objects
    truth = {"truth"} if verb in LABELED else set()
    assert all(set(item) == set(FIELDS[verb].split()) | truth for item in objects)


@pytest.mark.parametrize("verb", LABELED)
def test_what_the_broker_tells_says_as_of_when_and_never_that_it_is_live(terminal: Terminal, verb: str) -> None:
    """A ledger alone does not know what the broker would say now."""
    terminal.trade(an_hour)
    unknown = {"source": "unavailable", "as_of": None, "age_s": None, "differences": None}
    assert {json.dumps(row["truth"]) for row in terminal.json(verb)} == {json.dumps(unknown)}

    def compared(desk: Desk) -> None:
        found = Difference("cash", "USD", "1", "2")
        Reconciler(desk.ledger, SystemIds(), "main", Decimal(1)).record("schedule", NOON, (found,))

    terminal.trade(compared)
    for row in terminal.json(verb):
        truth = row["truth"]
        assert (truth["source"], truth["as_of"], truth["differences"]) == ("stale", "2024-01-02T17:00:00+00:00", 1)
        assert truth["age_s"] > 0
    assert "source stale, as_of 2024-01-02T17:00:00+00:00" in terminal.run(verb).err
    head = terminal.trade(lambda desk: desk.ledger.journal.head())
    assert all("truth" not in row for row in terminal.json(verb, "--as-of", str(head))), "the past has no age"


@pytest.mark.parametrize("verb", LISTS)
def test_people_get_a_table_without_colour_in_a_pipe(terminal: Terminal, verb: str) -> None:
    terminal.trade(an_hour)
    said = terminal.run(verb)
    assert (said.code, said.err) == (0, "")
    assert len(said.out.splitlines()) > 3
    assert "\x1b" not in said.out


@pytest.mark.parametrize("verb", LISTS)
def test_an_empty_list_is_empty_json_and_a_word_for_people(terminal: Terminal, verb: str) -> None:
    terminal.trade(lambda desk: None)
    assert terminal.json(verb) == []
    assert terminal.run(verb).out.startswith("no ")


def test_orders_can_be_chosen_by_status_and_symbol(terminal: Terminal) -> None:
    terminal.trade(an_hour)
    assert {row["status"] for row in terminal.json("orders", "--status", "filled")} == {"filled"}
    assert {row["symbol"] for row in terminal.json("orders", "--symbol", "QQQ")} == {"QQQ"}
    assert len(terminal.json("orders", "--symbol", "QQQ", "--status", "canceled")) == 1
    assert terminal.json("orders", "--symbol", "NONE") == []


@pytest.mark.parametrize(("option", "value"), [("--status", "done"), ("--symbol", "qqq")])
def test_a_choice_that_cannot_match_is_bad_input(terminal: Terminal, option: str, value: str) -> None:
    terminal.trade(an_hour)
    said = terminal.run("orders", option, value)
    assert said.code == 2
    assert said.err.startswith(f"error: {option[2:]}: ")


@pytest.mark.parametrize("verb", READING)
def test_reading_never_creates_a_ledger_and_says_where_it_looked(terminal: Terminal, verb: str) -> None:
    said = terminal.run(*words_of(verb), "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: there is no ledger at {terminal.path}")
    assert "--ledger" in said.err
    assert list(terminal.path.parent.iterdir()) == []


@pytest.mark.parametrize("verb", READING)
def test_a_ledger_in_memory_cannot_be_read_from_another_process(terminal: Terminal, verb: str) -> None:
    said = terminal.run(*words_of(verb), "--ledger", "memory:")
    assert said.code == 2
    assert said.err.startswith("error: ledger: memory: ")


def test_the_environment_names_the_ledger_and_the_option_is_stronger(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.db"
    terminal.run("place", "AAPL", "buy", "1", "--ledger", f"sqlite:///{other}")
    monkeypatch.setenv("TRADECORE_LEDGER", f"sqlite:///{other}")
    assert len(terminal.json("orders")) == 1
    assert terminal.run("orders", "--ledger", f"sqlite:///{terminal.path}").code == 2


def test_a_file_that_is_no_ledger_is_an_error_in_one_line(terminal: Terminal) -> None:
    terminal.path.write_text("something else")
    said = terminal.run("orders")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


def test_what_a_broker_wrote_cannot_drive_the_terminal(terminal: Terminal) -> None:
    def reject(desk: object) -> None:
        from tests.ledger.desk import Desk

        assert isinstance(desk, Desk)
        order = desk.place("buy", "10")
        desk.send(order)
        desk.give(cmd.RecordRejection(order, "403", "\x1b[2Jno\r\n[red]never", "{}"))

    terminal.trade(reject)
    for verb in ("orders", "outbox", "events"):
        said = terminal.run(verb)
        assert "\x1b" not in said.out
        assert "\\x1b[2Jno\\r\\n[red]never" in said.out
    assert terminal.json("orders")[0]["reason"] == "403: \x1b[2Jno\r\n[red]never"
