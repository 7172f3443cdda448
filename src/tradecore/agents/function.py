"""An agent of a plain function: the way in for decisions that other frameworks make."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.to_thread

from tradecore.domain.judgement import Judgement
from tradecore.ports.agent import Briefing


class FunctionAgent:
    """Judges by calling a function, which may block: it runs in a thread, and is abandoned when its time is over."""

    def __init__(self, name: str, decide: Callable[[Briefing], Judgement], *, lookback_bars: int = 60) -> None:
        self.name = name
        self.lookback_bars = lookback_bars
        self._decide = decide

    async def judge(self, briefing: Briefing) -> Judgement:
        """Call the function; what it raises is an abstention."""
        return await anyio.to_thread.run_sync(self._decide, briefing, abandon_on_cancel=True)
