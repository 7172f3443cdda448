"""Which recorded execution a message means: names, times, counts and the broker's average, each where it decides."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest
from msgspec.structs import replace

from tests.domain.orders import order, taken
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import fill
from tradecore.domain.values import Side
from tradecore.errors import InputError, InvariantViolated

D = Decimal
NOON = dt.datetime(2024, 1, 2, 17, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
RECORD = "20240102093000000::"


def recorded(
    name: str, quantity: str, price: str, *, second: float = 0, source: str = "stream", cumulative: str = "100"
) -> fill.FillState:
    """An execution as it is recorded."""
    happened = ev.FillRecorded(
        fill_id=f"fill-{name}",
        order_id="order-1",
        trade_id="trade-1",
        account="main",
        broker_order_id="b-1",
        execution_id=name,
        symbol="AAA",
        side=Side.BUY,
        quantity=D(quantity),
        price=D(price),
        cumulative_qty=D(cumulative),
        fees=D("0.5"),
        occurred_at=NOON + second * SECOND,
        source=source,
        raw="{}",
    )
    return fill.evolve(None, happened)


def told(
    name: str,
    quantity: str,
    price: str,
    cumulative: str,
    *,
    of: str | None = None,
    second: float = 10,
    source: str = "stream",
    busts: bool = False,
) -> ev.FillRevision:
    """A bust or a correction as a source tells it."""
    return ev.FillRevision(
        busts, name, of, D(quantity), D(price), D(0), D(cumulative), NOON + second * SECOND, source, "{}"
    )


def after(state: fill.FillState, revision: ev.FillRevision) -> fill.FillState:
    """The execution with a revision recorded."""
    happened = fill.bust(state, revision) if revision.busts else fill.correct(state, revision, ())
    return fill.evolve(state, happened)


def execution(name: str, quantity: str, price: str, *, second: float = 0, source: str = "activities") -> cmd.RecordFill:
    """A message that tells an execution."""
    return cmd.RecordFill(
        "fill-x", "order-1", "b-1", name, D(quantity), D(price), D("100"), D(0), NOON + second * SECOND, source, "{}"
    )


# --- the same execution ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "same"),
    [
        (execution("e1", "9", "7", second=99, source="stream"), True),
        (execution("e2", "10", "5", source="stream"), False),
        (execution(f"{RECORD}x", "10", "5", second=2), True),
        (execution(f"{RECORD}x", "10", "5", second=-2), True),
        (execution(f"{RECORD}x", "10", "5", second=2.001), False),
        (execution(f"{RECORD}x", "10", "5.01"), False),
        (execution(f"{RECORD}x", "11", "5"), False),
    ],
)
def test_one_source_goes_by_names_and_two_by_moment_and_numbers(message: cmd.RecordFill, same: bool) -> None:
    assert fill.is_same_execution(recorded("e1", "10", "5"), message) is same


# --- the one that a revision means ----------------------------------------------------------------------------------


def test_a_revision_that_was_taken_already_means_the_execution_that_took_it() -> None:
    first, second = recorded("e1", "10", "5"), recorded("e2", "10", "5", second=1)
    bust = told("b1", "10", "5", "10", busts=True)
    assert fill.choose((first, after(second, bust)), bust, D(10)) == after(second, bust)
    correction = told("c1", "9", "5", "19", of="e2")
    corrected = after(second, correction)
    assert fill.choose((first, corrected), correction, D(19)) == corrected
    assert fill.choose((first, corrected), replace(correction, execution_id=f"{RECORD}c1"), D(19)) == corrected


def test_the_name_decides_whatever_the_numbers_say() -> None:
    first, second = recorded("e1", "10", "5"), recorded(f"{RECORD}e2", "10", "5", source="activities")
    assert fill.choose((first, second), told("c", "3", "9", "77", of="e2"), D(20)) == second
    assert fill.choose((first, second), told("c", "3", "9", "77", of=f"{RECORD}e1"), D(20)) == first
    assert fill.choose((first, second), told("b", "10", "5", "10", of="e2", busts=True), D(20)) == second


def test_the_name_of_a_correction_leads_to_what_it_corrected() -> None:
    first, second = recorded("e1", "10", "5"), recorded("e2", "10", "5")
    corrected = after(second, told("c1", "9", "5", "19", of="e2"))
    assert fill.choose((first, corrected), told("c2", "8", "5", "18", of="c1", second=11), D(19)) == corrected


def test_names_of_one_form_that_differ_mean_another_execution() -> None:
    only = recorded("e1", "10", "5")
    assert fill.choose((only,), told("c", "9", "5", "9", of="e0"), D(10)) is None
    assert fill.choose((only,), told("b", "10", "5", "0", of="e0", busts=True), D(10)) is None


def test_one_name_of_a_form_is_enough_to_compare() -> None:
    both = after(recorded("e1", "10", "5"), told(f"{RECORD}c1", "9", "5", "9", of="e1"))
    assert both.names == ("e1", f"{RECORD}c1")
    assert fill.choose((both,), told("c", "8", "5", "8", of="e0", second=11), D(9)) is None
    assert fill.choose((both,), told("c", "8", "5", "8", of=f"{RECORD}e0", second=11), D(9)) is None


def test_names_of_two_forms_or_sources_cannot_be_compared_and_numbers_decide() -> None:
    only = recorded("e1", "10", "5")
    assert fill.choose((only,), told("c", "9", "5", "9", of=f"{RECORD}a0"), D(10)) == only
    assert fill.choose((only,), told("c", "9", "5", "9", of="e0", source="activities"), D(10)) == only
    assert fill.choose((only,), told("c", "9", "5", "9"), D(10)) == only


def test_a_bust_means_the_first_of_its_quantity_and_price_that_still_counts() -> None:
    first, second, third = recorded("e1", "10", "6"), recorded("e2", "-10", "5"), recorded("e3", "10", "5")
    bust = told("b", "-10", "5", "20", busts=True)
    assert fill.choose((first, second, third), bust, D(30)) == third
    gone = after(third, told("b0", "10", "5", "20", of="e3", busts=True, second=1))
    assert fill.choose((first, second, gone), bust, D(20)) is None


def test_a_correction_means_the_one_that_brings_the_order_to_the_brokers_count() -> None:
    first, second = recorded("e1", "10", "5"), recorded("e2", "4", "5")
    assert fill.choose((first, second), told("c", "7", "5", "11"), D(14)) == first
    assert fill.choose((first, second), told("c", "7", "5", "17"), D(14)) == second
    assert fill.choose((first, second), told("c", "7", "5", "12"), D(14)) is None


def test_what_counts_now_decides_before_what_counted_then() -> None:
    early, late = recorded("e1", "10", "5", second=1), recorded("e2", "4", "5", second=20)
    assert fill.choose((early, late), told("c", "3", "5", "13", second=10), D(14)) == late
    assert fill.choose((early, late), told("c", "9", "5", "9", second=10), D(14)) == early, "told before the second"


def test_a_correction_since_is_what_counted_then_as_well() -> None:
    """Nobody took the later correction back; what it says is all that is known of that execution."""
    first, second = recorded("e1", "10", "5", second=1), recorded("e2", "4", "5", second=2)
    fewer = after(second, told("c1", "3", "6", "13", of="e2", second=12))
    assert fill.choose((first, fewer), told("c", "9", "5", "12", second=10), D(99)) == first


def test_an_execution_of_that_very_moment_counted_then() -> None:
    early, late = recorded("e1", "10", "5", second=10), recorded("e2", "4", "5", second=20)
    assert fill.choose((early, late), told("c", "9", "5", "9", second=10), D(14)) == early
    assert fill.choose((early, late), told("c", "9", "5", "9", second=9), D(14)) is None


def test_an_execution_after_a_correction_is_not_what_was_corrected() -> None:
    """Both would come to the broker's count by what counted then; only the first had happened."""
    early, late = recorded("e1", "10", "5", second=1), recorded("e2", "10", "5", second=20)
    assert fill.choose((early, late), told("c", "9", "5", "9", second=10), D(20)) == early


