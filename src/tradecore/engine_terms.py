"""What an engine is told about the account that it trades."""

from __future__ import annotations

from decimal import Decimal

import attrs

from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.limits import Limits
from tradecore.domain.triggers import Vigilance


@attrs.frozen
class Terms:
    """What the engine is told about an account: limits, how long an intent stays fresh, and when truth is too old.

    New risk waits when the account was not reconciled for `account_max_age_s` (None: however long), and when the stream
    of reports is lost for longer than `stream_grace_s`. Cash may differ by `cash_tolerance` without stopping anything.
    Prices of what is held are taken in every `mark_every_s`. What is on its way explains a difference for `patience_s`.
    What the broker trades is not known any more when it last said so `assets_max_age_s` ago (None: however long).
    Where the market `is_replayed`, its clock is not ours. `exits` is how trades are left whose ideas do not say.
    `build` is a hash of the code, `alone` says whether no other runner shares the ledger.
    """

    account: str
    limits: Limits
    not_after_s: float
    account_max_age_s: float | None = None
    assets_max_age_s: float | None = None
    stream_grace_s: float = 10.0
    cash_tolerance: Decimal = Decimal(1)
    mark_every_s: float = 300.0
    patience_s: float = 60.0
    vigilance: Vigilance = Vigilance()
    is_replayed: bool = False
    exits: ExitPlan | None = None
    build: str = ""
    alone: bool = True
