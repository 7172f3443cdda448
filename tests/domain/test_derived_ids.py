"""Ids that are computed are the same in every release: a retry after an upgrade must name the same order."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.identity import client_order_id, derived_id, fill_id, leg_order_id, order_id_of_client

_SPACE = uuid.UUID("7e1cf9a2-3f0b-5c0f-9d53-0d7f5b6c2a11")


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_derived_id_is_the_uuid_of_its_parts(parts: list[str]) -> None:
    try:
        "".join(parts).encode()
    except UnicodeEncodeError:
        return
    assert derived_id(*parts) == str(uuid.uuid5(_SPACE, "\x1f".join(parts)))


def test_ids_that_ledgers_have_keep_their_value() -> None:
    order = "018f3c5e-9d1a-7c3b-8a54-0242ac120002"
    assert leg_order_id(order, "stop_loss") == str(uuid.uuid5(_SPACE, f"leg\x1f{order}\x1fstop_loss"))
    assert fill_id("a", "b", "10") != fill_id("a", "b1", "0"), "parts do not run into each other"


@pytest.mark.parametrize("order", ["018f3c5e-9d1a-7c3b-8a54-0242ac120002", "018F3C5E-9D1A-7C3B-8A54-0242AC120002"])
def test_the_key_for_the_broker_leads_back_to_the_order(order: str) -> None:
    assert client_order_id(order, "0a1b2c3d") == "tc-0a1b2c3d-018f3c5e9d1a7c3b8a540242ac120002"
    assert order_id_of_client(client_order_id(order, "0a1b2c3d"), "0a1b2c3d") == order.lower()


def test_an_order_whose_id_is_no_uuid_has_no_key() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        client_order_id("7", "0a1b2c3d")
