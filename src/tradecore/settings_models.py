"""`[models]`: providers, what each model costs, chains by role and criticality, budgets and time limits."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from tradecore.domain.model_call import BudgetLimits, Criticality


def _exact(value: object) -> object:
    """TOML has floats; what the file says in digits is meant exactly."""
    return Decimal(repr(value)) if isinstance(value, float) else value


Dollars = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1_000_000, decimal_places=9)]
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Section(BaseModel):
    """A table of the settings: closed, so that a misspelt key is an error and not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderSettings(Section):
    """`[models.providers.NAME]`: which plugin speaks to it, where it is, and which variable holds its key."""

    kind: str = "openai_http"
    base_url: str = ""
    key_env: str = ""
    connect_timeout_s: float = Field(3.0, gt=0, le=60)
    answer_bytes_max: int = Field(2_000_000, ge=1_000)

    @field_validator("key_env")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value and not _VARIABLE.fullmatch(value):
            raise ValueError("the name of an environment variable; the key itself has no place in a file")
        return value


class CatalogueSettings(Section):
    """`[models.catalogue.NAME]`: a model at a provider. Without both prices it is never asked.

    Prices in dollars per million tokens. `bytes_per_token` is how many bytes of a prompt a token has at least, on
    average: 1 is certain, and what a call reserves is the worst it can cost.
    """

    provider: str
    model: str
    input_per_million: Dollars | None = None
    output_per_million: Dollars | None = None
    cached_input_per_million: Dollars | None = None
    max_output_tokens: int = Field(1024, ge=1, le=1_000_000)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    bytes_per_token: Annotated[Decimal, BeforeValidator(_exact), Field(ge=1, le=8)] = Decimal(1)
    timeout_s: float = Field(20.0, gt=0, le=3_600)
    structured: Literal["json_schema", "json_object", "prompt"] = "json_schema"
    stream: bool = False


class BudgetSettings(Section):
    """`[models.budget]`: dollars. `none` is not limited, zero is zero."""

    per_request: Dollars | Literal["none"] = Decimal("0.10")
    per_decision: Dollars | Literal["none"] = "none"
    per_agent_per_day: Dollars | Literal["none"] = "none"
    per_day: Dollars | Literal["none"] = Decimal(50)
    per_month: Dollars | Literal["none"] = Decimal(1000)

    def limits(self) -> BudgetLimits:
        """The limits that follow."""
        said = {name: getattr(self, name) for name in type(self).model_fields}
        return BudgetLimits(**{name: None if value == "none" else value for name, value in said.items()})


class ModelBreakerSettings(Section):
    """`[models.breaker]`: so many failures of a provider in a row hold it up for `open_s` seconds; 0 turns it off."""

    failures: int = Field(3, ge=0, le=1_000)
    open_s: float = Field(60.0, gt=0)


class TimeLimitSettings(Section):
    """`[models.deadline_s]`: seconds for a question, over all of its chain, by criticality."""

    low: float = Field(120.0, gt=0)
    medium: float = Field(30.0, gt=0)
    high: float = Field(5.0, gt=0)

    def of(self, criticality: Criticality) -> float:
        """Seconds for a question that so much hangs on."""
        return {Criticality.LOW: self.low, Criticality.MEDIUM: self.medium, Criticality.HIGH: self.high}[criticality]


Chain = tuple[str, ...]


class ModelsSettings(Section):
    """`[models]`: everything that the gateway is told. Without chains nothing is ever asked."""

    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    catalogue: dict[str, CatalogueSettings] = Field(default_factory=dict)
    chains: dict[str, Chain | dict[Criticality, Chain]] = Field(default_factory=dict)
    budget: BudgetSettings = BudgetSettings()
    breaker: ModelBreakerSettings = ModelBreakerSettings()
    deadline_s: TimeLimitSettings = TimeLimitSettings()
    cache_s: dict[str, float] = Field(default_factory=dict)
    keep_texts: bool = True

    @model_validator(mode="after")
    def _hangs_together(self) -> ModelsSettings:
        for name, entry in self.catalogue.items():
            if entry.provider not in self.providers:
                raise ValueError(f"catalogue.{name}.provider: there is no provider {entry.provider!r} in the settings")
        for role, said in self.chains.items():
            chains = said.values() if isinstance(said, dict) else (said,)
            unknown = [name for chain in chains for name in chain if name not in self.catalogue]
            if unknown:
                raise ValueError(f"chains.{role}: there is no model {unknown[0]!r} in the catalogue")
        return self

    def chain_of(self, role: str, criticality: Criticality) -> Chain:
        """The names of the models to ask, in order; empty when the settings name none.

        The role's own chain for the criticality, else the role's for all, else the same of the role `default`.
        """
        for name in (role, "default"):
            said = self.chains.get(name)
            chain = said.get(criticality) if isinstance(said, dict) else said
            if chain is not None:
                return chain
        return ()
