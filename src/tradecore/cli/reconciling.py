"""Verb `reconcile`: what differs between books and broker, and a person's word on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_note, show_table
from tradecore.errors import ConfigurationError, InputError, WrongAccount

if TYPE_CHECKING:
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
        a difference (its id, or the beginning of it): take over what the broker says, as an adjustment in the books
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
        show_table(rows, _COLUMNS, "books and broker agree on positions and cash")
    return 1 if any(row["status"] in ("new", "open") for row in rows) else 0


async def _compare(
    options: Options, settings: Settings, word: tuple[str | None, str | None, str, bool]
) -> list[dict[str, Any]]:
    from tradecore.journal import find_key_ring
    from tradecore.ledger import Ledger
    from tradecore.reconcile import Differences, compare_standing
    from tradecore.runner.plugins import load_plugin
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options, find_key_ring(settings.encryption.keys_file)) as journal:
        async with load_plugin("brokers", settings.broker.name, "broker.name")(settings) as venue:
            ledger = Ledger(journal, SystemClock(), SystemIds())
            await _check_account(ledger, venue.broker, settings.account)
            live = await compare_standing(ledger, venue.broker, settings.account)
            known = Differences.of(ledger, settings.account)
            live += known.contradictions
            by_id = {known.id_of(settings.account, difference): difference for difference in live}
            adopt, dispute, reason, ungated = word
            if adopt:
                await _adopt(ledger, venue.broker, settings.account, _chosen(adopt, by_id), by_id, reason)
            elif dispute:
                _dispute(ledger, settings.account, _chosen(dispute, by_id), by_id, known, reason, ungated=ungated)
            if adopt or dispute:
                live = await compare_standing(ledger, venue.broker, settings.account)
                known = Differences.of(ledger, settings.account)
                live += known.contradictions
            return _rows(settings.account, live, known)


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


async def _adopt(
    ledger: Ledger, broker: Broker, account: str, chosen: str, by_id: dict[str, Difference], reason: str
) -> None:
    """Book what the broker says, with who and why."""
    from decimal import Decimal

    from tradecore.domain import streams
    from tradecore.domain.commands import BookAdjustment
    from tradecore.domain.events import DifferenceResolved
    from tradecore.domain.messages import Cause
    from tradecore.runner.system import SystemIds

    difference = by_id[chosen]
    if difference.what not in ("position", "cash"):
        raise InputError("adopt", chosen, "a difference of a position or of cash; say --dispute for an order")
    change = Decimal(difference.theirs) - Decimal(difference.ours)
    price, symbol = Decimal(0), ""
    if difference.what == "position":
        symbol = difference.subject
        held = {item.symbol: item.average_price for item in await broker.positions()}
        price = held.get(symbol) or held.get(symbol.replace("/", "")) or Decimal(0)
    cash = Decimal(0) if symbol else change
    cause = Cause(SystemIds().trace_id(), actor=actor(), source="cli")
    units = change if symbol else Decimal(0)
    instead_of = Decimal(difference.ours)
    ledger.handle(BookAdjustment(account, chosen, symbol, units, price, cash, reason, instead_of), cause)
    ledger.note(streams.reconciliation(account), DifferenceResolved(chosen, account, "adopted", reason), cause)
    show_note(f"adopted: {difference}")


def _dispute(
    ledger: Ledger,
    account: str,
    chosen: str,
    by_id: dict[str, Difference],
    known: Differences,
    reason: str,
    *,
    ungated: bool,
) -> None:
    """Keep the difference, acknowledged."""
    from tradecore.domain import streams
    from tradecore.domain.events import DifferenceDisputed
    from tradecore.domain.messages import Cause
    from tradecore.runner.system import SystemIds

    if chosen not in known.open:
        raise InputError("dispute", chosen, "a difference that a runner has recorded; this one is new")
    cause = Cause(SystemIds().trace_id(), actor=actor(), source="cli")
    disputed = DifferenceDisputed(chosen, account, gates=not ungated, reason=reason)
    ledger.note(streams.reconciliation(account), disputed, cause)
    show_note(f"disputed: {by_id[chosen]}")


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
