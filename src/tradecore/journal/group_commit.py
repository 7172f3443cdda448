"""Group commit: appends that many callers make at once share one transaction, and so one wait for the disk.

Whoever comes while nobody commits leads: it takes everything that waits, appends it in one transaction, and tells each
caller what became of its own. Who comes meanwhile waits, and the first of them leads next. A caller that is alone pays
nothing for this.

Appends in one transaction have no stream and no event id in common, so none depends on what becomes of another: a clash
is told to its caller alone. A commit that fails, or whose outcome is not known, is told to all that were in it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue

from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.errors import StoreUnavailable, WrongVersion
from tradecore.journal.batch import NOTHING, Batch, placed
from tradecore.journal.chain import Link
from tradecore.journal.contract import Groupable
from tradecore.journal.members import InTask, InThread, Member, Outcome, settle
from tradecore.journal.side_store import SideStore
from tradecore.journal.stats import StoreStats
from tradecore.journal.view_store import ViewStore

_MOST_EVENTS = 1000
_MOST_BYTES = 1_000_000
_CLASH = "a stream of the append is not at the version before, or an event id is in the ledger already"


class GroupCommit:
    """A `Journal` whose appends are grouped; everything else is the journal's own, and closing it closes that one."""

    def __init__(self, journal: Groupable) -> None:
        self._journal = journal
        self._pid = os.getpid()
        self._mutex = threading.Lock()
        self._waiting: deque[Member] = deque()
        self._is_led = False
        self._idle = threading.Event()
        self._idle.set()
        self._is_closed = False
        self._calls: SimpleQueue[bool] = SimpleQueue()
        self._worker: threading.Thread | None = None

    def append(
        self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING
    ) -> tuple[Recorded[Event], ...]:
        """Append in one transaction, perhaps with what other threads append. Raises as `Journal.append`."""
        batch = self._prepare(events, while_at)
        if not batch.states:
            return ()
        member = InThread(batch)
        try:
            if not self._join(member):
                member.wait()
            if not member.is_settled:
                self._lead()
        except BaseException:
            self._leave(member)
            raise
        return placed(events, member.first())

    async def append_soon(self, events: Sequence[Recorded[Event]]) -> tuple[Recorded[Event], ...]:
        """The same from a task: the event loop goes on meanwhile. Raises as `Journal.append`.

        A task that is canceled while it waits may have appended or not, as with any call whose answer nobody hears.
        """
        batch = self._prepare(events)
        if not batch.states:
            return ()
        member = InTask(batch, asyncio.get_running_loop(), self._calls)
        if self._join(member):
            member.lead()
        return placed(events, await member.future)

    def _prepare(self, events: Sequence[Recorded[Event]], while_at: Mapping[str, int] = NOTHING) -> Batch:
        if self._pid != os.getpid():  # before any lock, which a thread of the parent may hold
            raise StoreUnavailable(f"{self.url} was opened before this process was forked: open it again here")
        return self._journal.prepare(events, while_at)

    def _join(self, member: Member) -> bool:
        """Put a member into the queue; whether it is the one that leads. Raises `StoreUnavailable`."""
        with self._mutex:
            if self._is_closed:
                raise StoreUnavailable("the journal is closed")
            if isinstance(member, InTask) and self._worker is None:
                self._worker = threading.Thread(target=self._work, name="tradecore-group-commit", daemon=True)
                self._worker.start()
            self._waiting.append(member)
            member.is_called, self._is_led = not self._is_led, True
            self._idle.clear()
        return member.is_called

    def _leave(self, member: Member) -> None:
        """For a caller that was interrupted: what nobody has taken yet is not appended, and another leads."""
        with self._mutex:
            if member in self._waiting:
                self._waiting.remove(member)
                if member.is_called:
                    self._hand_on()

    def _work(self) -> None:
        while self._calls.get():
            self._lead()

    def _lead(self) -> None:
        """Commit what waits. Raises only what interrupts this thread; everything else is told to its callers."""
        group: list[Member] = []
        outcomes: list[Outcome] = []
        try:
            with self._mutex:
                group = self._gather()
            outcomes = self._append(group)
        except Exception as error:  # noqa: BLE001 - each of its callers raises it
            outcomes = [error] * len(group)
        except BaseException as error:
            lost = StoreUnavailable(f"an append was interrupted, and may or may not have been done: {error!r}")
            outcomes = [lost] * len(group)
            raise
        finally:
            with self._mutex:
                self._hand_on()
            settle(group, outcomes)

    def _append(self, group: Sequence[Member]) -> list[Outcome]:
        if len(group) == 1:
            return [self._journal.append_batch(group[0].batch)]
        firsts = self._journal.append_each([member.batch for member in group]) if group else []
        return [WrongVersion(_CLASH) if first is None else first for first in firsts]

    def _gather(self) -> list[Member]:
        """Take from the queue what can be in one transaction, in order; the rest stays, in order."""
        group: list[Member] = []
        kept: list[Member] = []
        streams: set[str] = set()
        event_ids: set[str | None] = set()
        events = size = 0
        while self._waiting:
            member = self._waiting.popleft()
            batch = member.batch
            if member.is_canceled:
                continue
            if group and (events + len(batch.states) > _MOST_EVENTS or size + batch.size > _MOST_BYTES):
                kept.append(member)
                break
            if batch.while_at and not group:  # it depends on others, so it goes alone
                return [member]
            if not batch.while_at and streams.isdisjoint(batch.firsts) and event_ids.isdisjoint(batch.event_ids):
                group.append(member)
                streams.update(batch.firsts)
                event_ids.update(batch.event_ids)
                events += len(batch.states)
                size += batch.size
            else:
                kept.append(member)
        self._waiting.extendleft(reversed(kept))
        return group

    def _hand_on(self) -> None:
        """Let the first that waits lead; the lock is held."""
        if self._waiting:
            self._waiting[0].lead()
        else:
            self._is_led = False
            self._idle.set()

    def close(self) -> None:
        """Refuse new appends, finish those that wait, and close the journal; harmless when repeated."""
        if self._pid != os.getpid():
            return
        with self._mutex:
            self._is_closed = True
            worker, self._worker = self._worker, None
        self._idle.wait()
        if worker is not None:
            self._calls.put(False)
            worker.join()
        self._journal.close()

    @property
    def url(self) -> str:
        """Where the ledger is."""
        return self._journal.url

    def load(self, stream: str, after: int = 0, limit: int | None = None) -> tuple[Recorded[Event], ...]:
        """The events of a stream behind version `after`."""
        return self._journal.load(stream, after, limit)

    def read(self, after: int, limit: int = 1000) -> tuple[Recorded[Event], ...]:
        """At most `limit` events behind position `after`."""
        return self._journal.read(after, limit)

    def fresh(self, after: int) -> tuple[Recorded[Event], ...]:
        """What was appended past the groups; what went through them is read."""
        return self._journal.fresh(after)

    def head(self) -> int:
        """The last position."""
        return self._journal.head()

    def links(self, after: int, limit: int) -> tuple[Link, ...]:
        """At most `limit` stored rows behind position `after`."""
        return self._journal.links(after, limit)

    def head_link(self) -> tuple[int, bytes]:
        """The last position and its link."""
        return self._journal.head_link()

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the head is behind `after`."""
        return await self._journal.wait(after, timeout_s)

    @property
    def views(self) -> ViewStore:
        """The read models."""
        return self._journal.views

    @property
    def texts(self) -> SideStore:
        """Free text that can be erased."""
        return self._journal.texts

    def backup(self, target: Path) -> int:
        """Copy the ledger as it is now. Raises `InputError`, `CorruptLedger`, `StoreUnavailable`."""
        return self._journal.backup(target)

    def stats(self) -> StoreStats:
        """Counts and sizes."""
        return self._journal.stats()

    def check(self) -> None:
        """Go through the whole ledger. Raises `CorruptLedger`."""
        self._journal.check()
