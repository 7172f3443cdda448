"""Bugs of the store in a file: what is said of a commit that failed."""

from __future__ import annotations

from typing import Any

from tests.simulation.planted.mechanism import Bug, always
from tradecore.journal.sqlite import files
from tradecore.journal.sqlite.datastore import LedgerDatastore
from tradecore.journal.sqlite.head_file import HeadFile


def _one_too_far(right: Any) -> Any:
    return lambda self, head: right(self, (head[0] + 1, head[1]))


def _goes_on(right: Any) -> Any:
    def commit(self: Any, landed: Any) -> None:
        try:
            right(self, landed)
        except Exception:  # noqa: BLE001 - the bug
            self._unfit = None

    return commit


BUGS = (
    Bug("a failed commit is done", "a commit that failed counts as done without a look", LedgerDatastore,
        "_ask_afresh", always(True), files=True),
    Bug("a failed commit is nothing", "errors of a commit are swallowed", LedgerDatastore, "_commit", _goes_on,
        files=True),
    Bug("the end is noted too far", "the file beside the ledger knows of one event more", HeadFile, "write",
        _one_too_far, files=True),
    Bug("another file is found", "the ledger's files are taken for removed", files.LedgerFiles, "are_in_place",
        always(False), files=True),
)  # fmt: skip
