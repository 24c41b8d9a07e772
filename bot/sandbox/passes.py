"""What an interaction lets the app do for a while: a trigger once, a response URL a few times."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.limits import Limits


class PassRefusal(StrEnum):
    """Slack's words for a trigger or a response URL that no longer works."""

    INVALID_TRIGGER = "invalid_trigger_id"
    EXPIRED_TRIGGER = "expired_trigger_id"
    EXCHANGED_TRIGGER = "exchanged_trigger_id"
    UNKNOWN_URL = "invalid_token"
    USED_URL = "used_url"
    EXPIRED_URL = "expired_url"


class PassRefused(Exception):
    """This trigger or response URL does not work (any more)."""

    def __init__(self, reason: PassRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(kw_only=True)
class Trigger:
    """Exchanged for one view, for the user whose action it came from."""

    id: str
    user: str
    expires_at_seconds: float
    view_id: str | None
    used: bool = False


@dataclass(kw_only=True)
class ResponseUrl:
    """Answers one interaction: where, to whom, and which message it came from (if any)."""

    token: str
    channel: str
    user: str
    expires_at_seconds: float
    uses_left: int
    source_ts: str | None
    thread_ts: str | None


class Passes:
    """Issues and redeems. Expired when now ≥ the moment of expiry. The caller holds the lock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def issue_trigger(self, user: str, now_seconds: float, view_id: str | None = None) -> str:
        number = len(self._triggers) + 1
        trigger_id = f"{1_000_000 + number}.{7_000_000 + number}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(
            id=trigger_id,
            user=user,
            expires_at_seconds=now_seconds + self._limits.trigger_seconds,
            view_id=view_id,
        )
        return trigger_id

    def check_trigger(self, trigger_id: str, now_seconds: float) -> Trigger:
        """Raises: PassRefused."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise PassRefused(PassRefusal.INVALID_TRIGGER)
        if trigger.used:
            raise PassRefused(PassRefusal.EXCHANGED_TRIGGER)
        if now_seconds >= trigger.expires_at_seconds:
            raise PassRefused(PassRefusal.EXPIRED_TRIGGER)
        return trigger

    def issue_url(
        self,
        *,
        channel: str,
        user: str,
        now_seconds: float,
        source_ts: str | None,
        thread_ts: str | None,
    ) -> ResponseUrl:
        url = ResponseUrl(
            token=secrets.token_urlsafe(24),
            channel=channel,
            user=user,
            expires_at_seconds=now_seconds + self._limits.response_url_seconds,
            uses_left=self._limits.response_url_uses,
            source_ts=source_ts,
            thread_ts=thread_ts,
        )
        self._urls[url.token] = url
        return url

    def check_url(self, token: str, now_seconds: float) -> ResponseUrl:
        """Raises: PassRefused."""
        url = self._urls.get(token)
        if url is None:
            raise PassRefused(PassRefusal.UNKNOWN_URL)
        if now_seconds >= url.expires_at_seconds:
            raise PassRefused(PassRefusal.EXPIRED_URL)
        if url.uses_left <= 0:
            raise PassRefused(PassRefusal.USED_URL)
        return url
