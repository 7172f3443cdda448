"""The view of the outbox: one row per thing that is asked of the broker, and how far it got."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.ledger.desk import Desk
from tests.views.folded import row, rows
from tradecore.domain import commands as cmd
from tradecore.domain.work import CANCEL_ATTEMPTS, SUBMIT_ATTEMPTS


def submit(desk: Desk, order: str) -> dict[str, Any]:
    return row(desk, "outbox", work_id=f"{order}:submit")


def cancel(desk: Desk, order: str) -> dict[str, Any]:
    return row(desk, "outbox", work_id=f"{order}:cancel")


def ask_to_cancel(desk: Desk, order: str, *, accepted: bool) -> None:
    desk.give(cmd.StartCancel(order, "lease-1"))
    desk.give(cmd.RecordCancelAnswer(order, accepted, "" if accepted else "too late"))


def test_a_submit_is_pending_until_it_is_tried(desk: Desk) -> None:
    order = desk.place("buy", "10")
    found = submit(desk, order)
    assert (found["status"], found["attempts"], found["kind"]) == ("pending", 0, "submit")
    assert found["not_after"] == "2024-01-02T17:00:30.000000Z"


def test_a_submit_runs_while_its_answer_is_awaited_and_succeeds_with_it(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    assert submit(desk, order)["status"] == "running"
    desk.answer(order)
    assert (submit(desk, order)["status"], submit(desk, order)["attempts"]) == ("succeeded", 1)


def test_a_submit_that_was_not_sent_has_failed_and_will_be_retried(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordNotSent(order, "connection refused"))
    assert (submit(desk, order)["status"], submit(desk, order)["last_error"]) == ("failed", "connection refused")
    desk.send(order)
    assert submit(desk, order)["attempts"] == 2


def test_an_unknown_outcome_is_shown_as_unknown_until_it_is_found(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordUnknown(order, "timed out"))
    assert (submit(desk, order)["status"], submit(desk, order)["last_error"]) == ("unknown", "timed out")
    desk.answer(order)
    assert submit(desk, order)["status"] == "succeeded"


def test_a_refusal_of_the_broker_ends_the_submit(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.give(cmd.RecordRejection(order, "403", "no", "{}"))
    assert (submit(desk, order)["status"], submit(desk, order)["last_error"]) == ("refused", "403: no")


def test_an_order_that_never_left_is_withdrawn(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.give(cmd.WithdrawOrder(order, "stale"))
    assert (submit(desk, order)["status"], submit(desk, order)["last_error"]) == ("withdrawn", "stale")


def test_a_later_rejection_does_not_undo_a_submit_that_succeeded(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.report(order, "rejected", at=1)
    assert submit(desk, order)["status"] == "succeeded"


def test_a_cancel_goes_from_pending_to_succeeded(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order, "test"))
    assert cancel(desk, order)["status"] == "pending"
    desk.give(cmd.StartCancel(order, "lease-1"))
    assert cancel(desk, order)["status"] == "running"
    desk.give(cmd.RecordCancelAnswer(order, True, ""))
    assert cancel(desk, order)["status"] == "succeeded"


def test_a_cancel_is_dead_when_the_outbox_gives_it_up(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order, "test"))
    for _ in range(CANCEL_ATTEMPTS - 1):
        ask_to_cancel(desk, order, accepted=False)
        assert cancel(desk, order)["status"] == "failed"
    ask_to_cancel(desk, order, accepted=False)
    assert (cancel(desk, order)["status"], cancel(desk, order)["last_error"]) == ("dead", "too late")


def test_a_cancel_is_withdrawn_when_the_order_fills_first(desk: Desk) -> None:
    desk.pin()
    order = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order, "test"))
    desk.fill(order, "10", "50")
    assert cancel(desk, order)["status"] == "withdrawn"


def test_a_cancel_is_done_when_the_broker_cancels_by_itself(desk: Desk) -> None:
    order = desk.live("buy", "10")
    desk.give(cmd.CancelOrder(order, "test"))
    desk.report(order, "canceled", at=1)
    assert cancel(desk, order)["status"] == "succeeded"


def test_an_order_that_is_only_placed_has_no_cancel(desk: Desk) -> None:
    desk.live("buy", "10")
    assert [found["kind"] for found in rows(desk, "outbox")] == ["submit"]


def test_every_attempt_has_a_beginning_an_end_a_duration_and_an_error(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.clock.at += dt.timedelta(seconds=2)
    desk.give(cmd.RecordNotSent(order, "connection refused"))
    desk.send(order)
    assert submit(desk, order)["tries"][1]["ended_at"] is None
    desk.clock.at += dt.timedelta(seconds=1)
    desk.answer(order)
    first, second = submit(desk, order)["tries"]
    assert (first["attempt"], first["duration_ms"], first["error"]) == (1, 2000, "connection refused")
    assert (first["began_at"], first["ended_at"]) == ("2024-01-02T17:00:00.000000Z", "2024-01-02T17:00:02.000000Z")
    assert (second["attempt"], second["duration_ms"], second["outcome"]) == (2, 1000, "succeeded")


def test_an_attempt_whose_process_ended_is_closed_when_the_next_one_begins(desk: Desk) -> None:
    order = desk.place("buy", "10")
    desk.send(order)
    desk.send(order)  # a later process, after look-ups
    first, second = submit(desk, order)["tries"]
    assert (first["outcome"], second["outcome"]) == ("unknown", None)
    assert "process that sent it ended" in first["error"]


def test_dead_work_waits_for_a_person_and_goes_on_when_retried(desk: Desk) -> None:
    order = desk.place("buy", "10")
    for _ in range(SUBMIT_ATTEMPTS):
        desk.send(order)
        desk.give(cmd.RecordNotSent(order, "connection refused"))
    assert (submit(desk, order)["status"], submit(desk, order)["attempts"]) == ("dead", SUBMIT_ATTEMPTS)
    desk.give(cmd.RetryWork(order, "the network is back", desk.clock.now() + dt.timedelta(seconds=30)))
    assert submit(desk, order)["status"] == "pending"
    desk.send(order)
    desk.answer(order)
    assert submit(desk, order)["status"] == "succeeded"


def test_a_kill_is_work_of_its_own_until_it_is_verified(desk: Desk) -> None:
    desk.give(cmd.RequestKill("main", "test"))
    desk.give(cmd.StartKill("main", "lease-1"))
    desk.give(cmd.RecordKillAnswer("main", True, "", 2))
    found = row(desk, "outbox", work_id="kill:main")
    assert (found["kind"], found["status"], found["last_error"]) == ("kill", "failed", "2 orders still work")
    desk.give(cmd.StartKill("main", "lease-1"))
    desk.give(cmd.RecordKillAnswer("main", True, "", 0))
    assert row(desk, "outbox", work_id="kill:main")["status"] == "succeeded"
