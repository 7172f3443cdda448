"""Opening the venue from settings."""

from __future__ import annotations

import inspect
from contextlib import nullcontext

import httpx
import pytest
from pydantic import SecretStr

from tests.alpaca.recorded import ACCOUNT
from tests.alpaca.scripted_http import reply
from tests.alpaca.standing import KEY_ID, SECRET, Standing
from tradecore.errors import ConfigurationError
from tradecore.ports.broker import Broker
from tradecore.ports.market_data import MarketData
from tradecore.ports.venue import OpenVenue
from tradecore.settings import BrokerSettings, Settings, load_settings
from tradecore_alpaca.venue import make_client, open_venue

pytestmark = pytest.mark.anyio


def settings(base_url: str = "") -> Settings:
    return Settings(
        broker=BrokerSettings(name="alpaca", base_url=base_url),
        api_key_id=SecretStr(KEY_ID),
        api_secret_key=SecretStr(SECRET),
    )


async def test_opens_and_closes(standing: Standing) -> None:
    standing.server.replies = [reply(200, ACCOUNT)]
    opener: OpenVenue = open_venue
    async with opener(settings(standing.server.url)) as venue:
        assert venue.broker.name == "alpaca"
        assert venue.replay is None
        assert (await venue.broker.account()).account_id == ACCOUNT["id"]


def test_missing_keys_are_named_before_anything_is_opened() -> None:
    with pytest.raises(ConfigurationError, match="APCA_API_KEY_ID"):
        open_venue(Settings(api_key_id=SecretStr(""), api_secret_key=SecretStr(SECRET)))


@pytest.mark.parametrize(
    ("told", "live", "refused"),
    [
        ("https://api.alpaca.markets", False, True),
        ("https://paper-api.alpaca.markets/v2", True, True),
        ("https://paper-api.alpaca.markets/v2", False, False),
        ("https://api.alpaca.markets", True, False),
        ("not an address", False, True),
        ("", True, False),
    ],
)
def test_orders_go_nowhere_else_than_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, told: str, live: bool, refused: bool
) -> None:
    """Who has the address of the paper account in the environment means paper, whatever the command line says."""
    for variable, value in (("KEY_ID", KEY_ID), ("SECRET_KEY", SECRET), ("BASE_URL", told)):
        monkeypatch.setenv(f"APCA_API_{variable}", value)
    chosen = load_settings(None, {"broker": {"name": "alpaca", "live": live}})
    with pytest.raises(ConfigurationError, match="APCA_API_BASE_URL") if refused else nullcontext():
        open_venue(chosen)


async def test_the_client_takes_nothing_from_the_environment(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("WS_PROXY", "http://127.0.0.1:1")
    standing.server.replies = [reply(200, ACCOUNT)]
    async with make_client() as client:
        assert not client.follow_redirects
        assert isinstance(client, httpx.AsyncClient)
        assert (await client.get(standing.server.url)).status_code == 200


async def test_every_need_of_the_ports_is_met(standing: Standing) -> None:
    for port, thing in ((Broker, standing.broker), (MarketData, standing.market_data)):
        for name, member in inspect.getmembers(port, inspect.isfunction):
            if not name.startswith("_"):
                assert inspect.signature(getattr(thing, name)) == inspect.signature(member.__get__(thing)), name
