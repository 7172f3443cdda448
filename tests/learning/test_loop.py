"""The loop closes: what became of decisions changes what the next ones are worth."""

from __future__ import annotations

from decimal import Decimal

import anyio
import pytest

from tests.learning.history import MODEL, boast, decide, live_through
from tests.ledger.desk import Desk
from tests.ledger.revisions import Told, tell
from tradecore.cycle.rules import CycleRules
from tradecore.cycle.validation import Market, validate
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain.calibration import CalibrationKind
from tradecore.domain.judgement import CycleMode, Stance, Vote
from tradecore.domain.messages import Cause
from tradecore.domain.values import Side
from tradecore.errors import InputError, TooFewOutcomes
from tradecore.learning.active import active_calibration
from tradecore.learning.calibrating import calibrate
from tradecore.learning.cases import cases_of
from tradecore.learning.outcomes import OutcomeResolver
from tradecore.ports.agent import Standing
from tradecore.views import ALL_VIEWS, read_rows
from tradecore.views.projector import Projector

pytest.importorskip("sklearn")
D = Decimal


@pytest.fixture
def desk() -> Desk:
    made = Desk.in_memory()
    made.pin()
    return made


def resolve(desk: Desk, resolver: OutcomeResolver | None = None) -> int:
    Projector(desk.ledger.journal, ALL_VIEWS).catch_up()
    count = anyio.run((resolver or OutcomeResolver(desk.ledger, desk.ids)).resolve)
    Projector(desk.ledger.journal, ALL_VIEWS).catch_up()
    return count


def outcomes(desk: Desk) -> list[ev.OutcomeResolved]:
    events = [one.event for one in desk.ledger.journal.read(0, 100_000)]
    return [event for event in events if isinstance(event, ev.OutcomeResolved)]


def learn(
    desk: Desk, kind: CalibrationKind = CalibrationKind.PLATT, model: str | None = None
) -> ev.CalibrationCompleted:
    return calibrate(desk.ledger, "agent", model, kind, "tester", "a story", Cause(desk.ids.trace_id(), actor="tester"))


def worth(desk: Desk, stated: str, mode: CycleMode = CycleMode.AUTONOMOUS) -> cmd.ValidateDecision:
    """What a decision to buy, so sure, is worth now."""
    made = ev.DecisionConcluded(
        "d", "agent", "SPY", Stance.BUY, D(stated), D("0.01"), None, None, None, "", (), (), MODEL, D(0), ""
    )
    calibration = active_calibration(desk.ledger.journal, "agent", MODEL)
    own = Standing(D(0), D(0), None, D(100_000))
    return validate(made, own, Market(D(100), None), CycleRules(mode=mode), calibration)


def test_an_outcome_is_resolved_once_whoever_asks(desk: Desk) -> None:
    live_through(desk, "0.8", "101")
    first = OutcomeResolver(desk.ledger, desk.ids)
    assert resolve(desk, first) == 1
    assert resolve(desk, first) == 0
    assert resolve(desk) == 0
    live_through(desk, "0.8", "99")
    assert resolve(desk, first) == 1
    assert [event.came_true for event in outcomes(desk)] == [True, False]


def test_a_trade_that_never_held_anything_voids_its_decision(desk: Desk) -> None:
    decision, order_id = decide(desk, "0.8")
    desk.live("sell", "1", "QQQ")
    desk.give(cmd.WithdrawOrder(order_id, "too late"))
    assert resolve(desk) == 1
    voided = [one.event for one in desk.ledger.journal.load(f"outcome-{decision}")]
    assert isinstance(voided[0], ev.OutcomeVoided)
    assert read_rows(desk.ledger.journal, "outcomes") == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_trade_whose_entry_was_taken_back_voids_its_decision(desk: Desk, restarted: bool) -> None:
    """It ended every cycle, and the runner with it, at every start again."""
    decision, order_id = decide(desk, "0.8")
    desk.send(order_id)
    desk.answer(order_id)
    desk.fill(order_id, "10", "100")
    resolver = OutcomeResolver(desk.ledger, desk.ids)
    assert resolve(desk, resolver) == 0
    revised(desk, order_id, "100", busts=True)
    resolver = OutcomeResolver(desk.ledger, desk.ids) if restarted else resolver
    assert resolve(desk, resolver) == 1
    (voided,) = [one.event for one in desk.ledger.journal.load(f"outcome-{decision}")]
    assert isinstance(voided, ev.OutcomeVoided)
    assert resolve(desk, resolver) == 0


