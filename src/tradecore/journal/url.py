"""Where a ledger is: `memory:` or `sqlite:///path.db`."""

from __future__ import annotations

from pathlib import Path

from tradecore.errors import ConfigurationError, InputError

_EXPECTED = "memory: or sqlite:///path.db"


def ledger_path(url: str) -> Path | None:
    """The file behind a ledger's URL, absolute and without symbolic links; None for a ledger in memory.

    Three slashes begin a relative path, four an absolute one. Raises `InputError`, and `ConfigurationError` for
    Postgres.
    """
    if url == "memory:":
        return None
    if not isinstance(url, str):
        raise InputError("ledger", url, _EXPECTED)
    if url.startswith(("postgresql:", "postgresql+", "postgres:")):
        raise ConfigurationError(f"Postgres comes with a later version of tradecore; until then: {_EXPECTED}")
    scheme, found, path = url.partition(":///")
    is_path = bool(path) and not path.endswith("/") and path != ":memory:" and not any(c in path for c in "?#\0")
    if scheme != "sqlite" or not found or not is_path:
        raise InputError("ledger", url, _EXPECTED)
    try:
        # One file, one name: locks beside the file would not meet under two spellings of it.
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        raise InputError("ledger", url, _EXPECTED) from None
