"""The closed words of the trading protocol."""

from __future__ import annotations

import enum


class OrderType(enum.StrEnum):
    """How an order asks to be priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(enum.StrEnum):
    """How long an order asks to live; `opg` and `cls` are the two auctions."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"


class OrderClass(enum.StrEnum):
    """How orders belong together; a simple one is written as nothing."""

    SIMPLE = ""
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


class Role(enum.StrEnum):
    """What an order is among those that belong together. The parent of a bracket or oto is its entry."""

    ALONE = ""
    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
# What does not trade at its one moment is canceled.
IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG})

# On the market: these may trade.
WORKING = frozenset({"new", "partially_filled"})
# Asked for and not yet decided; whether such an order may trade, its `before` tells.
ASKED = frozenset({"pending_cancel", "pending_replace"})
# Kept off the market for a while, by the exchange.
PAUSED = frozenset({"stopped", "suspended", "done_for_day", "calculated"})
OPEN = WORKING | ASKED | PAUSED | {"accepted", "held", "pending_new"}
