"""The stop that needs no database: a file whose presence keeps everything but closing orders from being sent."""

from __future__ import annotations

import os
from pathlib import Path

from tradecore.journal.url import ledger_path


class HaltFile:
    """Looked at before every send. What cannot be looked at counts as present."""

    def __init__(self, path: Path | None) -> None:
        """None for a ledger that has no place for such a file, and settings that name none."""
        self.path = path

    def __call__(self) -> str | None:
        """Why nothing is to be sent, or None."""
        if self.path is None:
            return None
        try:
            os.lstat(self.path)
        except FileNotFoundError:
            if os.path.isdir(self.path.parent):  # noqa: PTH112
                return None
            return f"the halt file cannot be looked at: there is no {self.path.parent}"
        except OSError as error:
            return f"the halt file cannot be looked at: {error}"
        return f"the file {self.path} is there"


def find_halt_file(ledger: str, named: str) -> HaltFile:
    """The file that the settings name, else the ledger's own with `.halt` behind its name."""
    if named:
        return HaltFile(Path(named))
    path = ledger_path(ledger)
    return HaltFile(None if path is None else path.with_name(f"{path.name}.halt"))
