"""`tradecore kill` from another door of the ledger, against a real exchange over real HTTP."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from tests.delivery.rig import open_rig
from tests.delivery.test_wire_work import resting
from tradecore.cli import main
from tradecore.domain.events import KillSwitchActivated, OrderSubmitted
from tradecore.domain.values import TradingState
from tradecore.journal import open_journal


def test_a_kill_from_the_command_line_cancels_everything_and_nothing_is_sent_behind_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"

    async def story() -> None:
        with closing(open_journal(url)) as journal:
            async with open_rig(journal=journal) as rig:
                working = [await resting(rig) for _ in range(3)]
                kill = partial(main, ["kill", "--reason", "drill", "--ledger", url])
                assert await anyio.to_thread.run_sync(kill) == 0
                late = rig.place(limit="0.05")
                await rig.until(lambda: (state := rig.ledger.kill("main")) is not None and not state.is_open, "a kill")
                for order in working:
                    await rig.until_status(order, "canceled")
                assert {order["status"] for order in (await rig.seen())["orders"]} == {"canceled"}
                assert rig.ledger.order(late) is None, "it was refused"
                assert rig.ledger.account("main").trading_state is TradingState.HALTED
                events = [item.event for item in journal.read(0, 10_000)]
                halt = next(n for n, event in enumerate(events) if isinstance(event, KillSwitchActivated))
                assert not any(isinstance(event, OrderSubmitted) for event in events[halt:])

    anyio.run(story)
