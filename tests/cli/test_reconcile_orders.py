"""`reconcile --adopt` and `--dispute` for every kind of difference, over the wire, with an exchange that moved on."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from tests.cli.terminal import Said, Terminal
from tests.crash.judge import HEADERS, Judge
from tests.ledger.desk import Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import OpeningPosition, OrderAdopted, OrderCanceled
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import OrderStatus
from tradecore.runner.system import SystemClock
from tradecore.verify import verify

_SKIPPED = itertools.count(1)
NOBODYS = "00000000-0000-4000-8000-000000000001"


@attrs.define
class Office:
    """A ledger without a runner, an exchange that moves only when told, and a person at the command line."""

    folder: Path
    judge: Judge
    terminal: Terminal

    def books(self, story: Callable[[Desk], Any]) -> Any:
        """Let something be recorded, with ids that were not used before, by the time that the exchange has."""

        def fresh(desk: Desk) -> Any:
            desk.ids._next = itertools.count(next(_SKIPPED) * 1000)
            desk.clock.at = SystemClock().now()
            return story(desk)

        return self.terminal.trade(fresh)

    def begin(self, cash: str = "100000", held: str = "") -> None:
        account = self.judge.ask("/v2/account")
        positions = (OpeningPosition("AAA", Decimal(held), Decimal(50)),) if held else ()
        at = dt.datetime.fromisoformat(self.judge.ask("/v2/clock")["timestamp"])  # a replayed market has its own time
        begin = cmd.PinAccount("main", "exchange", account["id"], True, "USD", Decimal(cash), positions, at)
        self.books(lambda desk: desk.give(begin))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, self.judge.base_url + path, json=body, headers=HEADERS, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def post(self, **terms: str) -> Any:
        return self.call("POST", "/v2/orders", {"symbol": "AAA", "side": "buy", "time_in_force": "day"} | terms)

    def ours(self, qty: str = "10", limit: str | None = "1", broker_order_id: str | None = None) -> str:
        """An order that the ledger takes for working, and that the exchange has unless it is said to have another."""

        def story(desk: Desk) -> str:
            order_id = desk.place("buy", qty, "AAA", limit=limit)
            desk.send(order_id)
            theirs = broker_order_id
            if theirs is None:
                price = {"limit_price": limit} if limit else {}
                kind = {"type": "limit" if limit else "market", "client_order_id": desk.order(order_id).client_order_id}
                theirs = self.post(qty=qty, **kind, **price)["id"]
            assert theirs is not None
            desk.give(cmd.RecordAnswer(order_id, theirs, OrderStatus.NEW, Decimal(0), desk.clock.now(), "{}"))
            return order_id

        found: str = self.books(story)
        return found

    def order(self, order_id: str) -> OrderState:
        state: OrderState = self.books(lambda desk: desk.order(order_id))
        return state

    def events(self) -> list[Any]:
        told: list[Any] = self.books(lambda desk: [item.event for item in desk.ledger.journal.read(0, 10_000)])
        return told

    def reconcile(self, *words: str) -> Said:
        config = self.folder / "runner.toml"
        config.write_text(f'[broker]\nname = "exchange"\nbase_url = "{self.judge.base_url}"\n', encoding="utf-8")
        url = f"sqlite:///{self.folder}/books.db"
        return self.terminal.run("reconcile", "--config", str(config), "--ledger", url, *words, "--json")

    def differences(self) -> dict[str, dict[str, Any]]:
        return {row["kind"]: row for row in self.reconcile().objects}

    def adopt(self, row: dict[str, Any], code: int = 0) -> Said:
        said = self.reconcile("--adopt", row["difference"], "--reason", "looked")
        assert said.code == code, said.err
        return said

    def is_clean(self) -> bool:
        said = self.reconcile()
        findings = self.books(lambda desk: verify(desk.ledger.journal).findings)
        assert findings == (), findings
        return (said.code, json.loads(said.out)) == (0, [])

    def disputed(self, row: dict[str, Any]) -> None:
        """A person keeps the difference: it stays, and nothing waits for it."""
        said = self.reconcile("--dispute", row["difference"], "--reason", "asked them")
        now = {each["difference"]: each for each in said.objects}[row["difference"]]
        assert (now["status"], now["gates"], now["reason"]) == ("disputed", False, "asked them")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    folder = tmp_path_factory.mktemp("judge")
    with Judge.start(folder, "--days", "1", "--symbols", "AAA,BBB", "--seed", "7") as started:
        yield started


@pytest.fixture
def office(tmp_path: Path, shared: Judge, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Office]:
    office = Office(tmp_path, shared, Terminal(tmp_path / "books.db", capfdbinary))
    office.call("POST", "/_ctl/advance", {"steps": 1})  # what earlier tests left behind was before the books
    account, held = shared.ask("/v2/account"), office.call("GET", "/v2/positions")
    office.begin(account["cash"], held[0]["qty"] if held else "")
    yield office
    office.call("DELETE", "/v2/orders")


def test_an_order_that_the_ledger_does_not_know(office: Office) -> None:
    theirs = office.post(qty="3", type="limit", limit_price="1")
    row = office.differences()["foreign order"]
    assert (row["subject"], row["ours"]) == (theirs["id"], "nothing")
    office.disputed(row)
    assert office.adopt(row).objects == []
    (adopted,) = (event for event in office.events() if isinstance(event, OrderAdopted))
    assert adopted.broker_order_id == theirs["id"]
    assert office.books(lambda desk: desk.account.reservations[adopted.order_id].quantity) == 3
    assert office.is_clean()


def test_an_order_that_the_broker_does_not_know(office: Office) -> None:
    order = office.ours(broker_order_id=NOBODYS)
    row = office.differences()["presence of order"]
    assert (row["subject"], row["ours"], row["theirs"]) == (order, "new", "nothing")
    office.disputed(row)
    assert office.adopt(row).objects == []
    (ended,) = (event for event in office.events() if isinstance(event, OrderCanceled))
    assert ended.reason == "the broker does not have it any more: looked"
    assert office.books(lambda desk: desk.account.reservations) == {}
    assert office.is_clean()


def test_an_order_whose_state_differs(office: Office) -> None:
    order = office.ours()
    office.call("DELETE", f"/v2/orders/{office.order(order).broker_order_id}")
    row = office.differences()["status of order"]
    assert (row["ours"], row["theirs"]) == ("new", "canceled")
    office.disputed(row)
    assert office.adopt(row).objects == []
    assert office.order(order).status is OrderStatus.CANCELED
    assert office.is_clean()


def test_a_fill_that_is_missing_is_read_and_never_made_up(office: Office) -> None:
    order = office.ours(limit=None)
    office.call("POST", "/_ctl/advance", {"steps": 1})
    rows = office.differences()
    assert {"filled quantity of order", "status of order", "position", "cash"} == set(rows)
    office.disputed(rows["filled quantity of order"])
    assert office.adopt(rows["filled quantity of order"]).objects == []
    told = office.call("GET", "/v2/account/activities/FILL")
    booked = office.order(order)
    assert (booked.filled_qty, booked.status) == (Decimal(10), OrderStatus.FILLED)
    assert sum(Decimal(row["qty"]) for row in told if row["order_id"] == booked.broker_order_id) == 10
    assert office.is_clean()


def test_what_no_execution_explains_cannot_be_adopted(office: Office) -> None:
    order = office.ours()

    def invented(desk: Desk) -> None:
        state = desk.order(order)
        assert state.broker_order_id is not None
        desk.give(
            cmd.RecordFill(
                "fill-1", order, state.broker_order_id, "x-1", Decimal(4), Decimal(1), Decimal(4),
                Decimal(0), desk.clock.now(), "stream", "{}",
            )
        )  # fmt: skip

    office.books(invented)
    row = office.differences()["filled quantity of order"]
    assert (row["ours"], row["theirs"]) == ("4", "0")
    before = len(office.events())
    assert "--dispute" in office.adopt(row, 2).err
    assert len(office.events()) == before
    office.disputed(row)


def test_a_position_and_cash(office: Office) -> None:
    office.books(
        lambda desk: desk.give(cmd.BookAdjustment("main", "d", "BBB", Decimal(2), Decimal(9), Decimal(7), "x"))
    )
    rows = office.differences()
    assert {"position", "cash"} == set(rows)
    for row in rows.values():
        office.disputed(row)
    office.adopt(rows["position"], 0)
    assert set(office.differences()) == {"cash"}
    office.adopt(rows["cash"])
    assert office.is_clean()
