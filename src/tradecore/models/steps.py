"""The steps of chains: models of the catalogue, each with its price, its provider and the provider's breaker."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

import attrs

from tradecore.domain.model_call import ChainStep, Criticality, ModelFailure, ModelPrice, worst_cost
from tradecore.models.breaker import Breaker
from tradecore.models.canonical import digest
from tradecore.ports.model_provider import ModelProvider
from tradecore.settings_models import CatalogueSettings, ModelsSettings


@attrs.frozen
class Step:
    """A model that can be asked. `provider` is None without its key, `price` None where nobody said what it costs."""

    entry: CatalogueSettings
    base_url: str
    provider: ModelProvider | None
    price: ModelPrice | None
    breaker: Breaker

    @property
    def label(self) -> str:
        """Provider and model, as events name a step."""
        return f"{self.entry.provider}/{self.entry.model}"

    def missed(self, failure: ModelFailure, message: str) -> ChainStep:
        """The step gave no answer."""
        return ChainStep(self.entry.provider, self.entry.model, failure, message)

    def wire_hash(self, body: bytes) -> str:
        """Of everything that can change the answer: provider, address, and the request with model and limits."""
        return digest(self.entry.provider.encode(), self.base_url.encode(), body)

    def worst_cost(self, body: bytes, output_tokens: int) -> Decimal:
        """What the request can cost at most, in dollars. No token is shorter than the settings say, on average."""
        assert self.price is not None, "a model without a price is not asked"
        tokens = (len(body) / self.entry.bytes_per_token).to_integral_value(ROUND_CEILING)
        return worst_cost(self.price, int(tokens), output_tokens)


def price_of(entry: CatalogueSettings) -> ModelPrice | None:
    """What the settings say a model costs; None unless both prices are said. Cached input costs as much as other."""
    if entry.input_per_million is None or entry.output_per_million is None:
        return None
    cached = entry.input_per_million if entry.cached_input_per_million is None else entry.cached_input_per_million
    return ModelPrice(entry.provider, entry.model, entry.input_per_million, entry.output_per_million, cached)


def make_steps(
    settings: ModelsSettings, providers: Mapping[str, ModelProvider], breakers: Mapping[str, Breaker]
) -> dict[str, Step]:
    """A step for every model of the catalogue, by its name there."""
    return {
        name: Step(
            entry,
            settings.providers[entry.provider].base_url,
            providers.get(entry.provider),
            price_of(entry),
            breakers[entry.provider],
        )
        for name, entry in settings.catalogue.items()
    }


def chain_of(
    settings: ModelsSettings, steps: Mapping[str, Step], role: str, criticality: Criticality
) -> tuple[Step, ...]:
    """The steps to ask for a role, in order."""
    return tuple(steps[name] for name in settings.chain_of(role, criticality))
