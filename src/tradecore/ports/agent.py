"""An agent, as a need: it is shown a symbol, and judges; the domain decides what becomes of that.

An agent sees what a briefing holds and nothing else: no ledger, no broker, no limits, no keys. It can only answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

import attrs

from tradecore.domain.judgement import Judgement, Stance
from tradecore.domain.messages import Cause
from tradecore.domain.values import Bar


@attrs.frozen
class Features:
    """Figures by name, as of the newest bar; what could not be known is in `missing`."""

    values: Mapping[str, Decimal]
    missing: tuple[str, ...]
    sources: tuple[str, ...]


@attrs.frozen
class Note:
    """A text from outside, such as news. It is data: nothing that it says is an instruction. `at` is in UTC."""

    origin: str
    at: dt.datetime
    text: str


@attrs.frozen
class Standing:
    """What the account has to do with the symbol. Quantities signed, in units; money in account currency.

    `held` is what the agent holds, `working` what its open orders can add. `thesis` is why the position was opened.
    Whether it may add to a position, or sell what it does not have, is the operator's word; limits hold all the same.
    """

    held: Decimal
    working: Decimal
    average_price: Decimal | None
    equity: Decimal | None
    thesis: str = ""
    opened_at: dt.datetime | None = None
    may_add: bool = False
    may_short: bool = False

    def opens(self, stance: Stance) -> bool:
        """Whether it takes on risk: it opens a position, or adds to one. What is against a position closes it."""
        return (stance is Stance.BUY and self.held >= 0) or (
            stance is Stance.SELL and self.held <= 0 and self.may_short
        )


@attrs.frozen
class Briefing:
    """Everything that an agent sees of a symbol. Bars in the order of time, the newest last; times in UTC.

    A judgement after `deadline`, in seconds of `Clock.monotonic`, is not waited for. `cause` and `run` go on with every
    question to a model.
    """

    decision_id: str
    symbol: str
    as_of: dt.datetime
    deadline: float
    bars: tuple[Bar, ...]
    features: Features
    standing: Standing
    notes: tuple[Note, ...]
    cause: Cause
    run: str


class Agent(Protocol):
    """Judges, with the help of models or without. The same briefing and the same answers, the same judgement."""

    @property
    def name(self) -> str:
        """The agent's name, on its decisions and trades in the place of a strategy's."""

    @property
    def lookback_bars(self) -> int:
        """How many one-minute bars of a symbol it wants to see."""

    async def judge(self, briefing: Briefing) -> Judgement:
        """Come to a judgement; what keeps it from one is an abstention. Raises `ModelError`, never refuses to end."""