def test_an_outcome_holds_what_the_trade_earned_and_how_long_it_took(desk: Desk) -> None:
    decision = live_through(desk, "0.8", "101")
    resolve(desk)
    (before,) = outcomes(desk)
    assert before.realised_pnl == 10
    assert before.holding_s == 3600
    assert (before.return_share, before.slippage) == (D("0.01"), D(0))
    assert [row["realised_pnl"] for row in read_rows(desk.ledger.journal, "outcomes")] == ["10"]
    assert before.decision_id == decision


def test_thin_samples_change_nothing_and_say_what_they_need(desk: Desk) -> None:
    boast(desk, 30)
    resolve(desk)
    with pytest.raises(TooFewOutcomes, match="100 independent outcomes; there are 30"):
        learn(desk)
    assert active_calibration(desk.ledger.journal, "agent", MODEL) is None
    assert worth(desk, "0.9").confidence == D("0.9")


def test_what_was_learned_counts_before_the_floor_and_says_so(desk: Desk) -> None:
    """Said 0.9, right in half of the cases: once calibrated, the gate's floor refuses what it passed before."""
    boast(desk, 160)
    resolve(desk)
    desk.limits(min_confidence=D("0.6"))
    learned = learn(desk)
    assert (learned.version, learned.outcomes, learned.size) == (1, 160, 160)
    assert learned.brier_before is not None
    assert learned.brier_after is not None
    assert learned.brier_after < learned.brier_before
    kept = worth(desk, "0.9")
    assert kept.calibration_id == "agent@1"
    assert kept.confidence is not None
    assert kept.confidence < D("0.6")
    proposal = cmd.Proposal("d", "agent", "SPY", Side.BUY, D(1), D(100), desk.clock.now(), "", kept.confidence)
    order_id = desk.place("buy", "1", strategy="agent", proposal=proposal, reference_price=D(100))
    assert desk.ledger.order(order_id) is None
    assert "risk.limit.breached" in desk.names()


def test_a_low_worth_asks_a_person_where_high_words_would_not(desk: Desk) -> None:
    boast(desk, 160)
    resolve(desk)
    assert worth(desk, "0.9", CycleMode.SEMI_AUTOMATIC).needs_approval is None
    learn(desk)
    assert worth(desk, "0.9", CycleMode.SEMI_AUTOMATIC).needs_approval is not None


def test_identity_takes_back_what_was_learned_and_a_model_has_its_own(desk: Desk) -> None:
    boast(desk, 160)
    resolve(desk)
    learn(desk)
    own = learn(desk, model=MODEL)
    assert worth(desk, "0.9").calibration_id == own.calibration_id == "agent@2"
    learn(desk, CalibrationKind.IDENTITY, model=MODEL)
    assert worth(desk, "0.9").confidence == D("0.9")
    other = active_calibration(desk.ledger.journal, "agent", "local/other")
    assert other is not None
    assert other.calibration_id == "agent@1"


def test_who_decided_nothing_teaches_nothing(desk: Desk) -> None:
    with pytest.raises(InputError, match="agent"):
        learn(desk)


def test_profit_is_shared_among_those_who_wanted_it_to_the_last_digit(desk: Desk) -> None:
    votes = (
        Vote("bull", Stance.BUY, D("0.7"), D("0.7"), "", "local/a"),
        Vote("bear", Stance.HOLD, D("0.9"), D("0.9"), "", "local/b"),
        Vote("technical", Stance.BUY, D("0.8"), D("0.8"), "", "local/c"),
        Vote("risk_manager", Stance.BUY, D("0.5"), D(0), "", "local/d"),
    )
    live_through(desk, "0.75", "100.01", votes=votes)
    resolve(desk)
    (outcome,) = outcomes(desk)
    assert {share.role for share in outcome.shares} == {"bull", "technical"}
    assert sum(share.pnl for share in outcome.shares) == outcome.realised_pnl == D("0.1")
    assert sum(share.weight for share in outcome.shares) == 1


