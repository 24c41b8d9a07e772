"""Who is in the workspace, as `users.info` tells it. Knows nothing of channels or messages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

from bot.sandbox.json_values import JsonObject

APP_TEAM = "T00000001"


class Flags(TypedDict, total=False):
    """What a test may set about a person, before or while the bot runs."""

    name: str
    title: str
    email: str
    tz: str
    team_id: str
    deleted: bool
    is_bot: bool
    is_admin: bool
    is_owner: bool
    is_restricted: bool
    is_ultra_restricted: bool
    is_stranger: bool
    is_email_confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Person:
    """One account. `absent` names fields that `users.info` leaves out."""

    id: str
    handle: str
    name: str
    email: str
    title: str = ""
    tz: str = "Europe/Amsterdam"
    team_id: str = APP_TEAM
    deleted: bool = False
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool = True
    bot_id: str | None = None
    absent: frozenset[str] = field(default=frozenset())

    def to_wire(self, *, email_visible: bool) -> JsonObject:
        """The user object. Slack leaves most fields out for a deactivated account, and
        `is_stranger` unless it is true, so this does too."""
        profile: JsonObject = {"real_name": self.name, "display_name": self.handle}
        if self.title:
            profile["title"] = self.title
        if email_visible and self.email and not self.is_bot:
            profile["email"] = self.email
        if self.bot_id is not None:
            profile["bot_id"] = self.bot_id
        wire: JsonObject = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.handle,
            "deleted": self.deleted,
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        if not self.deleted:
            wire |= {
                "real_name": self.name,
                "tz": self.tz,
                "tz_label": self.tz,
                "is_admin": self.is_admin,
                "is_owner": self.is_owner,
                "is_primary_owner": False,
                "is_restricted": self.is_restricted,
                "is_ultra_restricted": self.is_ultra_restricted,
                "is_email_confirmed": self.is_email_confirmed,
            }
            if self.is_stranger:
                wire["is_stranger"] = True
        return {key: value for key, value in wire.items() if key not in self.absent}


class People:
    """The directory. The caller holds the workspace's lock."""

    def __init__(self) -> None:
        self._by_id: dict[str, Person] = {}

    def add(self, person: Person) -> Person:
        if any(known.handle == person.handle for known in self._by_id.values()):
            raise ValueError(f"there is already a person called {person.handle!r}")
        self._by_id[person.id] = person
        return person

    def find(self, who: str) -> Person | None:
        """By user id or by handle (with or without @)."""
        known = self._by_id.get(who)
        if known is not None:
            return known
        handle = who.removeprefix("@")
        return next((p for p in self._by_id.values() if p.handle == handle), None)

    def by_id(self, user_id: str) -> Person | None:
        return self._by_id.get(user_id)

    def get(self, who: str) -> Person:
        person = self.find(who)
        if person is None:
            raise LookupError(f"nobody called {who!r} in this workspace")
        return person

    def everyone(self) -> list[Person]:
        return list(self._by_id.values())

    def set_flags(self, who: str, **flags: Unpack[Flags]) -> Person:
        person = replace(self.get(who), **flags)
        self._by_id[person.id] = person
        return person

    def leave_out(self, who: str, fields: frozenset[str]) -> Person:
        person = replace(self.get(who), absent=fields)
        self._by_id[person.id] = person
        return person
