"""The tables of a ledger, as numbered steps. A step that was released is never changed: a new one follows it."""

from __future__ import annotations

from tradecore.journal.postgres.append_function import (
    APPEND_AT_FUNCTION,
    APPEND_EACH_FUNCTION,
    APPEND_FUNCTION,
    APPEND_WHILE_FUNCTION,
)
from tradecore.journal.postgres.view_functions import ADOPT_FUNCTION, REPLACE_FUNCTION, SWEEP_FUNCTION, WRITE_FUNCTION

# Names are compared byte by byte: no rules of a language, whose changes between systems would break indexes.
_EVENTS = """
CREATE TABLE events (
    position bigint PRIMARY KEY,
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    event_id text COLLATE "C" UNIQUE,
    chain bytea NOT NULL,
    UNIQUE (originator_id, originator_version)
)
"""
_VIEWS = """
CREATE TABLE tradecore_views (
    view text COLLATE "C" PRIMARY KEY, shape text COLLATE "C" NOT NULL, position bigint NOT NULL, slot bigint NOT NULL
)
"""
# Keys are UTF-8 as bytes: in the order of characters, and any character may be in them.
_VIEW_ROWS = """
CREATE TABLE tradecore_view_rows (slot bigint, key bytea, value bytea NOT NULL, PRIMARY KEY (slot, key))
"""
_META = 'CREATE TABLE tradecore_meta (key text COLLATE "C" PRIMARY KEY, value text NOT NULL)'
_LEASE = """
CREATE TABLE tradecore_lease (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL, holder text NOT NULL, pid bigint NOT NULL, host text NOT NULL
)
"""
# What a row loses when it is erased is its content; "" is the subject of nobody.
_TEXTS = """
CREATE TABLE tradecore_texts (
    digest text COLLATE "C", subject text COLLATE "C", media_type text NOT NULL, sealed boolean NOT NULL, content bytea,
    PRIMARY KEY (digest, subject)
)
"""

MIGRATIONS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (
        1,
        (
            _META,
            _EVENTS,
            _LEASE,
            "INSERT INTO tradecore_lease (number, holder, pid, host) VALUES (0, 'nobody', 0, '')",
            APPEND_FUNCTION,
        ),
    ),
    (  # the rows of a view are those of its slot; views are built anew, so nothing is carried over
        2,
        (
            "DROP FUNCTION IF EXISTS tradecore_view_write, tradecore_view_replace, tradecore_view_drop",
            "DROP TABLE IF EXISTS tradecore_views, tradecore_view_rows",
            _VIEWS,
            _VIEW_ROWS,
            "CREATE SEQUENCE tradecore_view_slots",
            WRITE_FUNCTION,
            REPLACE_FUNCTION,
            ADOPT_FUNCTION,
            SWEEP_FUNCTION,
            "DROP FUNCTION tradecore_append",
            APPEND_AT_FUNCTION,
            APPEND_EACH_FUNCTION,
            _TEXTS,
        ),
    ),
    (3, (APPEND_WHILE_FUNCTION,)),
)
"""Version and statements of each step."""

SCHEMA = MIGRATIONS[-1][0]
TEXTS_SINCE = 2
"""The version from which a ledger keeps texts."""


def tables_of(version: int) -> frozenset[str]:
    """The tables that a ledger of this version has, besides the one that tells the version."""
    first = {"events", "tradecore_views", "tradecore_view_rows", "tradecore_lease"}
    return frozenset(first | {"tradecore_texts"} if version >= TEXTS_SINCE else first)
