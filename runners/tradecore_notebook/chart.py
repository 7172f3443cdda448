"""A line over the log as SVG in the page: no scripts, no fonts, nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tradecore_notebook.markup import text

_WIDTH, _HEIGHT, _MARGIN = 640, 160, 8
_MOST = 2000
"""Points that are drawn; of more, every so many-th and the last."""


def line(title: str, values: Sequence[Decimal], first: str, last: str) -> str:
    """One line through the values, evenly spaced; `first` and `last` name its ends. Empty without two values."""
    if len(values) < 2:
        return ""
    step = -(-len(values) // _MOST)
    drawn = [*values[:-1:step], values[-1]]
    low, high = min(values), max(values)
    span = high - low or Decimal(1)
    across = (_WIDTH - 2 * _MARGIN) / (len(drawn) - 1)
    heights = (float((value - low) / span) * (_HEIGHT - 2 * _MARGIN) for value in drawn)
    points = " ".join(
        f"{_MARGIN + index * across:.1f},{_HEIGHT - _MARGIN - height:.1f}" for index, height in enumerate(heights)
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f"<title>{text(title)}</title>"
        f'<polyline points="{points}" fill="none" stroke="#1f5fbf" stroke-width="1.5"/></svg>'
        f"<p><small>{text(title)}: {text(low)} to {text(high)}, {text(first)} to {text(last)}</small></p>"
    )
