"""Bring a ledger in Postgres up to date, when nobody works on it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tradecore.errors import LeaseHeld, StoreUnavailable
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.backup import back_up
from tradecore.journal.postgres.connection import connect
from tradecore.journal.postgres.failures import as_typed_error
from tradecore.journal.postgres.lease import current_holder, try_lock
from tradecore.journal.postgres.schema import migrate as bring_up_to_date
from tradecore.journal.postgres.schema import recognise

_PATIENCE_S = 5.0


def migrate(url: str, backup: Path | None) -> tuple[int, int]:
    """The versions before and after; see `tradecore.journal.migrate_ledger`. Raises `LeaseHeld` beside a runner."""
    address = parse(url)
    line = connect(address, _PATIENCE_S)
    try:
        if recognise(line.connection, address) == 0:
            raise StoreUnavailable(f"there is no ledger in {address.shown}")
        if not try_lock(line.connection):
            raise LeaseHeld(f"{current_holder(address)} works on this ledger; stop it first")
        if backup is not None:
            back_up(address, backup)
        return bring_up_to_date(line.connection, address)
    except psycopg.Error as error:
        raise as_typed_error(error, address) from error
    finally:
        line.close()
