"""Verb `proof`: prove to somebody else that an event belongs to an anchored history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tradecore.cli.anchor_files import anchor_file
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_note, write_bytes
from tradecore.domain.values import parse_number
from tradecore.errors import ConfigurationError, InputError, StoreUnavailable

_Number = Annotated[str, Parameter(allow_leading_hyphen=True)]


def proof(
    position: _Number,
    /,
    *,
    to: Annotated[str | None, Parameter(show_default=False)] = None,
    anchors: Annotated[str | None, Parameter(show_default=False)] = None,
    options: Options = DEFAULTS,
) -> int:
    """Write a proof, in JSON, that the event at a position belongs to the history that was anchored behind it.

    Parameters
    ----------
    position
        of the event, as `tradecore events` shows it
    to
        file to write (default: stdout)
    anchors
        file of anchors (default: the ledger's name and .anchors)
    """
    import msgspec

    from tradecore.audit.anchor_file import AnchorFile
    from tradecore.audit.proof import prove

    number = parse_number("position", position)
    if number != number.to_integral_value() or number < 1:
        raise InputError("position", position, "a whole number from 1")
    file = anchor_file(options, anchors)
    if file is None:
        raise ConfigurationError("anchors: there are none beside this ledger: make one with `tradecore anchor`")
    with open_existing(options) as journal:
        made = prove(journal, int(number), AnchorFile(file).read()[0])
    written = msgspec.json.format(msgspec.json.encode(made), indent=2)
    if to is None:
        write_bytes(written)
        return 0
    try:
        Path(to).write_bytes(written + b"\n")
    except OSError as error:
        raise StoreUnavailable(f"{to} cannot be written: {error.strerror}") from error
    show_note(f"proof of position {number} to the anchor at position {made['anchor']['position']} in {to}")
    return 0
