"""Verb `reconcile`: what differs between books and broker, and a person's word on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_note, show_table
from tradecore.errors import ConfigurationError, InputError, WrongAccount

if TYPE_CHECKING:
    import datetime as dt

    from tradecore.adopting import Orders
    from tradecore.domain.messages import Cause
    from tradecore.ledger import Ledger
    from tradecore.ports.broker import Broker
    from tradecore.reconcile import Difference, Differences
    from tradecore.settings import Settings

_COLUMNS = ("difference", "kind", "subject", "ours", "theirs", "status", "gates")


def reconcile(
    *,
    config: Path | None = None,
    account: str | None = None,
    adopt: str | None = None,
    dispute: str | None = None,
    reason: str = "",
    keep_gate: Annotated[bool, Parameter(negative=())] = False,
    options: Options = DEFAULTS,
) -> int:
    """Compare the books with the broker over a connection that only reads. Exit code 1 when they differ.

    Parameters
    ----------
    config
        the runner's settings, for the broker to ask
    account
        the ledger's account
    adopt
        a difference (its id, or the beginning of it): take over what the broker says. An order and its executions are
        read again; a position or cash becomes an adjustment in the books
    dispute
        a difference to keep: new risk does not wait for it any more
    reason
        why; needed to adopt or dispute, and kept for ever
    keep_gate
        new risk goes on waiting for the disputed difference
    """
    import anyio

    from tradecore.settings import load_settings

    if (adopt or dispute) and not reason.strip():
        raise InputError("reason", reason, "why, in a few words: it stays in the books")
    if adopt and dispute:
        raise InputError("dispute", dispute, "either --adopt or --dispute")
    overrides: dict[str, Any] = {"ledger": options.url} | ({"account": account} if account else {})
    settings = load_settings(config, overrides)
    if settings.broker.name == "exchange" and not settings.broker.base_url:
        raise ConfigurationError("broker.base_url: the embedded exchange lives in its runner; say where a broker is")
    word = (adopt, dispute, reason, not keep_gate)
    rows = anyio.run(_compare, options, settings, word)
    if options.json:
        show_json(rows)
    else:
        show_table(rows, _COLUMNS, "books and broker agree on orders, positions and cash")
    return 1 if any(row["status"] in ("new", "open") for row in rows) else 0


async def _compare(
    options: Options, settings: Settings, word: tuple[str | None, str | None, str, bool]
) -> list[dict[str, Any]]:
    from tradecore.adopting import Orders
    from tradecore.journal import find_key_ring
    from tradecore.ledger import Ledger
    from tradecore.runner.plugins import load_plugin
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options, find_key_ring(settings.encryption.keys_file)) as journal:
        async with load_plugin("brokers", settings.broker.name, "broker.name")(settings) as venue:
            ledger = Ledger(journal, SystemClock(), SystemIds())
            await _check_account(ledger, venue.broker, settings.account)
            orders = Orders(ledger, venue.broker, SystemIds(), settings.account)
            live, known = await _look(orders)
            by_id = {known.id_of(settings.account, difference): difference for difference in live}
            adopt, dispute, reason, ungated = word
            if adopt:
                await _adopt(orders, known, _chosen(adopt, by_id), by_id, reason)
            elif dispute:
                as_of = await venue.broker.now()
                _dispute(orders, known, _chosen(dispute, by_id), by_id, reason, as_of, ungated=ungated)
            if adopt or dispute:
                live, known = await _look(orders)
            return _rows(settings.account, live, known)


async def _look(orders: Orders) -> tuple[tuple[Difference, ...], Differences]:
    """Everything that differs now, and what was recorded of it."""
    from tradecore.reconcile import Differences, compare_standing

    known = Differences.of(orders.ledger, orders.account)
    live = await compare_standing(orders.ledger, orders.broker, orders.account)
    return (*live, *await orders.compare(known), *known.unshown), known


async def _check_account(ledger: Ledger, broker: Broker, account: str) -> None:
    ours, theirs = ledger.account(account).broker_account_id, (await broker.account()).account_id
    if ours is None:
        raise InputError("account", account, "an account that a runner has pinned to a broker already")
    if ours != theirs:
        raise WrongAccount(f"account {account} of this ledger is {ours} at the broker, but the keys open {theirs}")


def _chosen(wanted: str, by_id: dict[str, Difference]) -> str:
    found = [known for known in by_id if known.startswith(wanted)]
    if len(found) != 1:
        raise InputError("difference", wanted, "the id of one difference that there is now: see `tradecore reconcile`")
    return found[0]


async def _adopt(orders: Orders, known: Differences, chosen: str, by_id: dict[str, Difference], reason: str) -> None:
    """Take over what the broker says, with who and why."""
    import structlog

    from tradecore.domain import streams
    from tradecore.domain.events import DifferenceResolved
    from tradecore.domain.messages import Cause
    from tradecore.reconcile import FOREIGN, OF_ORDERS

    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))  # stdout is for the answer
    difference, account = by_id[chosen], orders.account
    cause = Cause(orders.ids.trace_id(), actor=actor(), source="cli")
    if difference.what in ("position", "cash"):
        await _book(orders, chosen, difference, reason, cause)
    elif difference.what in (*OF_ORDERS, FOREIGN):
        await orders.adopt(difference, reason, cause)
    else:
        raise InputError("adopt", chosen, "a difference that can be adopted; say --dispute for any other")
    if difference.what in ("position", "cash") or chosen in known.open:
        resolved = DifferenceResolved(chosen, account, "adopted", reason)
        orders.ledger.note(streams.reconciliation(account), resolved, cause)
    show_note(f"adopted: {difference}")


async def _book(orders: Orders, chosen: str, difference: Difference, reason: str, cause: Cause) -> None:
    """An adjustment in the books, against equity."""
    from decimal import Decimal

    from tradecore.domain.commands import BookAdjustment

    change = Decimal(difference.theirs) - Decimal(difference.ours)
    price, symbol = Decimal(0), ""
    if difference.what == "position":
        symbol = difference.subject
        held = {item.symbol: item.average_price for item in await orders.broker.positions()}
        price = held.get(symbol) or held.get(symbol.replace("/", "")) or Decimal(0)
    cash = Decimal(0) if symbol else change
    units = change if symbol else Decimal(0)
    adjustment = BookAdjustment(orders.account, chosen, symbol, units, price, cash, reason, Decimal(difference.ours))
    orders.ledger.handle(adjustment, cause)


def _dispute(
    orders: Orders,
    known: Differences,
    chosen: str,
    by_id: dict[str, Difference],
    reason: str,
    as_of: dt.datetime,
    *,
    ungated: bool,
) -> None:
    """Keep the difference, acknowledged; one that no runner has recorded yet is recorded with it."""
    from tradecore.domain import streams
    from tradecore.domain.events import DifferenceDisputed, DifferenceFound
    from tradecore.domain.messages import Cause

    difference, account, stream = by_id[chosen], orders.account, streams.reconciliation(orders.account)
    cause = Cause(orders.ids.trace_id(), actor=actor(), source="cli")
    if chosen not in known.open:
        found = DifferenceFound(
            chosen, account, difference.what, difference.subject, difference.ours, difference.theirs, True, as_of
        )
        orders.ledger.note(stream, found, cause)
    orders.ledger.note(stream, DifferenceDisputed(chosen, account, gates=not ungated, reason=reason), cause)
    show_note(f"disputed: {difference}")


def _rows(account: str, live: tuple[Difference, ...], known: Differences) -> list[dict[str, Any]]:
    rows = []
    for difference in live:
        difference_id = known.id_of(account, difference)
        recorded = known.open.get(difference_id)
        status = "new" if recorded is None else "disputed" if recorded.disputed is not None else "open"
        rows.append(
            {
                "difference": difference_id,
                "kind": difference.what,
                "subject": difference.subject,
                "ours": difference.ours,
                "theirs": difference.theirs,
                "status": status,
                "gates": recorded.gates if recorded is not None else None,
                "reason": recorded.disputed if recorded is not None else None,
            }
        )
    return rows
