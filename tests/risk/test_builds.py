"""Which code works on a ledger is on record, and two kinds of it never work on one at the same time."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.review.scripted import Office, engine_of
from tests.risk.test_wired import found
from tests.virtual_time import run_story
from tradecore.builds import limits_hash, refuse_mixed
from tradecore.domain import streams
from tradecore.domain.events import DiskLow, RunnerStarted, RunnerStopped
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.engine import Engine
from tradecore.errors import LeaseHeld, MixedBuilds
from tradecore.journal import open_lease
from tradecore.runner.build import build_of
from tradecore.runner.wiring import _acquire


def started(office: Office, name: str, build: str, *, alone: bool = False) -> None:
    event = RunnerStarted(name, "0.1.0", "test", "none", build, "", alone)
    office.desk.ledger.note(streams.RUNNER, event, Cause(office.desk.ids.trace_id(), actor="test"))


def stopped(office: Office, name: str) -> None:
    event = RunnerStopped(name, "told to")
    office.desk.ledger.note(streams.RUNNER, event, Cause(office.desk.ids.trace_id(), actor="test"))


def engine(office: Office, build: str, *, alone: bool) -> Engine:
    made = engine_of(office)
    object.__setattr__(made._terms, "build", build)
    object.__setattr__(made._terms, "alone", alone)
    return made


def test_a_runner_of_another_build_is_refused_with_nothing_recorded() -> None:
    office = Office.open()
    started(office, "first", "aaaa")
    head = office.desk.ledger.journal.head()
    with pytest.raises(MixedBuilds, match="first works on this ledger with build aaaa"):
        run_story(engine(office, "bbbb", alone=False).begin, "second")
    assert office.desk.ledger.journal.head() == head


def test_runners_of_one_build_work_side_by_side_and_each_says_which_it_is() -> None:
    office = Office.open()
    started(office, "first", "aaaa")
    run_story(engine(office, "aaaa", alone=False).begin, "second")
    last: RunnerStarted = found(office.desk, RunnerStarted)[-1]
    assert (last.runner_id, last.build, last.limits, last.alone) == ("second", "aaaa", limits_hash(Limits()), False)


def test_who_stopped_or_died_stands_in_nobodys_way() -> None:
    office = Office.open()
    ledger = office.desk.ledger
    started(office, "died", "aaaa")
    refuse_mixed(ledger, "bbbb", alone=True)
    started(office, "next", "bbbb", alone=True)
    refuse_mixed(ledger, "bbbb", alone=False)
    started(office, "beside", "bbbb")
    office.desk.ledger.note(streams.RUNNER, DiskLow(1, 2), Cause(office.desk.ids.trace_id(), actor="test"))
    stopped(office, "next")
    with pytest.raises(MixedBuilds, match="beside"):
        refuse_mixed(ledger, "cccc", alone=False)
    stopped(office, "beside")
    refuse_mixed(ledger, "cccc", alone=False)


def test_who_shares_the_lease_knows_whether_anybody_else_does(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    first, second, third = (open_lease(url) for _ in range(3))
    assert _acquire(first, "first", shared=True)
    assert not _acquire(second, "second", shared=True)
    with pytest.raises(LeaseHeld):
        _acquire(third, "third", shared=False)
    first.release()
    second.release()
    assert _acquire(third, "third", shared=False)
    third.release()


def test_a_build_changes_with_the_code_of_the_library_the_broker_and_the_strategy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_rules.py").write_text("class Rules:\n    size = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    rules = __import__("my_rules").Rules()
    before = build_of(rules)
    assert before == build_of(rules) != build_of()
    (tmp_path / "my_rules.py").write_text("class Rules:\n    size = 10\n")
    assert build_of(rules) != before
    del sys.modules["my_rules"]


def test_the_hash_of_limits_says_what_they_are_and_not_how_often_they_changed() -> None:
    ten = Limits(max_order_qty=Decimal(10))
    assert limits_hash(ten) == limits_hash(Limits(version=7, max_order_qty=Decimal(10)))
    assert limits_hash(ten) != limits_hash(Limits(max_order_qty=Decimal(11)))
