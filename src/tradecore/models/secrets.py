"""The keys that this process knows, so that none of them leaves it in a prompt or stays in a record."""

from __future__ import annotations

from collections.abc import Mapping

from tradecore.errors import SecretInPrompt

_SHORTEST = 8  # characters; less is no key, and would be found in any text
_HIDDEN = b"[hidden]"


class Secrets:
    """Values of environment variables that hold keys."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """`values` by the name of the variable; empty and very short ones are ignored."""
        self._values = {name: value.encode() for name, value in values.items() if len(value) >= _SHORTEST}

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"

    def check(self, prompt: bytes) -> None:
        """Raises `SecretInPrompt` when the prompt holds one of them."""
        for name, value in self._values.items():
            if value in prompt:
                raise SecretInPrompt(name)

    def hide(self, text: bytes) -> bytes:
        """The text without them, should somebody have echoed one."""
        for value in self._values.values():
            text = text.replace(value, _HIDDEN)
        return text
