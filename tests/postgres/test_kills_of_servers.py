"""Every process of the server is killed under load, and nothing acknowledged is lost."""

from __future__ import annotations

from tests.postgres.campaign import run_campaign
from tests.postgres.conftest import MakeServer


def test_ten_kills_lose_tear_and_double_nothing(own_server: MakeServer) -> None:
    server = own_server({})
    tally = run_campaign(server, server.url("postgres"), kills=10)
    assert tally.is_clean, tally
    assert tally.kills == 10
    assert tally.acknowledged > 100
    assert tally.settled_as_done + tally.settled_as_undone > 0, "no kill met a write: the test proves nothing"
