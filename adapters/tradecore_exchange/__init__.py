"""An Alpaca-compatible exchange: a pure matching core, and a server that unmodified clients cannot tell apart."""

from __future__ import annotations

from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.app import create_app
from tradecore_exchange.assets import AssetTerms
from tradecore_exchange.fault_plan import PlanTerms
from tradecore_exchange.faults import Fault
from tradecore_exchange.feed import Feed, fingerprint
from tradecore_exchange.floor import Floor
from tradecore_exchange.matching import Exchange, Submitted
from tradecore_exchange.operations import Done
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.refusals import Refusal
from tradecore_exchange.requests import OrderRequest, ReplaceRequest
from tradecore_exchange.server import ExchangeServer
from tradecore_exchange.service import DEFAULT_KEY, DEFAULT_SECRET
from tradecore_exchange.serving import Serving, StreamPolicy
from tradecore_exchange.store import AnotherMarket, Store

__all__ = [
    "DEFAULT_KEY",
    "DEFAULT_SECRET",
    "AccountEntry",
    "AnotherMarket",
    "AssetTerms",
    "Done",
    "Exchange",
    "ExchangeOptions",
    "ExchangeServer",
    "Fault",
    "Feed",
    "Floor",
    "OrderRequest",
    "PlanTerms",
    "Refusal",
    "ReplaceRequest",
    "Serving",
    "Store",
    "StreamPolicy",
    "Submitted",
    "create_app",
    "fingerprint",
]
