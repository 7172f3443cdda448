"""Encryption of texts: AES-256-GCM, bound to what the text is and whose, so that none can be put in another's place."""

from __future__ import annotations

import importlib.util
import os

from tradecore.errors import CorruptLedger, MissingExtra

_NONCE_BYTES = 12


def can_seal() -> bool:
    """Whether the optional dependency for it is installed."""
    return importlib.util.find_spec("cryptography") is not None


def new_key() -> bytes:
    """A key that nobody had before; 32 bytes."""
    return os.urandom(32)


def seal(key: bytes, content: bytes, digest: str, subject: str) -> bytes:
    """Nonce and ciphertext of a text. Raises `MissingExtra`."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra("encrypting texts", "encryption") from None
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + bytes(AESGCM(key).encrypt(nonce, content, _context(digest, subject)))


def unseal(key: bytes, sealed: bytes, digest: str, subject: str) -> bytes:
    """The text again. Raises `MissingExtra`; `CorruptLedger` for what was changed, moved or sealed by another key."""
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra("reading encrypted texts", "encryption") from None
    try:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return bytes(AESGCM(key).decrypt(nonce, ciphertext, _context(digest, subject)))
    except (InvalidTag, ValueError) as error:
        raise CorruptLedger(f"the text {digest} is not what was sealed, or its key is another one") from error


def _context(digest: str, subject: str) -> bytes:
    return f"tradecore text\0{digest}\0{subject}".encode()
