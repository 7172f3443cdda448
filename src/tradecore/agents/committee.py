"""A committee: bull, bear, technical and fundamental vote, a risk manager may veto, a judge decides what is disputed.

Nothing that the committee says can lift a limit: it only comes to one judgement, which is validated like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import anyio
import attrs

from tradecore.agents.answers import DecisionAnswer, OpinionAnswer, RiskAnswer
from tradecore.agents.prompting import ACTIONS, prompt
from tradecore.agents.tally import Tally, tally
from tradecore.domain.judgement import Factor, Judgement, Stance, Vote, abstain
from tradecore.domain.model_call import Criticality
from tradecore.domain.values import ZERO
from tradecore.ports.agent import Briefing, Standing
from tradecore.ports.model import Answered, AnswerT, Exhausted, ModelGateway, ModelRequest

_VOTER = f"You are one of several voices. {ACTIONS}Say what you would do, and how sure you are. "
VOTERS = {
    "bull": _VOTER + "Look for what speaks for the symbol, and say buy only if it convinces you.",
    "bear": _VOTER + "Look for what speaks against the symbol, and say buy only if you find too little.",
    "technical": _VOTER + "Judge by prices, volume and indicators alone.",
    "fundamental": _VOTER + "Judge by value, earnings and news alone; abstain when you are shown none of them.",
}
_RISK = (
    "You are the risk manager. The others want to open a position, or add to one. Name the largest share of equity "
    "that this may be, and veto when it must not be done at all."
)
_JUDGE = "You are the judge. The others disagree, or the risk manager objects. Weigh what they say, and decide."


@attrs.frozen
class CommitteeRules:
    """When a judge is asked, when nothing is done, and how many voices it takes. Shares from 0 to 1."""

    max_disagreement: Decimal = Decimal("0.34")
    min_confidence: Decimal = Decimal("0.4")
    quorum: int = 2


class CommitteeAgent:
    """Asks every voice by its role, so that each can have its own chain of models."""

    def __init__(
        self,
        gateway: ModelGateway,
        *,
        name: str = "committee",
        criticality: str = "medium",
        lookback_bars: int = 60,
        rules: CommitteeRules | None = None,
    ) -> None:
        self.name = name
        self.lookback_bars = lookback_bars
        self._gateway = gateway
        self._criticality = Criticality(criticality)
        self._rules = rules or CommitteeRules()

    async def judge(self, briefing: Briefing) -> Judgement:
        """Vote, escalate where the rules say so, and come to one judgement."""
        session = _Session(self._gateway, self.name, briefing, self._criticality)
        votes = await session.vote()
        result = tally(votes)
        if result.voices < self._rules.quorum:
            return session.ended(abstain(f"{result.voices} of {len(votes)} voices had an opinion"))
        escalated, largest = "", None
        if briefing.standing.opens(result.stance):
            risk = await session.risk(result.stance, result.confidence)
            if risk is None:
                return session.ended(abstain("the risk manager had no answer, and nothing is opened without it"))
            largest = risk.max_size_fraction
            if risk.veto:
                escalated = "the risk manager objects"
            if not largest:
                return session.ended(_hold("the risk manager leaves no size", result, escalated))
        if result.disagreement > self._rules.max_disagreement:
            escalated = f"the voices disagree by {result.disagreement}" + (f"; {escalated}" if escalated else "")
        if escalated:
            return session.ended(await self._escalate(session, largest, escalated))
        if result.stance.acts and result.confidence < self._rules.min_confidence:
            return session.ended(_hold(f"average confidence {result.confidence} is too low", result, ""))
        reasoning = "; ".join(f"{vote.role}: {vote.reasoning}" for vote in votes if vote.stance is result.stance)
        return session.ended(
            Judgement(
                result.stance, reasoning[:2000], result.confidence, largest, model=session.model_of(result.stance)
            )
        )

    async def _escalate(self, session: _Session, largest: Decimal | None, why: str) -> Judgement:
        """The judge decides; a size that the risk manager named is the most that it may be."""
        said = await session.verdict()
        if said is None:
            return attrs.evolve(abstain("the judge had no answer"), escalated=why)
        if session.standing.opens(said.value.stance):
            if largest is None:  # the voices did not want to open anything, so nobody has looked at the risk yet
                risk = await session.risk(said.value.stance, None)
                largest = None if risk is None or risk.veto else risk.max_size_fraction
            if not largest:
                return Judgement(Stance.HOLD, "the risk manager does not agree with the judge", escalated=why)
        judged = said.value
        if judged.stance.acts and judged.confidence < self._rules.min_confidence:
            return Judgement(Stance.HOLD, f"the judge's confidence {judged.confidence} is too low", escalated=why)
        return Judgement(
            stance=judged.stance,
            reasoning=judged.reasoning,
            confidence=judged.confidence,
            size_fraction=judged.size_fraction if largest is None else min(judged.size_fraction, largest),
            stop_price=judged.stop_price,
            target_price=judged.target_price,
            horizon_s=None if judged.horizon_minutes is None else judged.horizon_minutes * 60,
            factors=judged.reasons(),
            model=f"{said.call.provider}/{said.call.model}",
            escalated=why,
        )


def _hold(reason: str, result: Tally, escalated: str) -> Judgement:
    return Judgement(Stance.HOLD, reason, result.confidence, escalated=escalated)


class _Session:
    """One sitting: everything that was said, and what it cost."""

    def __init__(self, gateway: ModelGateway, agent: str, briefing: Briefing, criticality: Criticality) -> None:
        self._gateway = gateway
        self._agent = agent
        self._briefing = briefing
        self._criticality = criticality
        self._votes: list[Vote] = []
        self._factors: list[Factor] = []
        self._cost = ZERO

    @property
    def standing(self) -> Standing:
        """What the agent holds."""
        return self._briefing.standing

    async def vote(self) -> Sequence[Vote]:
        """All voices at once; who does not answer has no opinion."""
        found: dict[str, Vote] = {}

        async def one(role: str, task: str) -> None:
            answer = await self._ask(role, task, OpinionAnswer, self._criticality)
            if answer is None:
                found[role] = Vote(role, Stance.ABSTAIN, None, ZERO, "no model answered")
                return
            said = answer.value
            weight = said.confidence if said.stance is not Stance.ABSTAIN else ZERO
            self._factors.extend(said.reasons())
            found[role] = Vote(
                role, said.stance, said.confidence, weight, said.reasoning, _model(answer), answer.call.question_id
            )

        async with anyio.create_task_group() as group:
            for role, task in VOTERS.items():
                group.start_soon(one, role, task)
        self._votes = [found[role] for role in VOTERS]
        return tuple(self._votes)

    async def risk(self, wanted: Stance, confidence: Decimal | None) -> RiskAnswer | None:
        """What the risk manager says to opening a position; None where there is no answer."""
        answer = await self._ask("risk_manager", _RISK, RiskAnswer, Criticality.HIGH, self._said())
        if answer is None:
            return None
        stance = Stance.HOLD if answer.value.veto else wanted
        said = answer.value
        self._votes.append(
            Vote(
                "risk_manager",
                stance,
                confidence,
                ZERO,
                said.reasoning,
                _model(answer),
                answer.call.question_id,
                said.veto,
            )
        )
        return said

    async def verdict(self) -> Answered[DecisionAnswer] | None:
        """What the judge says, having heard the others; None where there is no answer."""
        answer = await self._ask("judge", _JUDGE, DecisionAnswer, Criticality.HIGH, self._said())
        if answer is None:
            return None
        said = answer.value
        weight = said.confidence if said.stance is not Stance.ABSTAIN else ZERO
        self._votes.append(
            Vote("judge", said.stance, said.confidence, weight, said.reasoning, _model(answer), answer.call.question_id)
        )
        return answer

    def ended(self, judgement: Judgement) -> Judgement:
        """The judgement with all votes and the cost of all of them."""
        factors = judgement.factors or tuple(self._factors[:20])
        return attrs.evolve(judgement, votes=tuple(self._votes), cost=self._cost, factors=factors)

    def model_of(self, stance: Stance) -> str | None:
        """The model whose voice for a stance was the surest."""
        mine = [vote for vote in self._votes if vote.stance is stance]
        return max(mine, key=lambda vote: vote.weight).model if mine else None

    def _said(self) -> str:
        return "\n".join(f"{one.role}: {one.stance} ({one.confidence}): {one.reasoning}" for one in self._votes)

    async def _ask(
        self, role: str, task: str, form: type[AnswerT], criticality: Criticality, said: str = ""
    ) -> Answered[AnswerT] | None:
        """One question. A voice that abstains has answered too: its form says so."""
        answer = await self._gateway.ask(
            ModelRequest(
                role=role,
                criticality=criticality,
                purpose=f"{role} on {self._briefing.symbol}",
                messages=prompt(self._briefing, task, said),
                answer=form,
                run=self._briefing.run,
                cause=self._briefing.cause,
                agent=self._agent,
                decision_id=self._briefing.decision_id,
                deadline=self._briefing.deadline,
                temperature=ZERO,
            )
        )
        if isinstance(answer, Exhausted):
            self._cost += answer.cost
            return None
        self._cost += answer.call.cost
        return Answered(answer.value, answer.call)


def _model(answer: Answered[AnswerT]) -> str:
    return f"{answer.call.provider}/{answer.call.model}"
