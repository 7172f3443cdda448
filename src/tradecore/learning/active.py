"""The calibration in force: the newest of the agent with the model, else of the agent alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradecore.domain import streams
from tradecore.domain.calibration import CalibrationKind
from tradecore.domain.events import CalibrationCompleted

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal


def calibrations_of(journal: Journal, agent: str) -> list[CalibrationCompleted]:
    """Every calibration of an agent, the oldest first."""
    found = (recorded.event for recorded in journal.load(streams.calibration(agent)))
    return [event for event in found if isinstance(event, CalibrationCompleted)]


def active_calibration(journal: Journal, agent: str, model: str | None) -> CalibrationCompleted | None:
    """The one that counts for a decision; None where none does. Identity takes an earlier one back."""
    by_scope = {event.model: event for event in calibrations_of(journal, agent)}
    for scope in (model, None):
        event = by_scope.get(scope)
        if event is not None and event.calibration.kind is not CalibrationKind.IDENTITY:
            return event
        if event is not None and scope is not None:
            return event  # the model's confidence is taken as it is, whatever holds for the agent
    return None
