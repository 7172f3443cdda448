"""A restored ledger has forgotten what it sent: it is not started blindly, and no client order id is used again."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.crash.campaign import run_once
from tests.crash.judge import Judge, environment
from tests.delivery.rig import FAST, Rig, open_rig
from tradecore.domain.events import EpochChanged
from tradecore.domain.limits import Limits
from tradecore.domain.messages import Cause
from tradecore.engine import Engine
from tradecore.engine_terms import Terms
from tradecore.errors import RewoundLedger
from tradecore.inbox import Inbox
from tradecore.journal import Journal, open_journal, restore_ledger
from tradecore.ledger import Ledger
from tradecore.outbox import Outbox
from tradecore.reconcile import compare_orders
from tradecore.rewind import refuse_rewound
from tradecore.runner.system import SystemClock, SystemIds, SystemRng
from tradecore.strategies.none import NoStrategy
from tradecore.verify import verify
from tradecore.views import ALL_VIEWS
from tradecore.views.projector import Projector

MARKET = ("--seed", "7", "--days", "1", "--symbols", "AAA,BBB")


def restored(journal: Journal, folder: Path) -> tuple[Journal, Ledger]:
    """The ledger as the copy in this folder has it."""
    restore_ledger(folder / "copy.db", f"sqlite:///{folder}/back.db")
    back = open_journal(f"sqlite:///{folder}/back.db", create=False)
    return back, Ledger(back, SystemClock(), SystemIds())


def test_forgotten_orders_are_refused_and_foreign_after_a_new_epoch(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        kept = rig.place()
        await rig.until_status(kept, "pending_new", "accepted", "new")
        assert await refuse_rewound(rig.ledger, rig.broker) == ()
        rig.ledger.journal.backup(tmp_path / "copy.db")
        forgotten = [rig.place(symbol="BBB"), rig.place(symbol="BBB")]
        for order_id in forgotten:
            await rig.until_status(order_id, "pending_new", "accepted", "new")
        back, ledger = restored(rig.ledger.journal, tmp_path)
        with closing(back):
            head = back.head()
            with pytest.raises(RewoundLedger, match=r"2 orders.*new-epoch") as refused:
                await refuse_rewound(ledger, rig.broker)
            assert refused.value.count == 2
            assert back.head() == head
            old = ledger.epoch
            assert ledger.begin_epoch("restored", Cause(rig.ids.trace_id(), actor="test")) == ledger.epoch != old
            assert await refuse_rewound(ledger, rig.broker) == ()
            client_ids = {item: rig.order(item).client_order_id for item in (kept, *forgotten)}
            known = ledger.order_under(client_ids[kept])
            assert known is not None
            assert known.order_id == kept
            assert [ledger.order_under(client_ids[item]) for item in forgotten] == [None, None]
            assert await compare_orders(ledger, rig.broker, (kept,)) == ()
            assert verify(back).ok
        with closing(open_journal(back.url)) as again:
            assert Ledger(again, SystemClock(), SystemIds()).epoch == ledger.epoch

    anyio.run(_with_rig, story, tmp_path)


def test_an_order_that_was_queued_in_the_copy_and_sent_after_it_is_ours_again(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        order_id = rig.place(not_after=rig.clock.now())  # recorded; delivered when this function waits
        rig.ledger.journal.backup(tmp_path / "copy.db")
        await rig.until_status(order_id, "canceled")
        body = {"symbol": "AAA", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
        client_id = rig.order(order_id).client_order_id
        (await rig.http.post("/v2/orders", json=body | {"client_order_id": client_id})).raise_for_status()
        back, ledger = restored(rig.ledger.journal, tmp_path)
        with closing(back):
            engine = engine_on(ledger, rig)
            await engine.begin("after the restore")
            order = ledger.order(order_id)
            assert order is not None
            assert order.status in ("pending_new", "accepted", "new")
            assert (order.submits, engine.outbox.open_items) == (0, 0)
            await rig.advance()
            await engine.collect()
            after = ledger.order(order_id)
            assert after is not None
            assert after.status == "filled"
            assert verify(back).ok

    anyio.run(_with_rig, story, tmp_path)


def engine_on(ledger: Ledger, rig: Rig) -> Engine:
    """An engine that would deliver for this ledger to the exchange of the rig."""
    outbox = Outbox(ledger, rig.broker, rig.clock, rig.ids, SystemRng(), lambda: "lease-2", FAST)
    inbox = Inbox(ledger, rig.broker, rig.ids, "main")
    projector = Projector(ledger.journal, ALL_VIEWS)
    terms = Terms("main", Limits(), 60)
    return Engine(ledger, rig.broker, NoStrategy(), outbox, inbox, projector, rig.clock, rig.ids, terms)


async def _with_rig(story: Any, folder: Path) -> None:
    journal = open_journal(f"sqlite:///{folder}/ledger.db")
    async with open_rig(journal=journal) as rig:
        await story(rig)
    journal.close()


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tradecore.cli", *words],
        cwd=folder,
        env=environment(TRADECORE_LEDGER="sqlite:///ledger.db"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_a_restored_runner_is_refused_until_somebody_says_so_and_then_reuses_no_id(tmp_path: Path) -> None:
    with Judge.start(tmp_path, *MARKET) as judge:
        run_once(tmp_path, judge, "engine.advance.before:120:kill")
        assert command(tmp_path, "backup", "copy.db").returncode == 0
        run_once(tmp_path, judge, "engine.advance.before:120:kill")
        before = {order["client_order_id"] for order in judge.ask("/_ctl/orders")["orders"]}
        for file in tmp_path.glob("ledger.db*"):
            file.unlink()
        assert command(tmp_path, "restore", "copy.db", "--to", "sqlite:///ledger.db").returncode == 0

        head = _head(tmp_path)
        (tmp_path / "runner.log").unlink()
        assert run_once(tmp_path, judge) == 1
        (line,) = [line for line in _log(tmp_path) if line.startswith("error: ")]
        assert "this ledger was rewound" in line
        assert "tradecore new-epoch" in line
        assert _head(tmp_path) == head
        assert {order["client_order_id"] for order in judge.ask("/_ctl/orders")["orders"]} == before

        assert command(tmp_path, "new-epoch", "--reason", "the disk died").returncode == 0
        run_once(tmp_path, judge)
        assert judge.is_done()
        assert not [line for line in _log(tmp_path)[1:] if line.startswith("error: ")]
        seen = judge.ask("/_ctl/orders")
        ids = Counter(order["client_order_id"] for order in seen["orders"])
        assert max(ids.values()) == 1
        assert len(ids) > len(before)
        with closing(open_journal(f"sqlite:///{tmp_path}/ledger.db", create=False)) as journal:
            assert verify(journal).ok
            events = journal.read(0, 1_000_000)
        (changed,) = [item for item in events if isinstance(item.event, EpochChanged)]
        ours = {
            item.event.client_order_id  # type: ignore[attr-defined]
            for item in events
            if item.envelope.name == "trade.order.planned" and item.envelope.position > changed.envelope.position
        }
        assert ours
        assert not ours & before


def _head(folder: Path) -> int:
    with closing(open_journal(f"sqlite:///{folder}/ledger.db", create=False)) as journal:
        return journal.head()


def _log(folder: Path) -> list[str]:
    return (folder / "runner.log").read_text().splitlines()
