"""Steps are taken once, whoever takes them, and a kill between looking and recording leaves no half step."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import anyio
import pytest

from tests.ledger.desk import Desk
from tests.sagas.stage import SAGA, Stage
from tests.sagas.test_kinds import SIGNAL
from tradecore.domain.commands import ResolveSaga
from tradecore.domain.messages import Cause
from tradecore.domain.values import SagaStatus
from tradecore.errors import InputError
from tradecore.follower import Follower
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.sagas.conductor import Conductor
from tradecore.views import read_rows
from tradecore.views.keeping import kept_views
from tradecore.views.projector import Projector

LIVE = [{"saga_id": SAGA, "account": "main", "status": "running"}]


def test_two_conductors_on_one_ledger_take_each_step_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(open_journal(url)) as journal, closing(open_journal(url)) as other_journal:
        stage = Stage.over(journal)
        clock, ids = stage.desk.clock, stage.desk.ids
        other = Conductor(Ledger(other_journal, clock, ids), clock, ids, "main")
        stage.conductor.start(SAGA, "signal_execution", SIGNAL, Cause(stage.desk.ids.trace_id(), actor="test"))
        other.restore(LIVE)
        assert other._ledger.saga(SAGA) is not None, "the slower one has looked before the faster one stepped"
        stage.conductor.advance()
        other.advance()
        assert len(stage.orders()) == 1
        assert stage.saga.steps == 1


def test_a_step_and_its_commands_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(name: str) -> None:
        if name == "saga.step.before":
            raise Killed

    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        monkeypatch.setattr("tradecore.sagas.conductor.failpoint", die)
        with pytest.raises(Killed):
            stage.start("signal_execution", SIGNAL)
        monkeypatch.undo()
        assert (stage.saga.status, stage.orders()) == (SagaStatus.PENDING, [])
        stage.restart()
        stage.look()
        assert (stage.saga.status, len(stage.orders())) == (SagaStatus.RUNNING, 1)


def test_a_person_is_called_once_also_where_a_follower_sees_the_step_too() -> None:
    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        follower = Follower(journal)
        follower.listen(stage.conductor.observe)
        stage.start("signal_execution", SIGNAL)
        stage.conductor._kinds = {}
        assert stage.look().status is SagaStatus.MANUAL
        follower.catch_up()
        assert stage.desk.names().count("system.alert.triggered") == 1


def test_a_kind_that_nobody_knows_is_for_a_person_and_a_person_ends_it() -> None:
    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        stage.start("signal_execution", SIGNAL)
        stranger = Conductor(stage.desk.ledger, stage.desk.clock, stage.desk.ids, "main", kinds=())
        stranger.restore(LIVE)
        stranger.advance()
        assert stage.saga.status is SagaStatus.MANUAL
        stage.desk.give(ResolveSaga(SAGA, "sold by telephone"))
        assert (stage.saga.status, stage.saga.outcome) == (SagaStatus.FAILED, "resolved by a person: sold by telephone")
        with pytest.raises(InputError, match="waits for a person"):
            stage.desk.give(ResolveSaga(SAGA, "again"))


def test_the_view_tells_how_far_each_got_and_which_are_live() -> None:
    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        stage.start("signal_execution", SIGNAL)
        Projector(journal, kept_views(journal)).catch_up()
        (row,) = read_rows(journal, "sagas")
        assert (row["saga_id"], row["status"], row["step"], row["steps"]) == (SAGA, "running", "placing", 1)


def test_the_events_of_a_saga_share_its_trace() -> None:
    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        stage.start("signal_execution", SIGNAL)
        (order,) = stage.orders()
        assert stage.desk.ledger.trace_of(f"order-{order}") == stage.desk.ledger.trace_of(f"saga-{SAGA}")


def test_the_conductor_wakes_when_a_deadline_passes_and_when_something_happens() -> None:
    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        woken: list[str] = []
        conductor = Conductor(
            stage.desk.ledger, stage.desk.clock, stage.desk.ids, "main", wake=lambda: woken.append("deliver")
        )

        async def run() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(conductor.run)
                await anyio.wait_all_tasks_blocked()
                conductor.start(SAGA, "signal_execution", SIGNAL, Cause(stage.desk.ids.trace_id(), actor="test"))
                with anyio.fail_after(5):
                    while not woken:  # noqa: ASYNC110
                        await anyio.sleep(0.001)
                group.cancel_scope.cancel()

        anyio.run(run)
        assert stage.saga.status is SagaStatus.RUNNING
        assert isinstance(stage.desk, Desk)


def test_an_order_that_must_wait_is_not_placed_and_the_saga_waits_with_it() -> None:
    with closing(open_journal("memory:")) as journal:
        stage = Stage.over(journal)
        reasons = ["the account was not reconciled"]
        conductor = Conductor(
            stage.desk.ledger, stage.desk.clock, stage.desk.ids, "main", held_back=lambda _: next(iter(reasons), None)
        )
        conductor.start(SAGA, "signal_execution", SIGNAL, Cause(stage.desk.ids.trace_id(), actor="test"))
        conductor.advance()
        assert (stage.saga.status, stage.orders()) == (SagaStatus.PENDING, [])
        reasons.clear()
        conductor.advance()
        assert (stage.saga.status, len(stage.orders())) == (SagaStatus.RUNNING, 1)
