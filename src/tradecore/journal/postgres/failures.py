"""What an error of Postgres means for a ledger."""

from __future__ import annotations

import psycopg
from eventsourcing.persistence import IntegrityError

from tradecore.errors import CorruptLedger, InputError, NotDurable, StoreUnavailable
from tradecore.journal.postgres.address import Address

OUT_OF_STEP = "TC001"
"""SQLSTATE of our functions: a stream or a view is not where the caller believes it is."""
UNSAFE = "TC002"
"""SQLSTATE of our functions: the server would lose what it acknowledges."""

_CLASHES = {OUT_OF_STEP, "23505"}
_LOST = {"57P01", "57P02", "57P03", "57P05"}
_BROKEN_TABLES = {"XX001", "XX002", "42P01", "42703", "42883", "3F000"}
_BAD_TEXT = {"22021", "22P05"}


class ConnectionLost(Exception):
    """The server is gone, or our session on it; whether a statement under way was done is not known."""


def is_lost(error: psycopg.Error) -> bool:
    """Whether the session is gone, so that nobody knows what became of its last statement."""
    state = error.sqlstate
    return (state is None and isinstance(error, psycopg.OperationalError)) or (
        state is not None and (state in _LOST or state.startswith("08"))
    )


def as_typed_error(error: psycopg.Error, address: Address) -> Exception:
    """The error to raise: ours, or the recorder contract's `IntegrityError` for a clash with what is there."""
    state = error.sqlstate or ""
    text = address.clean(error.diag.message_primary or str(error))
    if state in _CLASHES:
        return IntegrityError(address.clean(error.diag.message_detail or text))
    if state == UNSAFE:
        return NotDurable(f"{address.shown}: {text}")
    if state in _BAD_TEXT:
        return InputError("text", text, "text that Postgres can hold: Unicode without NUL")
    if state in _BROKEN_TABLES:
        return CorruptLedger(f"{address.shown} is damaged or no ledger: {text}")
    if state == "55P03":
        return StoreUnavailable(f"{address.shown} is locked by another process for too long")
    return StoreUnavailable(f"{address.shown}: {text}" + (f" ({state})" if state else ""))
