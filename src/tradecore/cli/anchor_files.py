"""Which file holds the anchors of a ledger."""

from __future__ import annotations

from pathlib import Path

from tradecore.cli.options import Options
from tradecore.errors import ConfigurationError


def default_anchor_file(options: Options) -> Path | None:
    """The file beside the ledger, None where a ledger is no file."""
    from tradecore.journal.url import ledger_path

    path = ledger_path(options.url)
    return None if path is None else path.with_name(path.name + ".anchors")


def anchor_file(options: Options, named: str | None) -> Path | None:
    """The anchors to hold a ledger against, None without any. Raises `ConfigurationError` for a missing file."""
    if named is None:
        beside = default_anchor_file(options)
        return beside if beside is not None and beside.exists() else None
    path = Path(named)
    if not path.is_file():
        raise ConfigurationError(f"anchors: there is no file {path}")
    return path
