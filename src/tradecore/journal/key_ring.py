"""Keys that events are encrypted with: the last is used for what is written, all of them for what is read."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from tradecore.errors import ConfigurationError

KEYS_VARIABLE = "TRADECORE_EVENT_KEYS"
FILE_VARIABLE = "TRADECORE_ENCRYPTION__KEYS_FILE"
_LINE = re.compile(r"([A-Za-z0-9_-]{1,32})\s*:\s*([A-Za-z0-9+/]{43}=)")
_EXPECTED = "lines of NAME:KEY, the name of letters, digits, - and _, the key 32 bytes in base64"


@attrs.frozen
class KeyRing:
    """Keys by name, the newest last. They are in no message and no repr."""

    keys: Mapping[str, bytes] = attrs.field(repr=", ".join)

    @property
    def newest(self) -> str:
        """The name of the key to write with."""
        return list(self.keys)[-1]


def parse_key_ring(text: str, source: str) -> KeyRing:
    """Keys, one per line or separated by commas; `#` begins a comment. Raises `ConfigurationError` naming the line."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate(re.split(r"[\n,]", text), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        match = _LINE.fullmatch(content)
        if match is None:
            raise ConfigurationError(f"{source}, line {number}: this is no key; expected {_EXPECTED}")
        name, encoded = match.groups()
        if name in keys:
            raise ConfigurationError(f"{source}, line {number}: there is a key {name!r} already")
        try:
            keys[name] = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ConfigurationError(f"{source}, line {number}: this is no key; expected {_EXPECTED}") from None
    if not keys:
        raise ConfigurationError(f"{source}: there is no key; expected {_EXPECTED}")
    return KeyRing(keys)


def read_key_ring(path: Path) -> KeyRing:
    """Keys from a file. Raises `ConfigurationError`."""
    try:
        return parse_key_ring(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        raise ConfigurationError(f"encryption.keys_file: there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"encryption.keys_file: {path} cannot be read: {type(error).__name__}") from None


def find_key_ring(keys_file: str = "") -> KeyRing | None:
    """The keys in TRADECORE_EVENT_KEYS, else in the file that is named here or in the environment, else None.

    Raises `ConfigurationError`.
    """
    if text := os.environ.get(KEYS_VARIABLE):
        return parse_key_ring(text, KEYS_VARIABLE)
    path = keys_file or os.environ.get(FILE_VARIABLE)
    return read_key_ring(Path(path)) if path else None
