"""Open a ledger in Postgres, or create one."""

from __future__ import annotations

from tradecore.journal.codec import EventCodec
from tradecore.journal.postgres.address import parse
from tradecore.journal.postgres.connection import connect
from tradecore.journal.postgres.journal import PostgresJournal
from tradecore.journal.postgres.schema import prepare
from tradecore.journal.sealed_codec import codec_found


def open_ledger(url: str, *, create: bool, patience_s: float, codec: EventCodec | None = None) -> PostgresJournal:
    """The journal behind a URL; see `tradecore.journal.open_journal`."""
    codec = codec or codec_found()
    address = parse(url)
    line = connect(address, patience_s)
    try:
        prepare(line.connection, address, create=create)
    except BaseException:
        line.close()
        raise
    return PostgresJournal(address, line, patience_s, codec)
