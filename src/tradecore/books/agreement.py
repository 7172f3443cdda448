"""Do the books say what the domain says? The check that `tradecore verify` runs."""

from __future__ import annotations

from collections.abc import Iterable

from tradecore.books.bookkeeper import Bookkeeper, FillTimes
from tradecore.books.standing import Standing
from tradecore.domain.account import AccountState
from tradecore.domain.events import AccountPinned, CashBooked, Event, LotsRestated, PositionChange
from tradecore.domain.messages import Recorded
from tradecore.views.folding import SENSELESS


class Agreement:
    """Keeps the books of a ledger once more, from the same events but by lots and postings, and compares the ends."""

    def __init__(self, fills: FillTimes | None = None) -> None:
        """`fills` is where the times of executions are kept; without it, in memory."""
        self._keeper = Bookkeeper(fills)
        self._broken: dict[str, str] = {}

    def take(self, recorded: Recorded[Event]) -> None:
        """Book the next event. The first one of an account that cannot be booked ends its books."""
        event = recorded.event
        booked = AccountPinned | PositionChange | CashBooked | LotsRestated
        account = event.account if isinstance(event, booked) else None
        if account in self._broken:
            return
        try:
            self._keeper.take(recorded)
        except SENSELESS as error:
            if account is None:
                raise
            self._broken[account] = f"its books end at position {recorded.envelope.position}: {error}"

    def differences(self, accounts: Iterable[AccountState]) -> list[tuple[str, str]]:
        """Subject and sentence for whatever is not the same to the last decimal."""
        found = [(f"account-{account}", message) for account, message in self._broken.items()]
        for state in accounts:
            if state.account not in self._broken:
                standing = self._keeper.standings.get(state.account, Standing())
                found.extend((f"account-{state.account}", message) for message in differences(standing, state))
        return found


def differences(standing: Standing, state: AccountState) -> list[str]:
    """Where books and account differ, a sentence each. Debits equal credits by now: every entry proved its own."""
    booked: dict[str, tuple[object, object]] = {
        "cash": (standing.cash, state.cash),
        "realised profit": (standing.realised_pnl, state.realised_pnl),
        "fees": (standing.fees, state.fees),
    }
    positions = standing.positions
    for symbol in sorted({*positions, *state.positions}):
        held = positions.get(symbol)
        booked[f"lots of {symbol}"] = (held, state.positions.get(symbol))
    return [
        f"{what} is booked as {ours}, and the account says {its}" for what, (ours, its) in booked.items() if ours != its
    ]
