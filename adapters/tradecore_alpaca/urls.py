"""Where to connect: Alpaca's paper addresses unless the settings say otherwise, live only when they say so twice."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

import attrs

from tradecore.errors import ConfigurationError
from tradecore.settings import BrokerSettings

PAPER_HOST = "paper-api.alpaca.markets"
LIVE_HOST = "api.alpaca.markets"
DATA_URL = "https://data.alpaca.markets"

_FEED = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_HTTP = ("http", "https")
_WEBSOCKET = ("ws", "wss")


@attrs.frozen
class Urls:
    """The four addresses, without trailing slashes. `paper` is False only for the live host."""

    base_url: str
    stream_url: str
    data_url: str
    data_stream_url: str
    feed: str
    paper: bool


def resolve_urls(broker: BrokerSettings) -> Urls:
    """The addresses that the settings mean. Raises `ConfigurationError` naming the key that is wrong."""
    if not _FEED.fullmatch(broker.feed):
        raise ConfigurationError(f"broker.feed: {broker.feed!r} is not the name of a feed, such as iex or sip")
    default_base = f"https://{LIVE_HOST if broker.live else PAPER_HOST}"
    base = _clean("broker.base_url", broker.base_url or default_base, _HTTP)
    stream = _clean("broker.stream_url", broker.stream_url or _websocket(base) + "/stream", _WEBSOCKET)
    data = _clean("broker.data_url", broker.data_url or (DATA_URL if _is_alpaca(base) else base), _HTTP)
    data_stream = _clean(
        "broker.data_stream_url", broker.data_stream_url or _data_stream(data, broker.feed), _WEBSOCKET
    )
    for key, url in (("broker.base_url", base), ("broker.stream_url", stream)):
        if _host(url) == LIVE_HOST and not broker.live:
            raise ConfigurationError(f"{key}: {LIVE_HOST} trades real money; set broker.live = true to mean it")
    if (_host(base) == LIVE_HOST) != (_host(stream) == LIVE_HOST) and _is_alpaca(base) and _is_alpaca(stream):
        raise ConfigurationError("broker.stream_url: it is not of the same account as broker.base_url (live and paper)")
    return Urls(base, stream, data, data_stream, broker.feed, paper=_host(base) != LIVE_HOST)


def check_environment(told: str, urls: Urls) -> None:
    """Refuse to trade elsewhere than `APCA_API_BASE_URL` says, which other clients of Alpaca obey.

    Raises `ConfigurationError`.
    """
    if told and _host(_clean("APCA_API_BASE_URL", told, _HTTP)) != _host(urls.base_url):
        raise ConfigurationError(
            f"APCA_API_BASE_URL: {told} is not {urls.base_url}, where orders would go; unset it, or set broker.live or "
            "broker.base_url to mean the same"
        )


def _clean(key: str, url: str, schemes: tuple[str, ...]) -> str:
    parts = _split(key, url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigurationError(f"{key}: {url!r} is not an address that begins with {' or '.join(schemes)}://")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigurationError(f"{key}: an address has no user, no question mark and no fragment")
    if _is_alpaca(url) and parts.scheme in ("http", "ws"):
        raise ConfigurationError(f"{key}: the keys would travel unencrypted; use {parts.scheme}s://")
    path = parts.path.rstrip("/")
    if schemes is _HTTP and path.endswith("/v2"):  # Alpaca's own dashboard shows its endpoint that way
        path = path.removesuffix("/v2").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _split(key: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{key}: {url!r} is not an address: {error}") from None
    return parts


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".").lower()


def _is_alpaca(url: str) -> bool:
    return _host(url) == "alpaca.markets" or _host(url).endswith(".alpaca.markets")


def _websocket(url: str) -> str:
    return "ws" + url.removeprefix("http")


def _data_stream(data_url: str, feed: str) -> str:
    if _is_alpaca(data_url):
        parts = urlsplit(data_url)
        return f"wss://stream.{parts.netloc}/v2/{feed}"
    return f"{_websocket(data_url)}/v2/{feed}"
