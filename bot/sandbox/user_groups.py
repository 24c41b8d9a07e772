"""User groups (`@risk-officers`), as `usergroups.list` tells them. Knows nothing of channels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.people import APP_TEAM


@dataclass(frozen=True, kw_only=True)
class UserGroup:
    """One group of accounts. A disabled one keeps its members, and is told only to those who ask
    for disabled ones."""

    id: str
    handle: str
    name: str
    created_by: str
    created_seconds: int
    members: tuple[str, ...] = ()
    team_id: str = APP_TEAM
    disabled_seconds: int = 0

    @property
    def is_disabled(self) -> bool:
        """Whether an administrator has switched it off."""
        return self.disabled_seconds > 0

    def to_wire(self, active: tuple[str, ...], *, users: bool, count: bool) -> JsonObject:
        """The user group object; `active` are its members whose accounts are. Members and their
        number are there only when asked for."""
        wire: JsonObject = {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": "",
            "handle": self.handle,
            "is_external": False,
            "date_create": self.created_seconds,
            "date_update": self.disabled_seconds or self.created_seconds,
            "date_delete": self.disabled_seconds,
            "auto_type": None,
            "created_by": self.created_by,
            "updated_by": self.created_by,
            "deleted_by": self.created_by if self.is_disabled else None,
            "prefs": {"channels": [], "groups": []},
        }
        listed: list[Json] = [*active]
        if users:
            wire["users"] = listed
        if count:
            wire["user_count"] = len(listed)
        return wire


class UserGroups:
    """The groups of a workspace, which only paid plans have. The caller holds the lock."""

    def __init__(self) -> None:
        self._by_id: dict[str, UserGroup] = {}
        self.is_in_plan = True

    def put(self, group: UserGroup) -> UserGroup:
        """Add a group, or replace the one with this id.

        Raises: ValueError when another group has the handle."""
        taken = (g for g in self._by_id.values() if g.handle == group.handle and g.id != group.id)
        if next(taken, None) is not None:
            raise ValueError(f"there is already a user group called {group.handle!r}")
        self._by_id[group.id] = group
        return group

    def by_id(self, group_id: str) -> UserGroup | None:
        return self._by_id.get(group_id)

    def get(self, group_id: str) -> UserGroup:
        """Raises: LookupError."""
        group = self.by_id(group_id)
        if group is None:
            raise LookupError(f"no user group {group_id!r} in this workspace")
        return group

    def everything(self) -> list[UserGroup]:
        return list(self._by_id.values())

    def disable(self, group_id: str, now_seconds: int) -> None:
        """Switch a group off, as an administrator does. Raises: LookupError."""
        self.put(replace(self.get(group_id), disabled_seconds=now_seconds))
