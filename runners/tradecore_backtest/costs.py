"""What trading costs on the assumed market: slippage and fees."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from tradecore.domain.nanos import from_nanos
from tradecore_backtest.market import MarketModel
from tradecore_backtest.orders import Working, price_step

_CENT = Decimal("0.01")
_NINE = Decimal("1e-9")
_BPS = 10_000


class Costs:
    """The costs of a `MarketModel`. `slips` and `charges` tell whether there are any."""

    def __init__(self, model: MarketModel) -> None:
        self.slips = bool(model.slippage or model.slippage_bps)
        self.charges = bool(model.fee_per_unit or model.fee_per_order or model.fee_bps)
        self._model = model

    def slipped(self, order: Working, price: int) -> int:
        """A price made worse for the trader, to a whole step; in billionths."""
        step = price_step(price, order.symbol)
        model = self._model
        worse = from_nanos(price) * model.slippage_bps / _BPS + model.slippage
        steps = -(-int((worse / _NINE).to_integral_value(ROUND_HALF_EVEN)) // step)
        return max(step, price + order.sign * steps * step)

    def fees(self, units: Decimal, price: Decimal, *, is_first: bool) -> Decimal:
        """Fees of a fill, in account currency."""
        model = self._model
        fees = units * model.fee_per_unit + units * price * model.fee_bps / _BPS
        if is_first:
            fees += model.fee_per_order
        return fees.quantize(_CENT if model.fee_cents else _NINE, ROUND_HALF_UP)
