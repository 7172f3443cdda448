"""The adapter and an exchange with a wire between them, and a hand behind the counter."""

from __future__ import annotations

from typing import Any

import attrs
import httpx

from tests.alpaca.served import KEYS
from tradecore.testing.broker_contract import Play
from tradecore_exchange import Floor


@attrs.frozen
class Scene(Play):
    """A play whose stage is behind HTTP, and the hand that arms faults there."""

    floor: Floor
    url: str

    async def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with httpx.AsyncClient(base_url=self.url, headers=KEYS, trust_env=False) as http:
            answer = await http.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def arm(self, kind: str, **fields: Any) -> None:
        await self.control("POST", "/_ctl/faults", {"kind": kind, **fields})

    async def posts(self) -> dict[str, int]:
        told: dict[str, int] = (await self.control("GET", "/_ctl/orders"))["posts"]
        return told
