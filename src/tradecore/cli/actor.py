"""Who gives a command at a terminal."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """The user, as events name him."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user need not have a name
        return f"cli:{os.getuid()}"
