"""What can be wrong with a TCP connection, and which connection gets what."""

from __future__ import annotations

import random

import attrs

from tradecore.errors import InputError


@attrs.frozen
class Toxics:
    """What one direction of one connection suffers; the defaults are a perfect wire.

    `latency_ms` and up to `jitter_ms` more pass before every chunk. `bytes_per_s` is the bandwidth, `slice_bytes` the
    largest piece that is sent at once (0: neither is limited). The others count bytes of this direction (None: never)
    and strike when something comes: at `blackhole_after` nothing more comes through, and nobody is told; at
    `close_after` the connection is closed, at `reset_after` it is reset; the byte at `corrupt_at` is changed.
    `cut_frame` resets it in the middle of the payload of that WebSocket frame, counted from 1.
    """

    latency_ms: float = 0
    jitter_ms: float = 0
    bytes_per_s: float = 0
    slice_bytes: int = 0
    blackhole_after: int | None = None
    close_after: int | None = None
    reset_after: int | None = None
    corrupt_at: int | None = None
    cut_frame: int | None = None

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(Toxics):
            value = getattr(self, field.name)
            if value is not None and value < 0:
                raise InputError(field.name, value, "a number of zero or more")


PERFECT = Toxics()


@attrs.frozen
class Wire:
    """Both directions of a connection: `up` to the server, `down` to the client. `refuse` resets it at once."""

    up: Toxics = PERFECT
    down: Toxics = PERFECT
    refuse: bool = False


def wire_by_seed(seed: int, number: int, intensity: float, bytes_max: int = 400) -> Wire:
    """What the connection of a number (from 1) suffers: the same for the same seed. `intensity` is the chance, 0 to 1.

    A connection that suffers does so in one way, so that what follows can be told from what caused it. None is changed
    in transit: outside of this machine TLS would notice.
    """
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 -- repeatable on purpose
    if chance.random() >= intensity:
        return Wire()
    at = chance.randint(0, bytes_max)
    ways = {
        "refuse": Wire(refuse=True),
        "slow": Wire(down=Toxics(latency_ms=chance.randint(1, 50), jitter_ms=chance.randint(0, 50))),
        "narrow": Wire(down=Toxics(bytes_per_s=chance.randint(5_000, 50_000))),
        "sliced": Wire(up=Toxics(slice_bytes=chance.randint(1, 20)), down=Toxics(slice_bytes=chance.randint(1, 20))),
        "reset up": Wire(up=Toxics(reset_after=at)),
        "reset down": Wire(down=Toxics(reset_after=at)),
        "close down": Wire(down=Toxics(close_after=at)),
        "black up": Wire(up=Toxics(blackhole_after=at)),
        "black down": Wire(down=Toxics(blackhole_after=at)),
    }
    return ways[chance.choice(sorted(ways))]
