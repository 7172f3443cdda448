"""`/v2/account`: balances, configuration, equity over time."""

from __future__ import annotations

from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tradecore_exchange.instants import SECOND_NS
from tradecore_exchange.numbers import cents
from tradecore_exchange.refusals import Refused, invalid
from tradecore_exchange.service import read_body, service_of
from tradecore_exchange.wire_account import account_json

JSON = Any

_SWITCHES = frozenset({"suspend_trade", "no_shorting", "fractional_trading", "ptp_no_exception_entry"})
_WORDS = {"max_margin_multiplier": frozenset({"1", "2", "4"}), "trade_confirm_email": frozenset({"all", "none"})}
_IGNORED = frozenset({"dtbp_check", "pdt_check", "max_options_trading_level", "disable_overnight_trading"})


async def get_account(request: Request) -> Response:
    """GET the balances."""
    service = service_of(request)
    return service.answer(account_json(service.floor))


async def get_configuration(request: Request) -> Response:
    """GET the switches."""
    service = service_of(request)
    return service.answer(attrs.asdict(service.floor.exchange.account.configuration))


async def patch_configuration(request: Request) -> Response:
    """PATCH some switches; `suspend_trade` and `no_shorting` have their effect, the others are remembered."""
    service, body = service_of(request), await read_body(request)
    configuration = service.floor.exchange.account.configuration
    for name, value in body.items():
        known = name in _IGNORED or (name in _SWITCHES and isinstance(value, bool))
        if not known and not (isinstance(value, str) and value in _WORDS.get(name, ())):
            raise Refused(invalid(f"invalid {name}"))
    for name, value in body.items():
        if name not in _IGNORED:
            setattr(configuration, name, value)
    service.floor.configuration_changed()
    return service.answer(attrs.asdict(configuration))


async def portfolio_history(request: Request) -> Response:
    """GET the equity at each close of a day, and now; JSON numbers."""
    service = service_of(request)
    exchange = service.floor.exchange
    points = [*service.floor.closes, (exchange.clock.market_ns, exchange.account.equity(exchange.prices))]
    base = exchange.options.cash
    body: dict[str, JSON] = {
        "timestamp": [at // SECOND_NS for at, _ in points],
        "equity": [float(cents(equity)) for _, equity in points],
        "profit_loss": [float(cents(equity - base)) for _, equity in points],
        "profit_loss_pct": [float(equity / base - 1) if base else None for _, equity in points],
        "base_value": float(base),
        "timeframe": "1D",
        "cashflow": {},
    }
    return service.answer(body)


ROUTES = [
    Route("/v2/account", get_account, methods=["GET"]),
    Route("/v2/account/configurations", get_configuration, methods=["GET"]),
    Route("/v2/account/configurations", patch_configuration, methods=["PATCH"]),
    Route("/v2/account/portfolio/history", portfolio_history, methods=["GET"]),
]
