"""Work: what can be asked of a broker, and how often before a person must look."""

from __future__ import annotations

import enum


class Work(enum.StrEnum):
    """A kind of work that is recorded before it is done."""

    SUBMIT = "submit"
    REPLACE = "replace"
    CANCEL = "cancel"
    KILL = "kill"


SUBMIT_ATTEMPTS = 5
"""How often an order is brought on its way, each time certainly in vain, before it is dead."""

CANCEL_ATTEMPTS = 3
"""How often a cancel is sent before it is dead."""