@pytest.mark.parametrize(("busted_at", "meant"), [(11, "e1"), (10, None), (9, None)])
def test_what_was_taken_back_later_counted_then(busted_at: float, meant: str | None) -> None:
    """10 and 4 counted as the first became 9: 13. The second is busted since."""
    first, second = recorded("e1", "10", "5", second=1), recorded("e2", "4", "5", second=2)
    gone = after(second, told("b", "4", "5", "10", of="e2", busts=True, second=busted_at))
    found = fill.choose((first, gone), told("c", "9", "5", "13", second=10), D(10))
    assert (found and found.recorded.execution_id) == meant


def test_a_correction_waits_where_what_was_taken_back_had_other_numbers_then() -> None:
    first, second = recorded("e1", "10", "5", second=1), recorded("e2", "4", "5", second=2)
    elsewhere = after(second, told("b", "4", "5.5", "10", of="e2", busts=True, second=11))
    assert fill.choose((first, elsewhere), told("c", "9", "5", "13", second=10), D(10)) is None
    before = after(second, told("b", "4", "5.5", "10", of="e2", busts=True, second=10))
    assert fill.choose((first, before), told("c", "9", "5", "9", second=10), D(10)) == first


AVERAGE = cmd.FilledSoFar(D("19"), D("5.4737"))
"""What the broker shows of 10 at 5 and 9 at 6."""


