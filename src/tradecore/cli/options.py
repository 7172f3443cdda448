"""What every verb takes: which ledger, and for whom the output is."""

from __future__ import annotations

import os
from typing import Annotated

import attrs
from cyclopts import Parameter

_DEFAULT_LEDGER = "sqlite:///tradecore.db"


@Parameter(name="*")
@attrs.frozen
class Options:
    """Options of every verb."""

    ledger: Annotated[str | None, Parameter(name="--ledger", show_default=False)] = None
    """sqlite:///path.db (default: TRADECORE_LEDGER, else sqlite:///tradecore.db)"""

    json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False
    """one JSON list on stdout instead of a table"""

    @property
    def url(self) -> str:
        """The ledger's URL: the option, else the environment, else the default."""
        return self.ledger if self.ledger is not None else os.environ.get("TRADECORE_LEDGER", _DEFAULT_LEDGER)


DEFAULTS = Options()
