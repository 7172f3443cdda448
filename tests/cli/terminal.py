"""Runs `tradecore` in this process and keeps what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.ledger.desk import Desk
from tradecore.cli import main
from tradecore.journal import open_journal


@attrs.frozen
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The one JSON list on stdout."""
        decoded = json.loads(self.out)
        assert isinstance(decoded, list)
        return decoded


@attrs.frozen
class Terminal:
    """Commands in, words out."""

    path: Path
    capture: pytest.CaptureFixture[bytes]

    def run(self, *words: str) -> Said:
        code = main(list(words))
        out, err = self.capture.readouterr()
        return Said(code, out.decode(), err.decode())

    def json(self, *words: str) -> list[dict[str, Any]]:
        """The objects of a command that must succeed."""
        said = self.run(*words, "--json")
        assert (said.code, said.err) == (0, "")
        return said.objects

    def trade(self, story: Callable[[Desk], Any]) -> Any:
        """Let a desk trade on the ledger, as a runner would."""
        with closing(open_journal(f"sqlite:///{self.path}")) as journal:
            return story(Desk.over(journal))
