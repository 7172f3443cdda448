"""Objects as Alpaca's paper account answered them, with invented ids."""

from __future__ import annotations

from typing import Any

ORDER: dict[str, Any] = {
    "id": "f1a08ee3-8b15-4d31-b04b-944f30a06604",
    "client_order_id": "tc-1",
    "created_at": "2026-10-08T15:10:18.094153596Z",
    "updated_at": "2026-10-08T15:10:18.098304763Z",
    "submitted_at": "2026-10-08T15:10:18.094153596Z",
    "filled_at": "2026-10-08T15:10:18.097464903Z",
    "expired_at": None,
    "expires_at": "2026-10-08T20:00:00Z",
    "canceled_at": None,
    "failed_at": None,
    "replaced_at": None,
    "replaced_by": None,
    "replaces": None,
    "asset_id": "3795cafe-fd54-4f66-a31e-66774be875ca",
    "symbol": "KO",
    "asset_class": "us_equity",
    "notional": "5",
    "qty": None,
    "filled_qty": "0.057436865",
    "filled_avg_price": "86.878",
    "order_class": "",
    "order_type": "market",
    "type": "market",
    "side": "buy",
    "position_intent": "buy_to_open",
    "time_in_force": "day",
    "limit_price": None,
    "stop_price": None,
    "status": "filled",
    "extended_hours": False,
    "legs": None,
    "trail_percent": None,
    "trail_price": None,
    "hwm": None,
    "source": None,
    "subtag": None,
}

ACCOUNT: dict[str, Any] = {
    "id": "a3f1c1de-0000-4000-8000-000000000001",
    "account_number": "PA0000000001",
    "status": "ACTIVE",
    "crypto_status": "ACTIVE",
    "currency": "USD",
    "cash": "100005.83",
    "buying_power": "400023.32",
    "equity": "100005.83",
    "last_equity": "100003.74258806517",
    "multiplier": "4",
    "shorting_enabled": True,
    "trading_blocked": False,
    "transfers_blocked": False,
    "account_blocked": False,
    "trade_suspended_by_user": False,
    "options_approved_level": 3,
    "crypto_tier": 1,
    "admin_configurations": {},
    "user_configurations": None,
}

POSITION: dict[str, Any] = {
    "asset_class": "us_equity",
    "asset_id": "3795cafe-fd54-4f66-a31e-66774be875ca",
    "asset_marginable": True,
    "avg_entry_price": "86.879891",
    "change_today": "0.01235",
    "cost_basis": "48.430054",
    "current_price": "86.88",
    "exchange": "NYSE",
    "lastday_price": "85.82",
    "market_value": "48.430115",
    "qty": "0.557436865",
    "qty_available": "0.557436865",
    "side": "long",
    "symbol": "KO",
    "unrealized_pl": "0.000061",
}

ASSET: dict[str, Any] = {
    "id": "3795cafe-fd54-4f66-a31e-66774be875ca",
    "class": "us_equity",
    "exchange": "NYSE",
    "symbol": "KO",
    "name": "The Coca-Cola Company",
    "status": "active",
    "tradable": True,
    "marginable": True,
    "shortable": True,
    "fractionable": True,
    "maintenance_margin_requirement": 30,
    "attributes": ["has_options"],
}

FILL: dict[str, Any] = {
    "activity_type": "FILL",
    "id": "20261008111018097::fc1f73e1-a5c2-4d43-81ec-fb503c42ca5c",
    "type": "fill",
    "order_id": "f1a08ee3-8b15-4d31-b04b-944f30a06604",
    "order_status": "filled",
    "symbol": "KO",
    "side": "buy",
    "qty": "0.057436865",
    "price": "86.878",
    "cum_qty": "0.057436865",
    "leaves_qty": "0",
    "transaction_time": "2026-10-08T15:10:18.097465Z",
}

AUTHORIZED = {"stream": "authorization", "data": {"action": "authenticate", "status": "authorized"}}
UNAUTHORIZED = {
    "stream": "authorization",
    "data": {"action": "authenticate", "status": "unauthorized", "message": "access key verification failed"},
}
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


def update(event: str, order: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A message of `trade_updates`."""
    data = {
        "event": event,
        "execution_id": "0b6ce4b6-0000-4000-8000-000000000001",
        "order": {**ORDER, **(order or {})},
        "position_qty": "0.057436865",
        "price": "86.878",
        "qty": "0.057436865",
        "timestamp": "2026-10-08T15:10:18.097464903Z",
    }
    return {"stream": "trade_updates", "data": {**data, **more}}
