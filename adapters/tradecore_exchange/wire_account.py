"""The account, its positions and the assets as the protocol writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tradecore.domain.values import minus, rounded_quotient, times
from tradecore_exchange.account import ZERO, Position
from tradecore_exchange.assets import AssetTerms
from tradecore_exchange.floor import Floor
from tradecore_exchange.identity import asset_id, is_crypto, uuid_text
from tradecore_exchange.numbers import cents, number_text
from tradecore_exchange.sessions import new_york_date
from tradecore_exchange.wire import asset_class

JSON = Any

_HALF = Decimal("0.5")
_THIRD = Decimal("0.3")


def account_id(floor: Floor) -> str:
    """The id of an account, which follows from its seed."""
    return uuid_text(floor.exchange.blotter.seed, "account")


def account_json(floor: Floor) -> dict[str, JSON]:
    """The account now; balances to the cent, as open orders have them."""
    exchange = floor.exchange
    account, prices = exchange.account, exchange.prices
    long, short = account.market_values(prices)
    gross, equity = minus(long, short), account.equity(prices)
    reserved = [exchange.book.reserved(order) for order in exchange.book.open()]
    buying_power = number_text(cents(account.buying_power(prices, reserved, account.margin)))
    last_equity = floor.closes[-1][1] if floor.closes else exchange.options.cash
    identity = account_id(floor)
    suspended = account.configuration.suspend_trade
    return {
        "id": identity,
        "account_number": f"SIM{int(identity[:8], 16):010d}",
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "cash": number_text(cents(account.cash)),
        "buying_power": buying_power,
        "effective_buying_power": buying_power,
        "regt_buying_power": number_text(cents(account.buying_power(prices, reserved, 2))),
        "non_marginable_buying_power": number_text(cents(account.buying_power(prices, reserved, 1))),
        "options_buying_power": number_text(cents(account.buying_power(prices, reserved, 1))),
        "equity": number_text(cents(equity)),
        "last_equity": number_text(last_equity),
        "portfolio_value": number_text(cents(equity)),
        "long_market_value": number_text(cents(long)),
        "short_market_value": number_text(cents(short)),
        "position_market_value": number_text(cents(gross)),
        "initial_margin": number_text(cents(times(gross, _HALF))),
        "maintenance_margin": number_text(cents(times(gross, _THIRD))),
        "last_maintenance_margin": "0",
        "multiplier": str(account.margin),
        "sma": "0",
        "shorting_enabled": exchange.options.shorting and not account.configuration.no_shorting and account.margin > 1,
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "trade_suspended_by_user": suspended,
        "accrued_fees": "0",
        "pending_reg_taf_fees": "0",
        "intraday_adjustments": "0",
        "balance_asof": new_york_date(exchange.clock.market_ns).isoformat(),
        "created_at": "2024-01-01T05:00:00Z",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "crypto_tier": 1,
        "admin_configurations": {},
        "user_configurations": None,
    }


def position_symbol(symbol: str) -> str:
    """How positions spell a symbol: crypto pairs without the stroke."""
    return symbol.replace("/", "")


def position_json(floor: Floor, position: Position) -> dict[str, JSON]:
    """A holding at the last price; `*_plpc` and `change_today` are fractions."""
    exchange = floor.exchange
    price = exchange.prices.get(position.symbol) or position.avg_entry_price
    before = floor.history.of(position.symbol).day_before_close or price
    value = times(position.qty, price)
    profit = minus(value, position.cost)
    fraction = number_text(rounded_quotient(profit, abs(position.cost))) if position.cost else "0"
    closing = "sell" if position.qty > 0 else "buy"
    promised = sum(
        (exchange.book.promised(one) for one in exchange.book.open_of(position.symbol) if one.side == closing), ZERO
    )
    available = minus(abs(position.qty), promised)
    return {
        "asset_id": asset_id(position.symbol),
        "symbol": position_symbol(position.symbol),
        "exchange": "CRYPTO" if is_crypto(position.symbol) else "NASDAQ",
        "asset_class": asset_class(position.symbol),
        "asset_marginable": not is_crypto(position.symbol),
        "qty": number_text(position.qty),
        "qty_available": number_text(available if position.qty > 0 else -available),
        "avg_entry_price": number_text(position.avg_entry_price),
        "side": "long" if position.qty > 0 else "short",
        "market_value": number_text(value),
        "cost_basis": number_text(position.cost),
        "unrealized_pl": number_text(profit),
        "unrealized_plpc": fraction,
        "unrealized_intraday_pl": number_text(profit),
        "unrealized_intraday_plpc": fraction,
        "current_price": number_text(price),
        "lastday_price": number_text(before),
        "change_today": number_text(rounded_quotient(minus(price, before), before)),
    }


def asset_json(symbol: str, terms: AssetTerms) -> dict[str, JSON]:
    """A listed asset."""
    crypto = is_crypto(symbol)
    body: dict[str, JSON] = {
        "id": asset_id(symbol),
        "class": asset_class(symbol),
        "exchange": "CRYPTO" if crypto else "NASDAQ",
        "symbol": symbol,
        "name": f"{symbol} on the simulated exchange",
        "status": "active",
        "tradable": terms.tradable,
        "marginable": terms.marginable,
        "shortable": terms.shortable,
        "easy_to_borrow": terms.shortable and terms.easy_to_borrow,
        "borrow_status": _borrow_status(terms),
        "fractionable": terms.fractionable,
        "maintenance_margin_requirement": 100 if crypto else 30,
        "margin_requirement_long": "100" if crypto else "30",
        "margin_requirement_short": "100" if crypto else "30",
        "attributes": _attributes(symbol, terms),
    }
    if crypto:
        body |= {
            "min_order_size": "0.000000001",
            "min_trade_increment": "0.000000001",
            "price_increment": "0.000000001",
        }
    return body


def _borrow_status(terms: AssetTerms) -> str:
    if not terms.shortable:
        return "not_shortable"
    return "easy_to_borrow" if terms.easy_to_borrow else "hard_to_borrow"


def _attributes(symbol: str, terms: AssetTerms) -> list[str]:
    if is_crypto(symbol):
        return []
    fractional = ["fractional_eh_enabled"] if terms.fractionable else []
    return fractional + (["overnight_tradable"] if terms.overnight_tradable else [])
