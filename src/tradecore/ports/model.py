"""Models, as a need: a typed question by role and criticality, and one of three outcomes.

A model that says that nothing should be done (`Abstained`) is not the same as a chain of models that gave no answer
(`Exhausted`): both mean that no order is made, and only the first is anybody's judgement.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar, get_args

import attrs
from pydantic import BaseModel, ConfigDict

from tradecore.domain.messages import Cause
from tradecore.domain.model_call import ChainStep, Criticality


class Answer(BaseModel):
    """Base of what a model may answer: closed, with finite numbers. Money, shares and confidences are `Decimal`.

    Raises `TypeError` for a class with a `float` in it: what a model says is as exact as what it wrote.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if _holds_float(field.annotation):
                raise TypeError(f"{cls.__name__}.{name} holds a float; an answer of a model is exact: use Decimal")

    def abstention(self) -> str | None:
        """Why nothing should be done, where that is what the model says; None where it answers the question."""
        return None


AnswerT = TypeVar("AnswerT", bound=Answer)
AnswerT_co = TypeVar("AnswerT_co", bound=Answer, covariant=True)


class Speaker(enum.StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@attrs.frozen
class Message:
    """One message of a prompt. Text from outside goes into messages of the user, as data."""

    speaker: Speaker
    content: str


@attrs.frozen
class ModelRequest(Generic[AnswerT]):
    """A question. `role` and `criticality` choose the chain of models; `purpose` says in a few words what it is for.

    `run` is what a recording is replayed by: the runner's id, or a name. `cause` brings the trace. `deadline` is the
    end of the decision's time in seconds of `Clock.monotonic`, which no setting of the clock moves; None when only
    the time limits of the settings hold.
    """

    role: str
    criticality: Criticality
    purpose: str
    messages: tuple[Message, ...]
    answer: type[AnswerT]
    run: str
    cause: Cause
    agent: str | None = None
    decision_id: str | None = None
    deadline: float | None = None
    temperature: Decimal | None = None
    seed: int | None = None


@attrs.frozen
class AnsweredCall:
    """Where an answer comes from. `cost` in dollars is of the whole question, with the attempts that failed.

    Tokens and `latency_s` (seconds) are of the call that answered; tokens are None where nobody counted. `attempts` is
    how many requests were sent (0 when `cached`), `event_id` the event that holds the answer.
    """

    question_id: str
    provider: str
    model: str
    attempts: int
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal
    latency_s: Decimal
    cached: bool
    prompt_hash: str
    answer_hash: str
    event_id: str


@attrs.frozen
class Answered(Generic[AnswerT_co]):
    """A model answered."""

    value: AnswerT_co
    call: AnsweredCall


@attrs.frozen
class Abstained(Generic[AnswerT_co]):
    """A model said that nothing should be done, and why."""

    value: AnswerT_co
    reason: str
    call: AnsweredCall


@attrs.frozen
class Exhausted:
    """No model of the chain answered: hold. `steps` says why each did not; `cost` in dollars is spent all the same."""

    question_id: str
    steps: tuple[ChainStep, ...]
    cost: Decimal
    prompt_hash: str
    event_id: str

    @property
    def reason(self) -> str:
        """All of it in one line."""
        return "; ".join(f"{step.provider}/{step.model}: {step.failure.value}" for step in self.steps) or "no model"


class ModelGateway(Protocol):
    """Asks models. Safe to use from several tasks of one event loop.

    `tradecore.testing.model_gateway_contract` is this page as tests.
    """

    async def ask(self, request: ModelRequest[AnswerT]) -> Answered[AnswerT] | Abstained[AnswerT] | Exhausted:
        """Ask the models of the chain one after the other, until one answers in the form of `request.answer`.

        Every attempt is recorded before it is made, and the answer before it is returned. Never takes longer than the
        deadlines. Raises `InputError` for a request that makes no sense, `SecretInPrompt` for one that holds a key,
        `ReplayMiss` from a recording that does not have it, and what the journal raises.
        """


def _holds_float(annotation: Any) -> bool:
    return annotation is float or any(_holds_float(part) for part in get_args(annotation))
