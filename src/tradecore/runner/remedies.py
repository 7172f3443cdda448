"""What a person can do about an error that ended a run."""

from __future__ import annotations

from tradecore.errors import (
    BrokerUnauthorized,
    BrokerUnreachable,
    CorruptLedger,
    LeaseHeld,
    NewerLedger,
    StoreFull,
    TradecoreError,
)

_ADVICE: dict[type[TradecoreError], str] = {
    BrokerUnauthorized: "check APCA_API_KEY_ID and APCA_API_SECRET_KEY, and that broker.base_url is their account's",
    BrokerUnreachable: "check the network and broker.base_url; what is recorded goes on at the next start",
    CorruptLedger: "bring it back from a copy, or name another --ledger",
    LeaseHeld: "wait for it to end or stop it, or name another --ledger",
    NewerLedger: "update tradecore, or name another --ledger",
    StoreFull: "make room on its disk and start again; nothing that was recorded is lost",
}


def with_remedy(error: TradecoreError) -> str:
    """The error in one line, and what to do where the error cannot know it itself."""
    advice = _ADVICE.get(type(error))
    message = f"{error}: {advice}" if advice else str(error)
    # What a broker wrote must not drive a terminal, nor look like two errors.
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)


def first_error(error: BaseException) -> BaseException:
    """The error inside the groups that task groups make of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
