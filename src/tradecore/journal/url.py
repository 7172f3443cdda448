"""Where a ledger is: `memory:`, `sqlite:///path.db` or `postgresql://…`."""

from __future__ import annotations

from pathlib import Path

from tradecore.errors import InputError, MissingExtra

_EXPECTED = "memory: or sqlite:///path.db or postgresql://user@host/database"
_POSTGRES = ("postgresql://", "postgres://")


def is_postgres(url: object) -> bool:
    """Whether a URL names a Postgres database. Raises `MissingExtra` when it does and there is no driver for it."""
    if not (isinstance(url, str) and url.startswith(_POSTGRES)):
        return False
    try:
        import psycopg  # noqa: F401
    except ImportError as error:  # also when the driver is there and the library under it is not
        raise MissingExtra("a ledger in Postgres", "postgres") from error
    return True


def ledger_path(url: str) -> Path | None:
    """The file behind a ledger's URL, absolute and without symbolic links; None for a ledger in memory.

    Three slashes begin a relative path, four an absolute one. Raises `InputError`, also for a database.
    """
    if url == "memory:":
        return None
    if not isinstance(url, str):
        raise InputError("ledger", url, _EXPECTED)
    if url.startswith(("postgresql", "postgres:")):
        # What follows may hold a password.
        raise InputError("ledger", f"{url.partition(':')[0]}:…", _EXPECTED)
    scheme, found, path = url.partition(":///")
    is_path = bool(path) and not path.endswith("/") and path != ":memory:" and not any(c in path for c in "?#\0")
    if scheme != "sqlite" or not found or not is_path:
        raise InputError("ledger", url, _EXPECTED)
    try:
        # One file, one name: locks beside the file would not meet under two spellings of it.
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        raise InputError("ledger", url, _EXPECTED) from None