def test_the_average_at_the_broker_tells_alike_executions_apart() -> None:
    first, second = recorded("e1", "10", "5"), recorded("e2", "10", "7")
    correction = told("c", "9", "6", "19", of=f"{RECORD}a")
    assert fill.choose((first, second), correction, D(20)) is None
    assert fill.choose((first, second), correction, D(20), AVERAGE) == second
    assert fill.choose((first, second), correction, D(20), cmd.FilledSoFar(D(19), D("6.5263"))) == first
    assert fill.choose((first, second), correction, D(20), cmd.FilledSoFar(D(20), D("5.4737"))) is None
    assert fill.choose((first, second), correction, D(20), cmd.FilledSoFar(D(19), D("5.48"))) is None


def test_an_average_that_does_not_count_the_correction_yet_tells_nothing() -> None:
    """Of equal executions of which the broker shows the state before: no choice explains it."""
    first, second = recorded("e1", "10", "5"), recorded("e2", "10", "7")
    correction = told("c", "10", "6", "20", of=f"{RECORD}a")
    assert fill.choose((first, second), correction, D(20), cmd.FilledSoFar(D(20), D("6"))) is None
    assert fill.choose((first, second), correction, D(20), cmd.FilledSoFar(D(20), D("5.5"))) == second


# --- told twice -----------------------------------------------------------------------------------------------------


def test_a_correction_told_again_by_another_source_means_the_same_execution() -> None:
    first, second = recorded("e1", "10", "5"), recorded("e2", "10", "5", second=1)
    corrected = after(second, told("c1", "9", "5", "19", of="e2"))
    again = told(f"{RECORD}c9", "9", "5", "77", of=f"{RECORD}a9", source="activities", second=12)
    assert fill.choose((first, corrected), again, D(19)) == corrected
    for other in (
        replace(again, occurred_at=NOON + 12.001 * SECOND),
        replace(again, price=D("5.01")),
        replace(again, source="stream"),
    ):
        assert fill.choose((first, corrected), other, D(19)) is None


@pytest.mark.parametrize(
    ("again", "counts"),
    [
        (told("c2", "9", "5", "9", source="activities", second=10.000001), False),
        (told("c2", "9", "5", "9", source="activities", second=12), False),
        (told("c2", "9", "5", "9", source="activities", second=12.1), True),
        (told("c2", "8", "5", "8", source="activities", second=10.000001), True),
        (told("c2", "9", "5", "9", source="stream", second=10.000001), True),
        (told("c2", "8", "5", "8", source="activities", second=10), False),
        (told("c2", "8", "5", "8", source="stream", second=9), False),
    ],
)
def test_a_later_correction_counts_unless_it_is_the_last_one_told_again(again: ev.FillRevision, counts: bool) -> None:
    """The record rounds its times to the microsecond, the stream does not: the same correction may seem later."""
    corrected = after(recorded("e1", "10", "5"), told("c1", "9", "5", "9", of="e1"))
    assert fill.is_news(corrected, again) is counts


