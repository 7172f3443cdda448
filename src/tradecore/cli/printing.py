"""Results on stdout: JSON for programs, tables for people. Errors on stderr, one line each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 4000  # columns; in a pipe nothing needs to be folded


def printable(value: object) -> str:
    """A value as one line without control characters: what brokers and models wrote must not drive a terminal."""
    shown = "" if value is None else str(value)
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)


def show_error(message: str) -> None:
    """One line on stderr."""
    print(f"error: {printable(message)}", file=sys.stderr)  # noqa: T201


def show_note(message: str) -> None:
    """One line on stderr that is no error."""
    print(printable(message), file=sys.stderr)  # noqa: T201


def show_line(text: str) -> None:
    """One line on stdout, at once."""
    print(printable(text), flush=True)  # noqa: T201


def show_json(rows: Sequence[Mapping[str, Any]]) -> None:
    """One JSON list."""
    import msgspec

    written = msgspec.json.encode(rows)
    write_bytes(msgspec.json.format(written, indent=2) if sys.stdout.isatty() else written)


def show_json_line(row: Mapping[str, Any]) -> None:
    """One JSON object in a line, at once."""
    import msgspec

    write_bytes(msgspec.json.encode(row))


def write_bytes(written: bytes) -> None:
    """UTF-8 text and the end of the line, whatever the locale says: JSON is UTF-8."""
    sys.stdout.flush()
    sys.stdout.buffer.write(written + b"\n")
    sys.stdout.buffer.flush()


def show_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], nothing: str) -> None:
    """The named fields of rows as a table, or one block per row where a table is too wide for the terminal.

    `nothing` is said when there are no rows.
    """
    if not rows:
        show_line(nothing)
        return
    from rich.table import Table

    table = Table(*(column.replace("_", " ") for column in columns))
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    screen = console()
    if screen.measure(table, options=screen.options.update(max_width=_WIDE)).maximum <= screen.width:
        screen.print(table)
        return
    for number, row in enumerate(rows):
        if number:
            show_line("")
        show_pairs((column, _cell(row[column])) for column in columns)


def show_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one line each."""
    lines = list(pairs)
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        show_line(f"{name:<{width}}  {printable(value)}")


def console() -> Console:
    """A console on stdout: colour only on a terminal, and not when NO_COLOR is set."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        color_system="auto" if is_terminal and not os.environ.get("NO_COLOR") else None,
        width=None if is_terminal else _WIDE,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _cell(value: object) -> str:
    return str(len(value)) if isinstance(value, list) else printable(value)
