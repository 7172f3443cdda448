"""Free text beside the events: events name it by its hash, so that it can be erased and the log still verifies.

A text belongs to a subject (a person, a source, a contract: whoever may ask for it to be gone), or to nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import attrs


@attrs.frozen
class Erased:
    """What is left of a text that was erased: its hash."""

    digest: str


class SideStore(Protocol):
    """Texts by the SHA-256 of their bytes. Every method raises `StoreUnavailable` when the store cannot do it."""

    def put(self, subject: str | None, media_type: str, content: bytes) -> str:
        """Keep a text for a subject and return its hash (64 hex digits); durable when it returns, repeats do nothing.

        The same text of two subjects is kept twice: erasing one leaves the other's.
        """

    def put_all(self, subject: str | None, media_type: str, contents: Sequence[bytes]) -> tuple[str, ...]:
        """The same for several texts in one transaction; their hashes in order."""

    def get(self, digest: str) -> bytes | Erased:
        """The text with this hash, from whichever subject still has it.

        Raises `InputError` for a hash that nothing was ever kept under, `CorruptLedger` for a text that is not what
        was kept, `MissingExtra` for an encrypted one where `cryptography` is not installed.
        """

    def media_type(self, digest: str) -> str:
        """The media type that a text was kept with, also of one that was erased. Raises `InputError`."""

    def erase(self, subject: str) -> int:
        """Erase everything that is kept of a subject, and return how many texts that were; harmless when repeated.

        Afterwards none of it is in any file of this ledger. Raises `StoreUnavailable` when somebody else reads for so
        long that the last traces stay in the log: repeat it.
        """


def digest_of(content: bytes) -> str:
    """The hash under which a text is kept: SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def hash_subject(subject: str) -> str:
    """A subject as events and stores name it. Who can guess the name can compute it: it hides, it does not forget."""
    return hashlib.sha256(b"tradecore subject\0" + subject.encode()).hexdigest()