def test_the_first_revision_counts_and_none_after_a_bust() -> None:
    known = recorded("e1", "10", "5", second=60)
    assert fill.is_news(known, told("c", "9", "5", "9"))
    gone = after(known, told("b", "10", "5", "0", busts=True))
    assert not fill.is_news(gone, told("c", "9", "5", "9", second=70))


# --- recording ------------------------------------------------------------------------------------------------------


def test_a_bust_leaves_nothing_of_an_execution_and_a_correction_its_new_numbers() -> None:
    known = recorded("e1", "10", "5")
    corrected = after(known, replace(told("c", "9", "6", "9"), fees=D("0.25")))
    assert (corrected.quantity, corrected.price, corrected.fees, corrected.busted) == (D(9), D(6), D("0.25"), False)
    assert corrected.names == ("e1", "c")
    gone = after(corrected, told("b", "9", "6", "0", busts=True, second=20))
    assert (gone.quantity, gone.price, gone.fees, gone.busted) == (D(0), D(6), D(0), True)
    assert gone.names == ("e1", "c")
    assert len(gone.revisions) == 2


PART = ev.FillPart("trade-1", D(10), (), ())


def test_nothing_is_booked_any_more_of_a_busted_execution() -> None:
    known = recorded("e1", "10", "5")
    corrected = fill.evolve(known, fill.correct(known, told("c", "9", "5", "9"), (PART,)))
    assert corrected.parts == (PART,)
    assert after(corrected, told("b", "9", "5", "0", busts=True, second=20)).parts == ()


def test_a_fill_holds_only_words_of_a_fill() -> None:
    with pytest.raises(InvariantViolated, match="a fill cannot hold"):
        fill.evolve(recorded("e1", "10", "5"), ev.TradeApproved("t"))


def test_an_execution_is_recorded_once() -> None:
    known = order(taken())
    (event,) = fill.record(None, execution("e1", "10", "5"), known)
    assert (event.quantity, event.trade_id, event.side, event.cumulative_qty) == (D(10), "t", Side.BUY, D(100))
    assert fill.record(recorded("e1", "10", "5"), execution("e1", "10", "5"), known) == []


@pytest.mark.parametrize("number", ["0", "-1", "NaN", "Infinity"])
@pytest.mark.parametrize("field", ["quantity", "price"])
def test_an_execution_of_what_is_no_number_above_zero_is_refused(field: str, number: str) -> None:
    wrong: dict[str, Any] = {field: D(number)}
    with pytest.raises(InputError) as refused:
        fill.record(None, attrs.evolve(execution("e1", "10", "5"), **wrong), order(taken()))
    assert refused.value.field == field
    with pytest.raises(InputError) as refused:
        fill.check_revision(replace(told("c", "9", "5", "9"), **wrong))
    assert refused.value.field == field
    fill.check_revision(replace(told("b", "9", "5", "0", busts=True), **wrong))


def test_more_filled_than_counted_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        fill.record(None, attrs.evolve(execution("e1", "10", "5"), cumulative_qty=D("9.99")), order(taken()))
    assert (refused.value.field, refused.value.value) == ("cumulative_qty", D("9.99"))


# --- waiting for nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filled", "value", "shown", "moot"),
    [
        ("10", "50", ("10", "5"), True),
        ("10", "50.001", ("10", "5"), True),
        ("10", "49.999", ("10", "5"), True),
        ("10", "50.0011", ("10", "5"), False),
        ("9", "45", ("10", "5"), False),
    ],
)
def test_busts_of_what_no_book_has_wait_for_nothing(
    filled: str, value: str, shown: tuple[str, str], moot: bool
) -> None:
    so_far = cmd.FilledSoFar(D(shown[0]), D(shown[1]))
    bust = told("b", "3", "5", "10", busts=True)
    assert fill.is_moot(D(filled), D(value), (bust,), so_far) is moot
    assert not fill.is_moot(D(filled), D(value), (bust, told("c", "9", "5", "9")), so_far)
