"""Verbs `statement` and `trial-balance`: the books, as of now or as of any moment or position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_pairs, show_table

if TYPE_CHECKING:
    from tradecore.books import AsOf, Book
    from tradecore.books.statement import Statement
    from tradecore.views.view import Row

_NOTHING = "no entries"


def statement(*, as_of: str | None = None, options: Options = DEFAULTS) -> int:
    """Show cash, movements, fees, profit and positions at cost of every account.

    Parameters
    ----------
    as_of
        a position of the log, a day (its end in UTC), or a time with a time zone
    """
    moment = _moment(as_of)
    found = [_statement_row(book.statement(moment)) for book in _books(options)]
    if options.json:
        show_json(found)
        return 0
    if not found:
        show_line(_NOTHING)
    for number, row in enumerate(found):
        if number:
            show_line("")
        show_pairs((name.replace("_", " "), value) for name, value in row.items() if not isinstance(value, list))
        show_table(row["movements"], ("time", "position", "description", "amount", "balance"), "no movements")
        show_table(row["lots"], ("symbol", "qty", "price", "cost", "opened_by"), "no positions")
    return 0


def trial_balance(*, as_of: str | None = None, options: Options = DEFAULTS) -> int:
    """Show the balance of every account of the books: debits equal credits.

    Parameters
    ----------
    as_of
        a position of the log, a day (its end in UTC), or a time with a time zone
    """
    from tradecore.views.plain import text

    moment = _moment(as_of)
    balances = [book.trial_balance(moment) for book in _books(options)]
    rows = [
        {
            "account": balance.account,
            "ledger_account": line.account,
            "currency": line.currency,
            "debit": text(line.debit),
            "credit": text(line.credit),
        }
        for balance in balances
        for line in balance.lines
    ]
    if options.json:
        show_json(rows)
        return 0
    show_table(rows, ("account", "ledger_account", "currency", "debit", "credit"), _NOTHING)
    for balance in balances:
        for currency, difference in balance.differences().items():
            show_line(f"{balance.account}: debits less credits {text(difference)} {currency}")
    return 0


def _moment(as_of: str | None) -> AsOf | None:
    from tradecore.books import parse_as_of

    return None if as_of is None else parse_as_of("as_of", as_of)


def _books(options: Options) -> list[Book]:
    from tradecore.books import read_books

    with open_existing(options) as journal:
        return list(read_books(journal).values())


def _statement_row(made: Statement) -> dict[str, Any]:
    from tradecore.views.plain import instant, text

    return {
        "account": made.account,
        "currency": made.currency,
        "position": made.position,
        "opening_cash": text(made.opening_cash),
        "closing_cash": text(made.closing_cash),
        "gross_pnl": text(made.gross_pnl),
        "fees": text(made.fees),
        "realised_pnl": text(made.realised_pnl),
        "movements": [
            {
                "time": instant(line.time),
                "position": line.position,
                "description": line.description,
                "amount": text(line.amount),
                "balance": text(line.balance),
            }
            for line in made.movements
        ],
        "lots": _lot_rows(made),
    }


def _lot_rows(made: Statement) -> list[Row]:
    from tradecore.domain.values import times
    from tradecore.views.plain import text

    return [
        {
            "symbol": symbol,
            "qty": text(lot.quantity),
            "price": text(lot.price),
            "cost": text(times(lot.quantity, lot.price)),
            "opened_by": lot.opened_by,
        }
        for symbol, position in sorted(made.positions.items())
        for lot in position.lots
    ]
