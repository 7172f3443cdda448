"""Somebody with `sqlite3`, the file, the formula of the chain, and time."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from tests.ledger.desk import Desk, StillClock
from tests.views.vandal import trade_for_an_hour
from tradecore.audit.anchor_file import AnchorFile
from tradecore.audit.anchorer import Anchorer
from tradecore.audit.chain_check import check_chain
from tradecore.journal import open_journal
from tradecore.journal.chain import GENESIS, link
from tradecore.ports.anchor import Anchor
from tradecore.verify import verify
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector

LATER = dt.timedelta(hours=1)


@attrs.frozen
class Forger:
    """A ledger in a file, its anchors in another, and every way to lie about the past."""

    path: Path

    @classmethod
    def with_trading(cls, path: Path) -> Forger:
        forger = cls(path)
        with closing(open_journal(forger.url)) as journal:
            trade_for_an_hour(Desk.over(journal))
            Projector(journal, ALL_VIEWS).catch_up()
        return forger

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def file(self) -> AnchorFile:
        return AnchorFile(self.path.with_name("elsewhere.anchors"))

    def anchor(self) -> Anchor:
        with closing(open_journal(self.url)) as journal:
            known = self.file.read()[0] if self.file.path.exists() else ()
            return Anchorer(journal, self.file, StillClock(), known).anchor()

    def trade_on(self, strategy: str = "s", qty: str = "1") -> None:
        """One more order, as a runner would record it."""
        with closing(open_journal(self.url)) as journal:
            desk = Desk.over(journal)
            for _ in range(journal.head()):
                desk.ids.order_id()  # a desk counts from one, and these are taken
            desk.place("buy", qty, "SPY", strategy=strategy)

    def checks(self, *, anchored: bool) -> set[str]:
        """The names of the checks of chain and anchors that found something; a full verification agrees with them."""
        anchors = self.file.read()[0] if anchored else ()
        with closing(open_journal(self.url)) as journal:
            found = check_chain(journal, anchors)
            assert {*found} <= {*verify(journal, anchors).findings}
        return {finding.check for finding in found}

    @contextmanager
    def by_hand(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            yield connection
        self.forget_head()

    def forget_head(self) -> None:
        """What is beside the ledger guards against accidents; whoever lies takes it away."""
        self.path.with_name(self.path.name + ".head").unlink(missing_ok=True)

    def put_in_place(self, file: Path) -> None:
        """Another file under the ledger's name."""
        shutil.copy(file, self.path)
        self.forget_head()

    def run(self, *statements: str) -> None:
        """Change something; every statement must really change something."""
        with self.by_hand() as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, statement

    def copy_of_events(self) -> list[tuple[object, ...]]:
        """Every stored value of every event."""
        with self.by_hand() as connection:
            return connection.execute("SELECT * FROM events ORDER BY position").fetchall()

    def forge_links(self, first: int = 1) -> None:
        """Recompute the chain from a position on, as somebody does who knows the formula."""
        with self.by_hand() as connection:
            found = connection.execute("SELECT chain FROM events WHERE position < ? ORDER BY position DESC", (first,))
            before = (found.fetchone() or (GENESIS,))[0]
            rows = connection.execute(
                "SELECT position, originator_id, originator_version, topic, state FROM events WHERE position >= ? "
                "ORDER BY position",
                (first,),
            ).fetchall()
            for row in rows:
                before = link(before, *row)
                connection.execute("UPDATE events SET chain = ? WHERE position = ?", (before, row[0]))

    def cut(self, after: int) -> None:
        """Remove the end, and the traces that this leaves in the store itself."""
        with self.by_hand() as connection:
            connection.execute("DELETE FROM events WHERE position > ?", (after,))
            connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'", (after,))
            connection.execute("DELETE FROM tradecore_views")
            connection.execute("DELETE FROM tradecore_view_rows")

    def copy(self, name: str) -> Path:
        """A copy of the file as it is."""
        return Path(shutil.copy(self.path, self.path.with_name(name)))

    def head(self) -> int:
        with closing(open_journal(self.url)) as journal:
            return journal.head()
