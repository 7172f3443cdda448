"""The table of prices, on record: every call names the version that it was counted with."""

from __future__ import annotations

from tradecore.domain import streams
from tradecore.domain.events import ModelPricesPublished
from tradecore.domain.messages import Cause
from tradecore.draft import last_event
from tradecore.ledger import Ledger
from tradecore.models.canonical import canonical, digest
from tradecore.models.steps import price_of
from tradecore.ports.ids import Ids
from tradecore.settings_models import ModelsSettings


def publish_prices(settings: ModelsSettings, ledger: Ledger, ids: Ids) -> str:
    """Record the prices that calls are counted with, if they are others than before; returns their version."""
    priced = (price_of(settings.catalogue[name]) for name in sorted(settings.catalogue))
    prices = tuple(price for price in priced if price is not None)
    version = digest(canonical("models.catalogue", {"prices": prices}))[:16]
    last = last_event(ledger.journal, streams.MODELS)
    if not (isinstance(last, ModelPricesPublished) and last.version == version):
        ledger.note(streams.MODELS, ModelPricesPublished(version, prices), Cause(ids.trace_id(), actor="models"))
    return version
