"""Where a ledger is: `memory:`, `sqlite:///path.db` or `postgresql://…`."""

from __future__ import annotations

import re
from pathlib import Path

from tradecore.errors import InputError, MissingExtra

_EXPECTED = "memory: or sqlite:///path.db or postgresql://user@host/database"
_POSTGRES = ("postgresql://", "postgres://")
_PASSWORD_PARAMETER = re.compile(r"((?:^|&)(?:ssl)?password=)[^&]*")


def is_postgres(url: object) -> bool:
    """Whether a URL names a Postgres database. Raises `MissingExtra` when it does and there is no driver for it."""
    if not (isinstance(url, str) and url.startswith(_POSTGRES)):
        return False
    try:
        import psycopg  # noqa: F401
    except ImportError as error:  # also when the driver is there and the library under it is not
        raise MissingExtra("a ledger in Postgres", "postgres") from error
    return True


def shown(url: str) -> str:
    """A ledger's URL as it may be printed: without the password that a database's may hold."""
    if not url.startswith(_POSTGRES):
        return url
    scheme, _, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    user, at, host = place.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{host}{mark}" + _PASSWORD_PARAMETER.sub(r"\1***", query)


def ledger_path(url: str) -> Path | None:
    """The file behind a ledger's URL, absolute and without symbolic links; None for one that is in no file.

    Three slashes begin a relative path, four an absolute one. Raises `InputError`, and `MissingExtra` for a database
    without its driver.
    """
    if url == "memory:" or is_postgres(url):
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
