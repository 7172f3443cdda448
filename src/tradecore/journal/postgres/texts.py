"""Free text is not kept in Postgres."""

from __future__ import annotations

from typing import NoReturn

from tradecore.errors import StoreUnavailable
from tradecore.journal.postgres.address import Address


class NoTexts:
    """A `SideStore` that refuses everything.

    Erased must mean gone, and in Postgres a row that was changed stays in its table until that is vacuumed, and in the
    write-ahead log and the archives of the server for as long as somebody else decides. Encrypting each text with a key
    outside the database would do, once there is a place for keys that all machines of a ledger share.
    """

    def __init__(self, address: Address) -> None:
        self._shown = address.shown

    def put(self, subject: str | None, media_type: str, content: bytes) -> str:
        """Raises `StoreUnavailable`."""
        self._refuse(subject, media_type, content)

    def get(self, digest: str) -> bytes:
        """Raises `StoreUnavailable`."""
        self._refuse(digest)

    def media_type(self, digest: str) -> str:
        """Raises `StoreUnavailable`."""
        self._refuse(digest)

    def erase(self, subject: str) -> int:
        """Raises `StoreUnavailable`."""
        self._refuse(subject)

    def _refuse(self, *_: object) -> NoReturn:
        raise StoreUnavailable(f"{self._shown} keeps no free text: it could not be erased there")
