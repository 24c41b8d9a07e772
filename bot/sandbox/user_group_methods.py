"""usergroups.list and usergroups.users.list: who is in which group."""

from __future__ import annotations

from bot.sandbox.api_error import ApiError
from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.state import State
from bot.sandbox.user_groups import UserGroup
from bot.sandbox.web_method import Argument, Call, Kind, Method

_FLAG = Argument(kind=Kind.BOOLEAN)


def active_members(state: State, group: UserGroup) -> tuple[str, ...]:
    """Its members in order; Slack takes a deactivated account out of every group."""
    found = (state.people.by_id(member) for member in group.members)
    return tuple(person.id for person in found if person is not None and not person.deleted)


def _require_plan(call: Call) -> None:
    """Raises: ApiError plan_upgrade_required."""
    if not call.state.user_groups.is_in_plan:
        raise ApiError("plan_upgrade_required")


def _list(call: Call) -> JsonObject:
    _require_plan(call)
    wants_disabled = call.flag("include_disabled", default=False)
    groups: list[Json] = [
        group.to_wire(
            active_members(call.state, group),
            users=call.flag("include_users", default=False),
            count=call.flag("include_count", default=False),
        )
        for group in call.state.user_groups.everything()
        if wants_disabled or not group.is_disabled
    ]
    return {"usergroups": groups}


def _users(call: Call) -> JsonObject:
    _require_plan(call)
    group = call.state.user_groups.by_id(call.text("usergroup"))
    is_hidden = group is not None and group.is_disabled
    if group is None or (is_hidden and not call.flag("include_disabled", default=False)):
        raise ApiError("no_such_subteam")
    listed: list[Json] = [*active_members(call.state, group)]
    return {"users": listed}


USER_GROUP_METHODS: dict[str, Method] = {
    "usergroups.list": Method(
        handler=_list,
        scopes=("usergroups:read",),
        arguments={
            "include_count": _FLAG,
            "include_disabled": _FLAG,
            "include_users": _FLAG,
        },
    ),
    "usergroups.users.list": Method(
        handler=_users,
        scopes=("usergroups:read",),
        arguments={
            "usergroup": Argument(kind=Kind.STRING, required=True),
            "include_disabled": _FLAG,
        },
    ),
}
