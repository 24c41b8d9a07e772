"""What Slack says of an account, as a standing. A field that decides and is absent bars it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from governance.domain.errors import Refused, Unavailable
from governance.domain.identity import SlackAccount, Standing, UserGroup

_PAGE = 200
_NO_ZONE = "UTC"
_SHOWN_SECONDS = 60.0
_GROUP_ADVICE = {
    "missing_scope": "the app lacks the scope usergroups:read; `foureyes doctor` says more.",
    "plan_upgrade_required": "this workspace's plan has no user groups.",
}
_GONE = ("user_not_found", "users_not_found", "user_not_visible")


class SlackAccounts:
    """Implements `governance.ports.Accounts` over `users.info` and `usergroups`; asks each time.
    What is only shown may be a minute old."""

    def __init__(self, client: WebClient, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._elapsed = elapsed
        self._shown: dict[UserGroup, tuple[float, frozenset[str] | None]] = {}
        self._lock = threading.Lock()
        self._home: tuple[str, str] | None = None

    def standing(self, account: str) -> Standing:
        """Raises Unavailable `workspace_unavailable`."""
        team, enterprise = self._workspace()
        try:
            user: dict[str, object] = self._client.users_info(user=account).get("user") or {}
        except SlackApiError as error:
            if error.response.get("error") in _GONE:
                return Standing(
                    account=SlackAccount(account),
                    deleted=True,
                    is_bot=None,
                    is_guest=None,
                    same_workspace=None,
                )
            raise _unavailable(error) from error
        except OSError as error:
            raise _unavailable(error) from error
        deleted = _flag(user.get("deleted"))
        guest_flags = [_flag(user.get(k)) for k in ("is_restricted", "is_ultra_restricted")]
        if True in guest_flags or user.get("is_stranger") is True:
            guest: bool | None = True
        else:
            guest = None if None in guest_flags else False
        return Standing(
            account=SlackAccount(account),
            deleted=deleted,
            is_bot=_flag(user.get("is_bot")),
            is_guest=guest,
            same_workspace=_same(user, team, enterprise),
        )

    def time_zone(self, account: str) -> str:
        """Raises Unavailable `workspace_unavailable`."""
        try:
            user: dict[str, object] = self._client.users_info(user=account).get("user") or {}
        except SlackApiError as error:
            if error.response.get("error") in _GONE:
                return _NO_ZONE
            raise _unavailable(error) from error
        except OSError as error:
            raise _unavailable(error) from error
        zone = user.get("tz")
        return zone if isinstance(zone, str) and zone else _NO_ZONE

    def members(self, group: UserGroup) -> frozenset[str]:
        """Raises Unavailable `workspace_unavailable`."""
        try:
            if group.startswith("@"):
                return self._members_by_handle(group)
            found = self._client.usergroups_users_list(usergroup=group).get("users") or []
            return frozenset(str(account) for account in found)
        except SlackApiError as error:
            if error.response.get("error") == "no_such_subteam":
                return frozenset()
            raise _group_unavailable(group, error) from error
        except OSError as error:
            raise _group_unavailable(group, error) from error

    def _members_by_handle(self, group: UserGroup) -> frozenset[str]:
        handle = group.removeprefix("@")
        listed = self._client.usergroups_list(include_users=True).get("usergroups") or []
        return frozenset(
            str(account)
            for found in listed
            if found.get("handle") == handle and not found.get("date_delete")
            for account in found.get("users") or []
        )

    def members_shown(self, group: UserGroup) -> frozenset[str] | None:
        """None when Slack does not say; that too is kept for a while, so that nobody waits for it
        again and again."""
        with self._lock:
            asked_at, known = self._shown.get(group, (float("-inf"), None))
        if self._elapsed() - asked_at < _SHOWN_SECONDS:
            return known
        try:
            known = self.members(group)
        except Unavailable:
            known = None
        with self._lock:
            self._shown[group] = (self._elapsed(), known)
        return known

    def verify_channel(self, channel: str) -> None:
        """That the bot is in it."""
        cursor = ""
        while True:
            try:
                page = self._client.conversations_list(
                    types="public_channel,private_channel", limit=_PAGE, cursor=cursor
                )
            except (SlackApiError, OSError) as error:
                raise Unavailable(
                    "workspace_unavailable", "Slack does not say which channels there are."
                ) from error
            channels: list[dict[str, object]] = page.get("channels") or []
            for found in channels:
                if channel in (found.get("id"), f"#{found.get('name')}"):
                    if found.get("is_archived") or not found.get("is_member"):
                        raise Refused(
                            "not_in_channel",
                            f"The bot is not in {channel}, or it is archived: invite it there.",
                        )
                    return
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                raise Refused(
                    "no_such_channel", f"There is no channel {channel}, or the bot cannot see it."
                )

    def _workspace(self) -> tuple[str, str]:
        with self._lock:
            if self._home is None:
                try:
                    told = self._client.auth_test()
                except (SlackApiError, OSError) as error:
                    raise _unavailable(error) from error
                self._home = (str(told.get("team_id") or ""), str(told.get("enterprise_id") or ""))
            return self._home


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _same(user: dict[str, object], team: str, enterprise: str) -> bool | None:
    """The app's own team, or its Enterprise Grid organisation, where team ids change."""
    theirs = user.get("team_id")
    if not isinstance(theirs, str) or not theirs or not team:
        return None
    if theirs == team:
        return True
    grid = user.get("enterprise_user")
    if enterprise and isinstance(grid, dict):
        return grid.get("enterprise_id") == enterprise
    return False


def _group_unavailable(group: UserGroup, error: SlackApiError | OSError) -> Unavailable:
    problem = _unavailable(error)
    code = error.response.get("error") if isinstance(error, SlackApiError) else None
    why = _GROUP_ADVICE.get(str(code), "Slack does not answer.")
    return Unavailable(
        problem.code,
        f"Nobody can tell who is in the user group {group} now: {why}",
        retry_after_seconds=problem.retry_after_seconds,
    )


def _unavailable(error: SlackApiError | OSError) -> Unavailable:
    wait: float | None = None
    if isinstance(error, SlackApiError):
        told = (error.response.headers or {}).get("Retry-After", "")
        wait = float(told) if str(told).isdigit() else None
    return Unavailable(
        "workspace_unavailable",
        "Slack does not answer who this is.",
        retry_after_seconds=wait,
    )
