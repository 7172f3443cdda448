"""The last word of a runner that fails in a way that nobody foresaw: the account is halted before the process ends.

What made it fail may be in what it holds in memory, so it is recorded through a fresh look at the ledger. Where even
that fails, the halt file stands in for it.
"""

from __future__ import annotations

import traceback
from pathlib import Path

import structlog

from tradecore.domain import commands as cmd
from tradecore.domain import streams
from tradecore.domain.events import AlertTriggered
from tradecore.domain.messages import Cause
from tradecore.domain.triggers import FAILED
from tradecore.domain.values import TradingState
from tradecore.errors import BrokerError, ConfigurationError, CorruptLedger, JournalError, TradecoreError
from tradecore.runner.contract import Session
from tradecore.runner.halt_file import find_halt_file
from tradecore.runner.system import SystemIds

_log = structlog.get_logger("tradecore.runner")


_FORESEEN = (BrokerError, ConfigurationError, JournalError)
"""What a runner may end with: its surroundings fail, or it was told nonsense."""


def failure_in(error: BaseException) -> Exception | None:
    """What nobody foresaw among the reasons why a runner ends: a broken promise of ours, or anybody's mistake."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := failure_in(each)) is not None), None)
    if not isinstance(error, Exception) or type(error) is TradecoreError:  # the lease is lost, for one
        return None
    return None if isinstance(error, _FORESEEN) and not isinstance(error, CorruptLedger) else error


def halt_failed(session: Session, failure: Exception) -> None:
    """Halt the account for a failure, on record with where it happened; only a person lets trading go on."""
    evidence = _told(failure)
    _log.error("the runner failed, and trading is halted", failure=evidence)
    try:
        _record(session, evidence)
    except Exception as error:  # noqa: BLE001 - whatever it is, trading must not go on
        _log.error("the halt could not be recorded", error=str(error))
        _leave_file(session)


def _record(session: Session, evidence: str) -> None:
    ledger, account = session.engine.ledger, session.settings.account
    cause = Cause(SystemIds().trace_id(), actor="runner")
    ledger.look_again()
    halt = cmd.ActivateKillSwitch(account, TradingState.HALTED, FAILED, evidence, "runner")
    ledger.handle(halt, cause)
    alert = ledger.note(streams.BROKER, AlertTriggered(FAILED, evidence), cause)
    if FAILED in session.settings.triggers.vigilance(is_replayed=session.venue.replay is not None).critical:
        ledger.handle(cmd.RaiseAlert(account, alert.envelope.position, FAILED, evidence), cause)
    ledger.handle(cmd.WithdrawRisk(account, "trading is halted: the runner failed"), cause)


def _leave_file(session: Session) -> None:
    path = find_halt_file(session.settings.ledger, session.settings.halt_file).path
    if path is None:
        return
    try:
        path.touch()
    except OSError as error:
        _log.error("no halt file could be made either", path=str(path), error=str(error))
    else:
        _log.error("nothing is sent while the halt file is there", path=str(path))


def _told(failure: Exception) -> str:
    """The error and the line that it came from."""
    frames = traceback.extract_tb(failure.__traceback__)
    where = f", {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    said = str(failure)
    return f"{type(failure).__name__}{where}{': ' if said else ''}{said}"
