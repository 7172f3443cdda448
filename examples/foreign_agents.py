"""Decisions of TradingAgents- and ai-hedge-fund-style code, recorded, checked and executed in a few lines.

Run it with `python examples/foreign_agents.py`. The two functions below stand where the frameworks would be called:
they return what those return. It uses ledgers in memory and leaves nothing behind.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio

from tradecore.agents.function import FunctionAgent
from tradecore.agents.hedge_fund import from_hedge_fund
from tradecore.agents.tradingagents import RatingTerms, from_tradingagents
from tradecore.domain.judgement import Judgement, abstain
from tradecore.ports.agent import Agent, Briefing
from tradecore.runner.wiring import open_session
from tradecore.settings import load_settings
from tradecore.views import read_rows
from tradecore_daemon.daemon import Daemon

TERMS = {
    "Buy": RatingTerms(Decimal("0.05"), Decimal("0.62")),
    "Overweight": RatingTerms(Decimal("0.02"), Decimal("0.6")),
}


def propagate(ticker: str, date: str) -> tuple[dict[str, Any], str]:
    """Stands for `TradingAgentsGraph(...).propagate`."""
    return {"final_trade_decision": f"{ticker} on {date}: momentum", "market_report": "rising"}, "Buy"


def run_hedge_fund(tickers: list[str]) -> dict[str, Any]:
    """Stands for `run_hedge_fund`."""
    said = {"action": "buy", "quantity": 5, "confidence": 65.0, "reasoning": "below its value"}
    return {"decisions": dict.fromkeys(tickers, said), "analyst_signals": {}}


def rate(briefing: Briefing) -> Judgement:
    """TradingAgents as a function of a briefing."""
    state, rating = propagate(briefing.symbol, f"{briefing.as_of:%Y-%m-%d}")
    return from_tradingagents(state, rating, TERMS)


def manage(briefing: Briefing) -> Judgement:
    """ai-hedge-fund as a function of a briefing."""
    equity = briefing.standing.equity
    if equity is None:
        return abstain("the equity is not known")
    return from_hedge_fund(run_hedge_fund([briefing.symbol]), briefing.symbol, briefing.bars[-1].close, equity)


class Quiet:
    """Shows no progress."""

    def update(self, done: int, total: int | None, message: str) -> None:
        """Say nothing."""


async def play(agent: Agent) -> None:
    """One day with a cycle every two hours; what was decided, and what became of it."""
    settings = load_settings(
        None, {"ledger": "memory:", "market_data": {"days": 1, "symbols": "AAA"}, "cycle": {"every_s": 7200}}
    )
    async with open_session(settings, agent=agent) as session:
        await Daemon().run(session, Quiet())
        session.engine.projector.catch_up()
        for row in read_rows(session.journal, "decisions"):
            print(agent.name, row["stance"], row["quantity"], row["status"], row["reason"])


if __name__ == "__main__":
    anyio.run(play, FunctionAgent("tradingagents", rate))
    anyio.run(play, FunctionAgent("ai-hedge-fund", manage))
