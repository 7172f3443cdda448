"""The verbs of the command line, and how words become a call."""

from __future__ import annotations

from cyclopts import App, CycloptsError

from tradecore import __version__
from tradecore.cli import (
    accounting,
    alerting,
    anchoring,
    approving,
    checking,
    copying,
    cycling,
    delivering,
    epoch,
    erasing,
    events,
    exporting,
    learning,
    limiting,
    listing,
    migrating,
    ordering,
    placing,
    processes,
    proving,
    rebuilding,
    reconciling,
    sheeting,
    stats,
    switching,
    trace,
    verifying,
)
from tradecore.errors import ConfigurationError

app = App(
    name="tradecore",
    version=f"tradecore {__version__}",
    help_format="plaintext",
    help="Event-sourced trading: record orders for a runner to deliver, and look at everything that happened.",
)
for verb in (
    placing.place,
    ordering.cancel,
    ordering.replace,
    ordering.close,
    ordering.kill,
    listing.orders,
    listing.fills,
    listing.trades,
    listing.positions,
    listing.balances,
    delivering.app,
    limiting.app,
    switching.status,
    switching.resume,
    approving.app,
    alerting.app,
    listing.sagas,
    processes.rebalance,
    processes.close_trade,
    processes.resolve,
    accounting.statement,
    accounting.trial_balance,
    exporting.export,
    sheeting.tearsheet,
    trace.trace,
    learning.decisions,
    cycling.app,
    learning.scorecard,
    learning.calibrate,
    events.events,
    verifying.verify,
    reconciling.reconcile,
    anchoring.anchor,
    proving.proof,
    rebuilding.rebuild,
    checking.check,
    stats.stats,
    copying.backup,
    copying.restore,
    migrating.migrate,
    epoch.new_epoch,
    erasing.erase,
):
    app.command(verb)


def run(argv: list[str]) -> int:
    """Call the verb; returns its exit code. Raises `ConfigurationError` for words that make no command."""
    try:
        code = app(argv, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise ConfigurationError(f"{str(error).rstrip('.')}; see tradecore --help") from None
    return code if isinstance(code, int) else 0
