"""A stub of a model behind an OpenAI-compatible address: it answers out of the seed, and fails in every way."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from decimal import ROUND_UP, Decimal
from typing import Any

import attrs
import h11

from tests.simulation.dialing import Connection
from tests.simulation.minds import KEY, KINDS, PRICES, STATUSES

_ANSWERS = frozenset({"", "slow", "drip", "no usage", "extreme", "goodbye"})
_BILLED = frozenset(KINDS) - {"400", "401", "429", "500", "503", "reset"}
_MICRO = Decimal("1e-6")


@attrs.define(eq=False)
class Said:
    """What the model said to a request. `content` is what a whole answer says, None for anything else."""

    kind: str
    content: dict[str, Any] | None = None
    bill: Decimal = Decimal(0)
    counts: bool = True


Heard = Callable[[Connection, Said], None]


class Stub:
    """One provider with one model. `mood` is how often it fails by itself, from 0 to 1."""

    def __init__(self, name: str, seed: int, mood: float, heard: Heard, tell: Callable[[str, str], None]) -> None:
        self.name = name
        self.armed: list[str] = []
        self.hangs = False
        self._rng = random.Random(f"model:{seed}:{name}")
        self._mood = mood
        self._heard = heard
        self._tell = tell

    async def serve(self, connection: Connection) -> None:
        """Answer requests on a connection until either side has enough."""
        http = h11.Connection(h11.SERVER)
        while (body := await _request(http, connection)) is not None:
            kind = self._kind()
            said = self._say(kind, json.loads(body))
            if kind in _BILLED or not kind:
                said.bill = _bill(self.name, body, said)
            self._heard(connection, said)
            self._tell(self.name, f"answers {kind or 'well'}: {json.dumps(said.content)}")
            if not await self._answer(http, connection, kind, said, json.loads(body)):
                return
            http.start_next_cycle()
        connection.end()

    def _kind(self) -> str:
        if self.hangs:
            return "hang"
        if self.armed:
            return self.armed.pop(0)
        return self._rng.choice(KINDS) if self._rng.random() < self._mood else ""

    def _say(self, kind: str, asked: dict[str, Any]) -> Said:
        content = make_answer(self._rng, asked, extreme=kind == "extreme")
        return Said(kind, content if kind in _ANSWERS else None, counts=kind != "no usage")

    # --- on the wire ------------------------------------------------------------------------------------------------

    async def _answer(
        self, http: h11.Connection, connection: Connection, kind: str, said: Said, asked: dict[str, Any]
    ) -> bool:
        """Whether the connection can be used again."""
        await asyncio.sleep(self._rng.uniform(0.02, 0.6))
        if kind == "hang":
            await asyncio.sleep(3_600)
        if kind == "slow":
            await asyncio.sleep(self._rng.uniform(1.0, 8.0))
        if kind == "reset":
            connection.reset()
            return False
        if kind in STATUSES:
            words = f'{{"error": {{"message": "no, and your key is {KEY}"}}}}'.encode()
            waits = [("retry-after", str(self._rng.randint(0, 4)))] if kind == "429" else []
            return _send(http, connection, STATUSES[kind], "application/json", [words], waits)
        text = json.dumps(said.content) if said.content else self._wrong(kind, asked)
        reason = {"filtered": "content_filter", "length": "length"}.get(kind, "stop")
        refusal = "I would rather not" if kind == "refusal" else None
        usage = _usage(asked, text) if said.counts else None
        if asked.get("stream"):
            pieces = _stream(text, refusal, reason, usage)
            if kind == "half stream":
                del pieces[self._rng.randint(1, len(pieces) - 2) :]
            elif kind == "no end":
                pieces.pop()
            kind_of = "text/event-stream"
        else:
            pieces, kind_of = [_whole(text, refusal, reason, usage)], "application/json"
        if kind == "not json":
            pieces, kind_of = [b"<html>Bad day</html>"], "text/html"
        if kind in ("cut", "half stream", "no end") and not (asked.get("stream") and kind != "cut"):
            return _cut(http, connection, kind_of, b"".join(pieces))
        pause_s = self._rng.uniform(0.05, 1.5) if kind == "drip" else 0.0
        if pause_s:
            pieces = _crumbs(b"".join(pieces))
        is_open = await _trickle(http, connection, kind_of, pieces, pause_s)
        if kind == "goodbye":
            connection.end()
            return False
        return is_open

    def _wrong(self, kind: str, asked: dict[str, Any]) -> str:
        """What is no answer to the question that was asked."""
        if kind == "prose":
            return "I would buy, since it goes up."
        good = make_answer(self._rng, asked, extreme=False)
        if kind == "schema":
            name, value = self._rng.choice(
                (("confidence", 7), ("action", "purchase"), ("wish", 1), ("size_fraction", "much"), ("reasoning", None))
            )
            good = {"action": "buy", "reasoning": "", "confidence": 1, "size_fraction": 0.01} | {name: value}
        text = json.dumps(good)
        return text[: len(text) // 2] if kind == "length" else text


def make_answer(rng: random.Random, asked: dict[str, Any], *, extreme: bool) -> dict[str, Any]:
    """An answer that fits the form that is asked for, about the symbol and the position that the prompt shows."""
    told = asked["messages"][1]["content"]
    material = json.loads(told[told.index("{") : told.rindex("}") + 1])
    form = asked["response_format"]["json_schema"]["name"]
    price = Decimal(material["bars"][-1][4])
    if form == "RiskAnswer":
        return {"veto": rng.random() < 0.2, "max_size_fraction": float(_share(rng, price)), "reasoning": "risk"}
    held = Decimal(material["position"]["held"])
    words = ("sell", "sell", "hold", "buy", "abstain") if held else ("buy", "buy", "buy", "hold", "sell", "abstain")
    action = rng.choice(words)
    answer: dict[str, Any] = {
        "action": action,
        "confidence": rng.randint(30, 100) / 100,
        "reasoning": f"{action} at {price}",
    }
    if form == "OpinionAnswer":
        return answer
    answer["size_fraction"] = 1.0 if extreme else float(_share(rng, price))
    sign = -1 if action == "sell" else 1
    if rng.random() < 0.7:
        answer["stop_price"] = _near(price, -sign, rng)
        answer["target_price"] = _near(price, sign * (-1 if extreme else 1), rng)
    if rng.random() < 0.3:
        answer["horizon_minutes"] = rng.randint(1, 3)
    return answer


def _share(rng: random.Random, price: Decimal) -> Decimal:
    """A few units, as a share of what the account begins with."""
    return (rng.randint(1, 14) * price / 100_000 * Decimal("1.001")).quantize(_MICRO, rounding=ROUND_UP)


def _near(price: Decimal, sign: int, rng: random.Random) -> float:
    away = rng.choice((Decimal("0.004"), Decimal("0.01"), Decimal("0.02")))
    return float((price * (1 + sign * away)).quantize(Decimal("0.01")))


def _usage(asked: dict[str, Any], text: str) -> dict[str, int]:
    given, made = len(json.dumps(asked)) // 4, len(text) // 4 + 1
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _bill(name: str, body: bytes, said: Said) -> Decimal:
    """What the provider asks for, in dollars."""
    asked = json.loads(body)
    usage = _usage(asked, json.dumps(said.content) if said.content else "")
    dear, dearer = PRICES[name]
    return (dear * usage["prompt_tokens"] + dearer * usage["completion_tokens"]) / 1_000_000


async def _request(http: h11.Connection, connection: Connection) -> bytes | None:
    """The body of the next request; None when the client has gone."""
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            data = await connection.receive()
            if not data:
                return None
            http.receive_data(data)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return body
        elif not isinstance(event, h11.Request):
            return None


def _send(
    http: h11.Connection,
    connection: Connection,
    status: int,
    kind_of: str,
    pieces: list[bytes],
    more: list[tuple[str, str]],
) -> bool:
    whole = b"".join(pieces)
    headers = [("content-type", kind_of), ("content-length", str(len(whole))), *more]
    connection.send(http.send(h11.Response(status_code=status, headers=headers)) or b"")
    connection.send(http.send(h11.Data(data=whole)) or b"")
    connection.send(http.send(h11.EndOfMessage()) or b"")
    return True


def _cut(http: h11.Connection, connection: Connection, kind_of: str, whole: bytes) -> bool:
    """Less than was promised."""
    headers = [("content-type", kind_of), ("content-length", str(len(whole)))]
    connection.send(http.send(h11.Response(status_code=200, headers=headers)) or b"")
    connection.send(whole[: len(whole) // 2])
    connection.end()
    return False


async def _trickle(
    http: h11.Connection, connection: Connection, kind_of: str, pieces: list[bytes], pause_s: float
) -> bool:
    """In chunks, as streams come."""
    headers = [("content-type", kind_of), ("transfer-encoding", "chunked")]
    connection.send(http.send(h11.Response(status_code=200, headers=headers)) or b"")
    for piece in pieces:
        connection.send(http.send(h11.Data(data=piece)) or b"")
        if pause_s:
            await asyncio.sleep(pause_s)
    connection.send(http.send(h11.EndOfMessage()) or b"")
    return True


def _crumbs(whole: bytes) -> list[bytes]:
    """In eight pieces, wherever that cuts."""
    size = len(whole) // 8 + 1
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def _whole(text: str, refusal: str | None, reason: str, usage: dict[str, int] | None) -> bytes:
    message = {"role": "assistant", "content": None if refusal else text, "refusal": refusal}
    told: dict[str, Any] = {
        "id": "chat-1",
        "model": "stub",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
    }
    return json.dumps(told | ({"usage": usage} if usage else {})).encode()


def _stream(text: str, refusal: str | None, reason: str, usage: dict[str, int] | None) -> list[bytes]:
    """Server-sent events: the text in three pieces, why it ends, what it costs, and that it is done."""
    size = len(text) // 3 + 1
    deltas = [{"content": text[at : at + size]} for at in range(0, len(text), size)]
    told: list[dict[str, Any]] = [_chunk(delta) for delta in ([{"refusal": refusal}] if refusal else deltas)]
    told.append(_chunk({}, reason))
    if usage:
        told.append({"id": "chat-1", "model": "stub", "choices": [], "usage": usage})
    return [b"data: " + json.dumps(one).encode() + b"\n\n" for one in told] + [b"data: [DONE]\n\n"]


def _chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"id": "chat-1", "model": "stub", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
