"""Verb `new-epoch`: go on with a ledger whose history was rewound."""

from __future__ import annotations

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line


def new_epoch(*, reason: str, options: Options = DEFAULTS) -> int:
    """Let go of what was placed behind a restored copy: those orders become foreign, and no new id can meet theirs.

    Positions and cash may differ from the broker's from then on: the runner says so, and a person must look.

    Parameters
    ----------
    reason
        why, for the record
    """
    from tradecore.cli.actor import actor
    from tradecore.domain.messages import Cause
    from tradecore.journal import open_lease
    from tradecore.ledger import Ledger
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        ids, lease = SystemIds(), open_lease(options.url)
        lease.acquire("tradecore new-epoch")
        try:
            ledger = Ledger(journal, SystemClock(), ids)
            before = ledger.epoch
            after = ledger.begin_epoch(reason, Cause(ids.trace_id(), actor=actor(), source="cli"))
        finally:
            lease.release()
    if options.json:
        show_json([{"previous": before, "epoch": after}])
    else:
        show_line(f"epoch {after} begins; orders of epoch {before} that the ledger does not have are foreign now")
    return 0
