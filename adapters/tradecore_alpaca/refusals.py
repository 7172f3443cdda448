"""What Alpaca's refusals mean. One code stands for many causes, so each row names status, code and words together.

The first row that fits wins. A row without a status fits each; the words are searched for, letters of either case.
"""

from __future__ import annotations

import re

import attrs

from tradecore.errors import RefusalReason as R


@attrs.frozen
class Row:
    """One kind of refusal. `status` and `code` None: any. `words`: a pattern of the message."""

    status: int | None
    code: int | None
    words: re.Pattern[str]
    reason: R

    def fits(self, status: int, code: int | None, message: str) -> bool:
        """Whether an answer is of this kind."""
        return (
            self.status in (None, status)
            and (self.code is None or code is None or self.code == code)
            and self.words.search(message) is not None
        )


def _row(status: int | None, code: int | None, words: str, reason: R) -> Row:
    return Row(status, code, re.compile(words, re.IGNORECASE | re.ASCII), reason)


TABLE: tuple[Row, ...] = (
    _row(403, 40310000, r"insufficient ([\w-]+ ){0,4}buying power", R.INSUFFICIENT_BUYING_POWER),
    _row(403, 40310000, r"insufficient balance", R.INSUFFICIENT_BUYING_POWER),
    _row(403, 40310000, r"insufficient qty", R.INSUFFICIENT_QUANTITY),
    _row(403, 40310000, r"wash trade", R.WASH_TRADE),
    _row(403, 40310000, r"cannot open a (long|short) .* while a .* order is open", R.OPPOSITE_ORDER),
    _row(403, 40310000, r"not allowed to short|cannot be sold short|not shortable|hard to borrow", R.NOT_SHORTABLE),
    _row(403, 40310000, r"not fractionable", R.NOT_FRACTIONABLE),
    _row(403, 40310000, r"order parameters are not changed", R.UNCHANGED),
    _row(403, 40310000, r"cost basis must be >=", R.TOO_SMALL),
    _row(403, 40310000, r"rejected by user request|suspended|not authorized to trade|not eligible|not allowed",
         R.ACCOUNT_RESTRICTED),
    _row(403, 40310000, r"(trading|account) (is |has been )?(blocked|restricted|closed)", R.ACCOUNT_RESTRICTED),
    _row(403, 40310100, r"", R.DAY_TRADING),
    _row(403, None, r"(asset|symbol) .*(not tradable|not active|not found)", R.NOT_TRADABLE),
    _row(404, None, r"asset .*not found|could not find asset", R.NOT_TRADABLE),
    _row(404, 40410000, r"", R.NOT_FOUND),
    _row(422, None, r"(asset|symbol) .*(not found|not tradable|not active)|could not find asset", R.NOT_TRADABLE),
    _row(422, None, r"not fractionable", R.NOT_FRACTIONABLE),
    _row(422, None, r"cannot be sold short|not shortable", R.NOT_SHORTABLE),
    _row(422, None, r"sub-penny|minimum pricing criteria|pricing increment", R.PRICE_INCREMENT),
    _row(422, None, r"notional must be >=|cost basis must be >=|minimal (amount|qty)", R.TOO_SMALL),
    _row(422, None, r"order is already in|already (filled|canceled|expired)|not cancel(l)?able", R.ALREADY_FINISHED),
    _row(422, None, r"pending cancel|pending replace|cannot replace order in", R.NOT_NOW),
    _row(422, None, r"\b(opg|cls)\b.* (must|cannot) be submitted", R.AUCTION_CLOSED),
    _row(422, None, r"order parameters are not changed", R.UNCHANGED),
    _row(422, None, r"position intent mismatch", R.INTENT_MISMATCH),
    _row(422, None, r"(stop|limit|trail\w*).* price must be|must be (less|greater|higher|lower) than|base.?price",
         R.PRICE_RELATION),
    _row(422, None, r"", R.INVALID),
    _row(400, None, r"", R.INVALID),
)  # fmt: skip


def reason_of(status: int, code: int | None, message: str) -> R:
    """What kind of no it is; `OTHER` for words that no row knows."""
    return next((row.reason for row in TABLE if row.fits(status, code, message)), R.OTHER)
