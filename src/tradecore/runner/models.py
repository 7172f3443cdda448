"""Opening the gateway of some settings: keys from the environment, one client per provider, prices on record."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from tradecore.ledger import Ledger
from tradecore.models.breaker import Breaker
from tradecore.models.gateway import Gateway
from tradecore.models.prices import publish_prices
from tradecore.models.record import Purse
from tradecore.models.secrets import Secrets
from tradecore.models.steps import make_steps
from tradecore.models.texts import Texts
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.ports.model_provider import ModelProvider, ProviderOptions
from tradecore.runner.plugins import load_plugin
from tradecore.settings_models import ModelsSettings

_log = structlog.get_logger("tradecore.models")
_BROKER_KEYS = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")


@asynccontextmanager
async def open_gateway(
    settings: ModelsSettings, ledger: Ledger, clock: Clock, ids: Ids, account: str
) -> AsyncIterator[Gateway]:
    """A gateway that pays from the budget of an account. Its providers are closed with it.

    Raises `ConfigurationError` for a provider that does not make sense, `MissingExtra`, and what the journal raises.
    """
    variables = {*_BROKER_KEYS, *(provider.key_env for provider in settings.providers.values())} - {""}
    secrets = Secrets({name: os.environ.get(name, "") for name in sorted(variables)})
    used = {entry.provider for entry in settings.catalogue.values()}
    async with AsyncExitStack() as stack:
        providers: dict[str, ModelProvider] = {}
        for name, said in settings.providers.items():
            key = os.environ.get(said.key_env, "") if said.key_env else ""
            if said.key_env and not key:
                _log.warning("a provider has no key and is not asked", provider=name, variable=said.key_env)
            elif name in used:
                opening = load_plugin("models", said.kind, f"models.providers.{name}.kind")
                options = ProviderOptions(
                    name, said.base_url, key, said.connect_timeout_s, said.answer_bytes_max, clock
                )
                providers[name] = await stack.enter_async_context(opening(options))
        trip = settings.breaker
        breakers = {name: Breaker(clock, trip.failures, trip.open_s) for name in settings.providers}
        steps = make_steps(settings, providers, breakers)
        purse = Purse(account, settings.budget.limits(), publish_prices(settings, ledger, ids))
        texts = Texts(ledger.journal.texts, clock, keeps=settings.keep_texts)
        yield Gateway(ledger, clock, settings, steps, purse, secrets, texts)
