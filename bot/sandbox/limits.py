"""Slack's numbers, and the throttle and faults that hold them. Knows nothing of messages."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How strict the workspace is; the defaults are Slack's documented figures.

    `posts_per_second` is per channel; 0 switches throttling off. `post_burst` messages may be
    sent at once (Slack: "short bursts" are allowed, without a figure).
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


@dataclass
class _Bucket:
    tokens: float
    at_seconds: float


class Throttle:
    """A token bucket for each channel. The caller holds the workspace's lock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[str, _Bucket] = {}

    def take(self, channel: str, now_seconds: float) -> int | None:
        """Take one message's worth; None when granted, else whole seconds to wait."""
        rate = self._limits.posts_per_second
        if rate <= 0:
            return None
        full = float(self._limits.post_burst)
        bucket = self._buckets.setdefault(channel, _Bucket(full, now_seconds))
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