def revised(desk: Desk, order_id: str, price: str, *, busts: bool = False) -> None:
    """The broker takes back the execution of an order, or tells it at another price."""
    recorded = (one.event for one in desk.ledger.journal.read(0, 100_000))
    told = [event for event in recorded if isinstance(event, ev.FillRecorded) and event.order_id == order_id]
    execution = told[-1].execution_id
    quantity = "0" if busts else "10"
    tell(desk, Told(order_id, f"r-{price}", "10", price, quantity, revises=execution, busts=busts, second=5))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_corrected_fill_corrects_the_outcome_and_all_that_is_counted(desk: Desk, restarted: bool) -> None:
    decision = live_through(desk, "0.8", "101")
    resolver = OutcomeResolver(desk.ledger, desk.ids)
    assert resolve(desk, resolver) == 1
    revised(desk, last_order(desk), "97")
    resolver = OutcomeResolver(desk.ledger, desk.ids) if restarted else resolver
    assert resolve(desk, resolver) == 1
    assert resolve(desk, resolver) == 0
    before, after = outcomes(desk)
    assert (before.came_true, before.realised_pnl) == (True, D(10))
    assert (after.came_true, after.realised_pnl, after.return_share) == (False, D(-30), D("-0.03"))
    assert before.decision_id == after.decision_id == decision
    (case,) = cases_of(desk.ledger.journal, "agent", None)
    assert (case.came_true, case.pnl) == (False, D(-30))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_busted_exit_takes_the_outcome_back_until_the_trade_ends_again(desk: Desk, restarted: bool) -> None:
    live_through(desk, "0.8", "101")
    resolver = OutcomeResolver(desk.ledger, desk.ids)
    resolve(desk, resolver)
    revised(desk, last_order(desk), "101", busts=True)
    resolver = OutcomeResolver(desk.ledger, desk.ids) if restarted else resolver
    assert resolve(desk, resolver) == 1
    assert cases_of(desk.ledger.journal, "agent", None) == []
    assert [row["outcome"] for row in read_rows(desk.ledger.journal, "decisions")] == ["void"]
    desk.done("sell", "10", "102", strategy="agent")
    assert resolve(desk, OutcomeResolver(desk.ledger, desk.ids) if restarted else resolver) == 1
    (case,) = cases_of(desk.ledger.journal, "agent", None)
    assert (case.came_true, case.pnl) == (True, D(20))


def test_a_corrected_entry_changes_what_the_return_is_a_share_of(desk: Desk) -> None:
    live_through(desk, "0.8", "101")
    resolve(desk)
    first = next(
        one.event.order_id for one in desk.ledger.journal.read(0, 1000) if isinstance(one.event, ev.OrderPlanned)
    )
    revised(desk, first, "99")
    assert resolve(desk) == 1
    outcome = outcomes(desk)[-1]
    assert outcome.realised_pnl == 20
    assert outcome.return_share == D("0.020202020")
    (row,) = read_rows(desk.ledger.journal, "trades")
    assert row["entry_qty"] == "10"


def test_an_entry_that_is_corrected_while_it_is_held_is_what_the_return_is_a_share_of(desk: Desk) -> None:
    _, entry = decide(desk, "0.8")
    desk.send(entry)
    desk.answer(entry)
    desk.fill(entry, "10", "100")
    told = [one.event for one in desk.ledger.journal.read(0, 1000) if isinstance(one.event, ev.FillRecorded)]
    tell(desk, Told(entry, "r-8", "8", "99", "8", revises=told[-1].execution_id, second=5))
    desk.done("sell", "8", "101", strategy="agent")
    assert resolve(desk) == 1
    (outcome,) = outcomes(desk)
    assert (outcome.realised_pnl, outcome.return_share) == (D(16), D("0.020202020"))
    (row,) = read_rows(desk.ledger.journal, "trades")
    assert row["entry_qty"] == "8"


def last_order(desk: Desk) -> str:
    """The order that was planned last."""
    planned = [one.event for one in desk.ledger.journal.read(0, 100_000) if isinstance(one.event, ev.OrderPlanned)]
    return planned[-1].order_id
