"""The pair of API keys, hidden until a header or a sign-in message is made."""

from __future__ import annotations

import re

import attrs
from pydantic import SecretStr

from tradecore.errors import ConfigurationError

_KEY = re.compile(r"[!-~]+", re.ASCII)
_LONG_ENOUGH_TO_HIDE = 12
_HIDDEN = "[hidden]"


@attrs.frozen
class Keys:
    """Key id and secret key. Neither is ever part of a repr, an error or a log."""

    key_id: SecretStr
    secret_key: SecretStr

    def hide(self, text: str) -> str:
        """The text without our keys, should a server or a proxy have echoed them."""
        for key in (self.secret_key.get_secret_value(), self.key_id.get_secret_value()):
            if len(key) >= _LONG_ENOUGH_TO_HIDE:
                text = text.replace(key, _HIDDEN)
        return text

    def hide_bytes(self, body: bytes) -> bytes:
        """The same for bytes."""
        for key in (self.secret_key.get_secret_value(), self.key_id.get_secret_value()):
            if len(key) >= _LONG_ENOUGH_TO_HIDE:
                body = body.replace(key.encode("ascii"), _HIDDEN.encode("ascii"))
        return body


def make_keys(key_id: SecretStr, secret_key: SecretStr) -> Keys:
    """Keys that can travel in a header; raises `ConfigurationError` naming the variable, never the value."""
    for variable, key in (("APCA_API_KEY_ID", key_id), ("APCA_API_SECRET_KEY", secret_key)):
        value = key.get_secret_value()
        if not value:
            raise ConfigurationError(f"{variable} is not set in the environment")
        if not _KEY.fullmatch(value):
            raise ConfigurationError(f"{variable} holds a character that no key has (a space or a line end?)")
    return Keys(key_id, secret_key)
