"""An agent of one model: one question, one judgement."""

from __future__ import annotations

from decimal import Decimal

from tradecore.agents.answers import DecisionAnswer
from tradecore.agents.prompting import ACTIONS, prompt
from tradecore.domain.judgement import Judgement, abstain
from tradecore.domain.model_call import Criticality
from tradecore.ports.agent import Briefing
from tradecore.ports.model import Abstained, Exhausted, ModelGateway, ModelRequest

_TASK = (
    f"Decide. {ACTIONS}hold leaves things as they are. size_fraction is the share of equity to open or add with; "
    "stop_price and target_price are on the sides of the price that lose and gain."
)


class SingleModelAgent:
    """Asks the chain of its role, and takes what the first model that answers says."""

    def __init__(
        self,
        gateway: ModelGateway,
        *,
        name: str = "single",
        role: str = "trader",
        criticality: str = "medium",
        lookback_bars: int = 60,
    ) -> None:
        self.name = name
        self.lookback_bars = lookback_bars
        self._gateway = gateway
        self._role = role
        self._criticality = Criticality(criticality)

    async def judge(self, briefing: Briefing) -> Judgement:
        """Ask once. No answer is an abstention, and so is a model that abstains."""
        answer = await self._gateway.ask(
            ModelRequest(
                role=self._role,
                criticality=self._criticality,
                purpose=f"decide on {briefing.symbol}",
                messages=prompt(briefing, _TASK),
                answer=DecisionAnswer,
                run=briefing.run,
                cause=briefing.cause,
                agent=self.name,
                decision_id=briefing.decision_id,
                deadline=briefing.deadline,
                temperature=Decimal(0),
            )
        )
        match answer:
            case Exhausted():
                return abstain(f"no model answered: {answer.reason}", answer.cost)
            case Abstained():
                return abstain(answer.reason, answer.call.cost)
            case _:
                return judgement_of(answer.value, f"{answer.call.provider}/{answer.call.model}", answer.call.cost)


def judgement_of(said: DecisionAnswer, model: str, cost: Decimal) -> Judgement:
    """What a model decided, as a judgement."""
    return Judgement(
        stance=said.stance,
        reasoning=said.reasoning,
        confidence=said.confidence,
        size_fraction=said.size_fraction,
        stop_price=said.stop_price,
        target_price=said.target_price,
        horizon_s=None if said.horizon_minutes is None else said.horizon_minutes * 60,
        factors=said.reasons(),
        model=model,
        cost=cost,
    )
