"""Slack's numbers, and the throttle and faults that hold them. Knows nothing of messages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How strict the workspace is; the defaults are Slack's documented figures.

    `posts_per_second` is per channel; `post_burst` messages may be sent at once (Slack: "short
    bursts" are allowed, without a figure). Every other method has its tier's calls in a minute.
    With `posts_per_second` 0 nothing is throttled.
    """

    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 30 * 60.0
    response_url_uses: int = 5
    connections: int = 10
    ticket_seconds: float = 30.0
    redelivery_after_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    posts_per_second: float = 1.0
    post_burst: int = 5
    modal_stack: int = 3
    message_text: int = 40_000
    updated_text: int = 4_000


CALLS_A_MINUTE: Mapping[str, int] = {
    "apps.connections.open": 1,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.list": 20,
    "conversations.members": 100,
    "conversations.open": 50,
    "conversations.replies": 50,
    "files.completeUploadExternal": 100,
    "files.getUploadURLExternal": 100,
    "files.info": 100,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "users.info": 100,
    "users.list": 20,
    "users.lookupByEmail": 50,
    "views.open": 100,
    "views.publish": 100,
    "views.push": 100,
    "views.update": 100,
}
"""By Slack's tiers 1 to 4, of one app in one workspace. Methods that Slack limits in another way
are not here: chat.postMessage by the channel, auth.test and chat.getPermalink hardly."""
_BURST = 20.0
"""Calls of a rare method at once: Slack allows bursts, without a figure."""


@dataclass
class _Bucket:
    tokens: float
    at_seconds: float


class Throttle:
    """A token bucket for each channel and each method. The caller holds the workspace's lock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[str, _Bucket] = {}

    def take_post(self, channel: str, now_seconds: float) -> int | None:
        """Take one message's worth; None when granted, else whole seconds to wait."""
        rate, burst = self._limits.posts_per_second, float(self._limits.post_burst)
        return self._take(f"channel {channel}", rate, burst, now_seconds)

    def take_call(self, method: str, now_seconds: float) -> int | None:
        """Take one call's worth; None when granted, else whole seconds to wait."""
        a_minute = CALLS_A_MINUTE.get(method)
        if a_minute is None:
            return None
        return self._take(method, a_minute / 60, max(_BURST, float(a_minute)), now_seconds)

    def _take(self, what: str, rate: float, full: float, now_seconds: float) -> int | None:
        if self._limits.posts_per_second <= 0:
            return None
        bucket = self._buckets.setdefault(what, _Bucket(full, now_seconds))
        gained = max(0.0, now_seconds - bucket.at_seconds) * rate
        bucket.tokens = min(full, bucket.tokens + gained)
        bucket.at_seconds = now_seconds
        if bucket.tokens >= 1.0:
            bucket.tokens -= 1.0
            return None
        return max(1, math.ceil((1.0 - bucket.tokens) / rate))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What the next call of a method gets instead of its answer."""

    error: str
    http_status: int = 200
    retry_after_seconds: int | None = None


@dataclass
class Faults:
    """Answers that a test has ordered ahead, by method, first in first out."""

    _ordered: dict[str, list[Fault]] = field(default_factory=dict)

    def order(self, method: str, fault: Fault, times: int) -> None:
        self._ordered.setdefault(method, []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        queue = self._ordered.get(method)
        return queue.pop(0) if queue else None
