"""HTML as cells show it: no scripts, no styles of the page, and every text escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

_CELL = "padding:2px 8px;text-align:{align};white-space:nowrap"
_LONGEST = 200


def text(value: object) -> str:
    """A value as text that a page cannot take for markup; very long ones are cut."""
    if value is None:
        return "–"
    shown = str(value)
    return html.escape(shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…")


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: frozenset[str], foot: str
) -> str:
    """A table with a caption. Columns in `right` are aligned to the right."""
    aligned = [_CELL.format(align="right" if column in right else "left") for column in columns]
    head = "".join(
        f'<th style="{style}">{text(column.replace("_", " "))}</th>'
        for column, style in zip(columns, aligned, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{style}">{text(value)}</td>' for value, style in zip(row, aligned, strict=True))
        + "</tr>"
        for row in rows
    )
    below = f"<p><small>{text(foot)}</small></p>" if foot else ""
    caption = f'<caption style="text-align:left"><b>{text(title)}</b></caption>'
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def pairs(title: str, values: Iterable[tuple[str, object]]) -> str:
    """Names and values below each other."""
    body = "".join(
        f'<tr><th style="{_CELL.format(align="left")}">{text(name)}</th>'
        f'<td style="padding:2px 8px;text-align:left">{text(value)}</td></tr>'
        for name, value in values
    )
    return f'<table><caption style="text-align:left"><b>{text(title)}</b></caption><tbody>{body}</tbody></table>'


def warning(message: str) -> str:
    """A line that must be seen."""
    return f'<p style="color:#b00020"><b>{text(message)}</b></p>'
