"""Addresses: paper by default, live only when said, the rest derived, and every mistake named."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.alpaca.standing import KEY_ID, SECRET
from tradecore.errors import ConfigurationError
from tradecore.settings import BrokerSettings
from tradecore_alpaca.keys import make_keys
from tradecore_alpaca.urls import resolve_urls


def test_paper_by_default() -> None:
    urls = resolve_urls(BrokerSettings())
    assert urls.base_url == "https://paper-api.alpaca.markets"
    assert urls.stream_url == "wss://paper-api.alpaca.markets/stream"
    assert urls.data_url == "https://data.alpaca.markets"
    assert urls.data_stream_url == "wss://stream.data.alpaca.markets/v2/iex"
    assert urls.paper


def test_live_when_said() -> None:
    urls = resolve_urls(BrokerSettings(live=True, feed="sip"))
    assert urls.base_url == "https://api.alpaca.markets"
    assert urls.stream_url == "wss://api.alpaca.markets/stream"
    assert urls.data_stream_url == "wss://stream.data.alpaca.markets/v2/sip"
    assert not urls.paper


@pytest.mark.parametrize(
    "base", ["https://api.alpaca.markets", "https://API.Alpaca.Markets./v2", "https://api.alpaca.markets:443/"]
)
def test_the_live_host_needs_live(base: str) -> None:
    with pytest.raises(ConfigurationError, match=r"broker\.base_url.*live"):
        resolve_urls(BrokerSettings(base_url=base))
    assert not resolve_urls(BrokerSettings(base_url=base, live=True)).paper


def test_the_live_stream_needs_live() -> None:
    with pytest.raises(ConfigurationError, match=r"broker\.stream_url"):
        resolve_urls(BrokerSettings(stream_url="wss://api.alpaca.markets/stream"))
    with pytest.raises(ConfigurationError, match=r"broker\.stream_url"):
        resolve_urls(BrokerSettings(stream_url="wss://paper-api.alpaca.markets/stream", live=True))


@pytest.mark.parametrize("base", ["http://127.0.0.1:9000", "http://127.0.0.1:9000/", "http://127.0.0.1:9000/v2/"])
def test_one_address_of_another_server_gives_the_others(base: str) -> None:
    urls = resolve_urls(BrokerSettings(base_url=base, feed="sip"))
    assert urls.base_url == "http://127.0.0.1:9000"
    assert urls.stream_url == "ws://127.0.0.1:9000/stream"
    assert urls.data_url == "http://127.0.0.1:9000"
    assert urls.data_stream_url == "ws://127.0.0.1:9000/v2/sip"
    assert urls.paper


def test_what_is_given_is_taken() -> None:
    urls = resolve_urls(
        BrokerSettings(
            base_url="https://broker.test/alpaca",
            stream_url="wss://broker.test/updates/",
            data_url="https://data.broker.test/",
            data_stream_url="wss://bars.broker.test/iex",
        )
    )
    assert urls.base_url == "https://broker.test/alpaca"
    assert urls.stream_url == "wss://broker.test/updates"
    assert urls.data_url == "https://data.broker.test"
    assert urls.data_stream_url == "wss://bars.broker.test/iex"


@pytest.mark.parametrize("key", ["base_url", "stream_url", "data_url", "data_stream_url"])
@pytest.mark.parametrize(
    "url",
    [
        "ftp://h",
        "paper-api.alpaca.markets",
        "http://",
        "://",
        "https://u:p@h",
        "https://h/?q",
        "wss://h/#f",
        "http://h:port",
        "http://[::1",
        " ",
    ],
)
def test_wrong_addresses_are_named(key: str, url: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"broker\.{key}:"):
        resolve_urls(BrokerSettings.model_validate({key: url}))


def test_a_stream_is_no_http_address_and_the_reverse() -> None:
    for key, url in (("base_url", "ws://h"), ("stream_url", "http://h"), ("data_url", "wss://h")):
        with pytest.raises(ConfigurationError, match=key):
            resolve_urls(BrokerSettings.model_validate({key: url}))


@pytest.mark.parametrize("url", ["http://paper-api.alpaca.markets", "http://data.alpaca.markets"])
def test_keys_do_not_travel_unencrypted_to_alpaca(url: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        resolve_urls(BrokerSettings(base_url=url))


@pytest.mark.parametrize("feed", ["", "IEX", "../x", "sip?x"])
def test_a_feed_is_a_word(feed: str) -> None:
    with pytest.raises(ConfigurationError, match=r"broker\.feed"):
        resolve_urls(BrokerSettings(feed=feed))


@pytest.mark.parametrize(
    ("key_id", "secret", "named"),
    [
        ("", SECRET, "APCA_API_KEY_ID"),
        (KEY_ID, "", "APCA_API_SECRET_KEY"),
        (KEY_ID, SECRET + "\n", "APCA_API_SECRET_KEY"),
        ("ключ", SECRET, "APCA_API_KEY_ID"),
    ],
)
def test_keys_that_cannot_be(key_id: str, secret: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        make_keys(SecretStr(key_id), SecretStr(secret))
    assert SECRET not in str(caught.value)


def test_keys_are_never_shown() -> None:
    keys = make_keys(SecretStr(KEY_ID), SecretStr(SECRET))
    assert KEY_ID not in repr(keys)
    assert SECRET not in str(keys)
    assert keys.hide(f"a {SECRET} b {KEY_ID}") == "a [hidden] b [hidden]"
