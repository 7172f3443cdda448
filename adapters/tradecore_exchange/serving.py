"""How an exchange is served, apart from what it is: frames, limits, and what it offers beyond the plainest one."""

from __future__ import annotations

import enum

import attrs

from tradecore.errors import InputError


class StreamPolicy(enum.StrEnum):
    """What becomes of a second connection to an account's trade stream."""

    SHARE = "share"
    REFUSE = "refuse"
    KICK = "kick"


@attrs.frozen
class Serving:
    """Every default is the most generous.

    `text_frames` makes the trade stream speak text, as the live one does, where the paper one speaks binary.
    `rate_limit_per_minute` is each account's own; it is shown always and enforced only if `rate_limit_enforced`.
    `stream_policy`: a further connection to the trade stream of an account is served (`share`), answered with 429
    (`refuse`), or ends the one before (`kick`). With `refuse`, a connection that ended without a goodbye keeps its
    place for `reap_after_s`. `events` offers the two event streams under `/v2/events` and `/v2beta1/events`; a reader
    that is more than `events_behind_max` messages late loses the oldest of them and is told so.
    """

    text_frames: bool = False
    rate_limit_per_minute: int = 200
    rate_limit_enforced: bool = False
    stream_policy: StreamPolicy = StreamPolicy.SHARE
    reap_after_s: float = 90.0
    events: bool = False
    events_behind_max: int = 1_000

    def __attrs_post_init__(self) -> None:
        if self.rate_limit_per_minute < 1:
            raise InputError("rate_limit_per_minute", self.rate_limit_per_minute, "one or more")
        if self.reap_after_s < 0:
            raise InputError("reap_after_s", self.reap_after_s, "seconds of zero or more")
        if self.events_behind_max < 1:
            raise InputError("events_behind_max", self.events_behind_max, "one or more")
