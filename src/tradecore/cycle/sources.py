"""Further sources of a briefing: figures such as P/E or sentiment, and texts such as news. None is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from tradecore.ports.agent import Note


class Sources(Protocol):
    """What is known of a symbol besides its bars, and was known by a moment: nothing from the future."""

    def figures(self, symbol: str, as_of: dt.datetime) -> Mapping[str, Mapping[str, Decimal]]:
        """Figures by the source that knows them, under the names of features."""

    def notes(self, symbol: str, as_of: dt.datetime) -> tuple[Note, ...]:
        """Texts, the newest last."""


class NoSources:
    """Bars are all there is."""

    def figures(self, symbol: str, as_of: dt.datetime) -> Mapping[str, Mapping[str, Decimal]]:  # noqa: ARG002
        """Nothing."""
        return {}

    def notes(self, symbol: str, as_of: dt.datetime) -> tuple[Note, ...]:  # noqa: ARG002
        """Nothing."""
        return ()
