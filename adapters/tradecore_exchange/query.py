"""Query parameters as clients really send them: `True`, comma lists, times with an unquoted plus."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import QueryParams

from tradecore_exchange.instants import instant_from_text
from tradecore_exchange.refusals import Refused, invalid


def flag(query: QueryParams, name: str) -> bool:
    """A boolean; absent is False. Raises `Refused`."""
    text = query.get(name, "false").lower()
    if text not in {"true", "false", "1", "0", ""}:
        raise Refused(invalid(f"invalid {name}"))
    return text in {"true", "1"}


def instant(query: QueryParams, name: str) -> int | None:
    """A time in nanoseconds, or None. Raises `Refused`."""
    text = query.get(name)
    if not text:
        return None
    try:
        return instant_from_text(text)
    except ValueError:
        raise Refused(invalid(f"invalid {name}")) from None


def whole_number(query: QueryParams, name: str, default: int, largest: int) -> int:
    """A number from 1 to `largest`. Raises `Refused`."""
    text = query.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= largest:
        raise Refused(invalid(f"{name} must be from 1 to {largest}"))
    return int(text)


def choice(query: QueryParams, name: str, default: str, words: Collection[str]) -> str:
    """One word of a list. Raises `Refused`."""
    text = query.get(name) or default
    if text not in words:
        raise Refused(invalid(f"invalid {name}"))
    return text


def listed(query: QueryParams, name: str) -> frozenset[str]:
    """A comma list; empty when absent."""
    return frozenset(filter(None, (part.strip() for part in query.get(name, "").split(","))))
