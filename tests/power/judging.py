"""Opens what a power cut left as tradecore opens a ledger, and compares it with what was promised."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Any

import attrs

from tests.power.disk import Image
from tests.power.workload import SHAPE, VIEW, identity
from tradecore.domain.events import AlertTriggered
from tradecore.errors import CorruptLedger, JournalError
from tradecore.journal import Journal, open_journal
from tradecore.testing.journal_samples import recorded


class Verdict(enum.Enum):
    """What became of a ledger."""

    SOUND = "sound"
    LOST = "lost"
    TORN = "torn"
    CORRUPT = "corrupt"
    REFUSED = "refused"


@attrs.define
class Promises:
    """What the process had said when the power was cut."""

    anything: bool = False
    batches: list[list[list[Any]]] = attrs.field(factory=list)
    acknowledged: set[int] = attrs.field(factory=set)
    cursors: set[int] = attrs.field(factory=lambda: {0})
    _goal: int = 0
    _last: str = ""

    def hear(self, mark: str) -> None:
        """Take in what was said."""
        kind, what = json.loads(mark)
        self.anything |= kind == "acknowledged"
        match kind, self._last:
            case "append", _:
                self.batches.append(what)
            case "view", _:
                # Until it is acknowledged, the view may stand where it stood or where it goes.
                self.cursors = {*self.cursors, what}
                self._goal = what
            case "acknowledged", "append":
                self.acknowledged.add(len(self.batches) - 1)
            case "acknowledged", "view":
                self.cursors = {self._goal}
        self._last = kind


def judge(image: Image, promises: Promises, folder: Path) -> tuple[Verdict, str]:
    """The verdict on an image, and why. Uses `folder` to lay it out."""
    for left in folder.iterdir():
        left.unlink()
    for name, content in image.items():
        (folder / name).write_bytes(content)
    return judge_folder(folder, promises)


def judge_folder(folder: Path, promises: Promises) -> tuple[Verdict, str]:
    """The verdict on the ledger in a folder, and why. Goes on writing to it."""
    path = folder / "ledger.db"
    was_there = path.exists()
    try:
        # Before anything was acknowledged, a crash may leave nothing to find.
        journal = open_journal(f"sqlite:///{path}", create=not promises.anything)
    except CorruptLedger as error:
        return Verdict.CORRUPT, str(error)
    except JournalError as error:
        return (Verdict.REFUSED if was_there else Verdict.LOST), str(error)
    try:
        return _compare(journal, promises)
    except CorruptLedger as error:
        return Verdict.CORRUPT, str(error)
    except JournalError as error:
        return Verdict.REFUSED, str(error)
    finally:
        journal.close()


def _compare(journal: Journal, promises: Promises) -> tuple[Verdict, str]:
    journal.check()
    events = journal.read(0, 1_000_000)
    if [item.envelope.position for item in events] != list(range(1, len(events) + 1)):
        return Verdict.CORRUPT, "positions leave a gap"
    verdict = _compare_batches([identity(item) for item in events], promises)
    if verdict is not None:
        return verdict
    cursor = journal.views.cursor(VIEW, SHAPE)
    if cursor not in promises.cursors or cursor > len(events):
        return Verdict.LOST, f"the view stands at {cursor} of {len(events)}, not at any of {sorted(promises.cursors)}"
    rows = {int(key) for key, _ in journal.views.rows(VIEW)}
    if rows != set(range(1, cursor + 1)):
        return Verdict.TORN, f"the view stands at {cursor} with {len(rows)} rows"
    after = journal.append([recorded("after the cut", 1, AlertTriggered("sample", "goes on"))])
    if after[0].envelope.position != len(events) + 1:
        return Verdict.CORRUPT, "a position was given twice or left out"
    return Verdict.SOUND, ""


def _compare_batches(events: list[list[str | int]], promises: Promises) -> tuple[Verdict, str] | None:
    at = 0
    for number, batch in enumerate(promises.batches):
        found = events[at : at + len(batch)]
        if found == batch:
            at += len(batch)
        elif number in promises.acknowledged:
            return Verdict.LOST, f"append {number} was acknowledged; {len(events)} events are there, {at} before it"
        elif found[:1] == batch[:1]:
            return Verdict.TORN, f"append {number} is there in part"
    if at != len(events):
        return Verdict.CORRUPT, f"{len(events) - at} events are there that nobody appended, or not in their order"
    return None
