"""Accounts of one exchange: whose keys are whose."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import attrs

from tradecore.errors import InputError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)


@attrs.frozen
class AccountEntry:
    """One account: `name` also names its file; `key` and `secret` are asked of its clients; `cash` is in dollars."""

    name: str
    key: str
    secret: str
    cash: Decimal = Decimal(100_000)

    def __attrs_post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                "account name", self.name, "a small letter, then small letters, digits, - or _, at most 32"
            )
        if not self.key or not self.secret:
            raise InputError("account key", self.key, "a key and a secret that are not empty")
        if not self.cash.is_finite() or self.cash < 0:
            raise InputError("account cash", str(self.cash), "a number of dollars of zero or more")


def account_from_text(text: str, cash: Decimal) -> AccountEntry:
    """The account of `name:key:secret` or `name:key:secret:cash`. Raises `InputError`."""
    parts = text.split(":")
    if len(parts) not in {3, 4}:
        raise InputError("account", parts[0], "name:key:secret or name:key:secret:cash")
    try:
        return AccountEntry(parts[0], parts[1], parts[2], Decimal(parts[3]) if len(parts) == 4 else cash)
    except InvalidOperation:
        raise InputError("account cash", parts[3], "a number of dollars") from None
