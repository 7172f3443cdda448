"""A ledger that was restored into a database has forgotten what it sent, like one in a file, and is refused for it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import anyio
import pytest

from tests.delivery.rig import Rig, open_rig
from tradecore.domain.messages import Cause
from tradecore.errors import RewoundLedger
from tradecore.journal import open_journal, restore_ledger
from tradecore.ledger import Ledger
from tradecore.rewind import refuse_rewound
from tradecore.runner.system import SystemClock, SystemIds


def test_orders_forgotten_by_a_copy_of_a_database_are_refused_until_a_new_epoch(url: str, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        kept = rig.place()
        await rig.until_status(kept, "pending_new", "accepted", "new")
        rig.ledger.journal.backup(tmp_path / "copy.db")
        await rig.until_status(rig.place(symbol="BBB"), "pending_new", "accepted", "new")
        restore_ledger(tmp_path / "copy.db", url + "_back")
        with closing(open_journal(url + "_back", create=False)) as back:
            ledger = Ledger(back, SystemClock(), SystemIds())
            with pytest.raises(RewoundLedger, match=r"1 order.*new-epoch"):
                await refuse_rewound(ledger, rig.broker)
            ledger.begin_epoch("restored", Cause(rig.ids.trace_id(), actor="test"))
            assert await refuse_rewound(ledger, rig.broker) == ()
            assert ledger.order_under(rig.order(kept).client_order_id) is not None

    async def run() -> None:
        async with open_rig(journal=journal) as rig:
            await story(rig)

    with closing(open_journal(url)) as journal:
        anyio.run(run)
