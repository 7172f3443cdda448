"""Events that are taken without reading them back do come back as they are; all others are read back."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any, cast

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.events import EVENTS, AlertTriggered, ClosedLot, Event, PositionClosed
from tradecore.domain.values import Side
from tradecore.errors import InputError
from tradecore.journal.codec import CODEC
from tradecore.journal.exactness import Exactness
from tradecore.testing.journal_samples import recorded, sample

_ZONES = [dt.UTC, None, dt.timezone(dt.timedelta(hours=5)), dt.timezone(dt.timedelta(0), "Zero")]


class _Name(enum.StrEnum):
    OURS = "ours"


class _Text(str):
    __slots__ = ()


_SAME: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(),
    bool: st.booleans(),
    Decimal: st.decimals(),
    dt.datetime: st.datetimes(timezones=st.sampled_from(_ZONES)),
}
_OTHER = st.one_of(*_SAME.values(), st.none(), st.floats(), st.binary(), st.just(_Text("text")), st.just(_Name.OURS))


def _row(event: Event) -> tuple[int, str, int, str, bytes]:
    return 1, "a", 1, event.NAME, CODEC.encode(recorded("a", 1, event))


@given(event_class=st.sampled_from(sorted(EVENTS.values(), key=lambda each: each.NAME)), data=st.data())
def test_what_is_covered_comes_back_to_the_last_digit(event_class: type[Event], data: st.DataObject) -> None:
    event = sample(event_class)
    fields = [item.name for item in msgspec.structs.fields(event_class)]
    changed = data.draw(st.lists(st.sampled_from(fields), max_size=3, unique=True))
    for name in changed:
        same = _SAME.get(type(getattr(event, name)), _OTHER)
        event = msgspec.structs.replace(event, **{name: data.draw(same | _OTHER)})
    if Exactness(event_class).covers(event):
        try:
            row = _row(event)
        except InputError:  # half a character cannot be written at all
            return
        assert repr(CODEC.decode(row).event) == repr(event)


@attrs.frozen
class _Traded:
    """Something of everything that needs no reading back."""

    symbol: str
    side: Side
    quantity: Decimal
    occurred_at: dt.datetime


@pytest.mark.parametrize(
    "field_and_value",
    [
        ("quantity", Decimal("NaN")),
        ("quantity", Decimal("Infinity")),
        ("quantity", 1),
        ("symbol", _Text("SPY")),
        ("symbol", None),
        ("side", "buy"),
        ("occurred_at", dt.datetime(2026, 2, 3, 14, 30)),
        ("occurred_at", dt.datetime(2026, 2, 3, 14, 30, tzinfo=_ZONES[2])),
    ],
)
def test_what_might_come_back_as_something_else_is_not_covered(field_and_value: tuple[str, Any]) -> None:
    name, value = field_and_value
    traded = sample(_Traded)
    exact = Exactness(_Traded)
    assert exact.covers(traded)
    assert not exact.covers(attrs.evolve(traded, **{name: value}))
    assert exact.covers(traded)


_LOT = ClosedLot("fill-1", Decimal(10), Decimal("100.25"))


class _OtherLot(ClosedLot, frozen=True):
    """A lot that would come back as a plain one."""


@pytest.mark.parametrize("lots", [(), (_LOT,), (_LOT, msgspec.structs.replace(_LOT, quantity=Decimal(-3)))])
def test_tuples_of_what_needs_no_reading_back_need_none_either(lots: tuple[ClosedLot, ...]) -> None:
    event = msgspec.structs.replace(sample(PositionClosed), closed_lots=lots)
    assert Exactness(PositionClosed).covers(event)
    assert repr(CODEC.decode(_row(event)).event) == repr(event)


@pytest.mark.parametrize(
    "lots",
    [
        [_LOT],
        (_LOT, None),
        (_OtherLot("fill-1", Decimal(10), Decimal(1)),),
        (msgspec.structs.replace(_LOT, entry_price=Decimal("NaN")),),
        (ClosedLot("fill-1", Decimal(10), cast("Any", 1)),),
    ],
)
def test_tuples_of_anything_else_are_not_covered(lots: Any) -> None:
    exact = Exactness(PositionClosed)
    assert exact.covers(sample(PositionClosed))
    assert not exact.covers(msgspec.structs.replace(sample(PositionClosed), closed_lots=lots))


class _Stranger(AlertTriggered, frozen=True):
    """Has the name of an event, and is another class."""


def test_a_class_that_only_has_the_name_of_an_event_is_not_taken() -> None:
    with pytest.raises(InputError):
        CODEC.encode(recorded("a", 1, _Stranger("kind", "message")))


@pytest.mark.parametrize(("field", "value"), [("event_id", 7), ("recorded_at_ns", "now"), ("actor", None)])
def test_an_envelope_that_would_not_come_back_is_not_taken(field: str, value: Any) -> None:
    good = recorded("a", 1)
    bad = msgspec.structs.replace(good, envelope=msgspec.structs.replace(good.envelope, **{field: value}))
    with pytest.raises(InputError):
        CODEC.encode(bad)
