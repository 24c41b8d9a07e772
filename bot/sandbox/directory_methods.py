"""auth.test, apps.connections.open, users.*: who is who."""

from __future__ import annotations

from bot.sandbox.api_error import ApiError
from bot.sandbox.json_values import JsonObject
from bot.sandbox.web_method import Argument, Call, Kind, Method, TokenKind

_USER = Argument(kind=Kind.STRING, required=True)


def _auth_test(call: Call) -> JsonObject:
    identity = call.state.identity
    return {
        "url": f"https://{identity.team_domain}.slack.com/",
        "team": identity.team_name,
        "user": identity.bot_handle,
        "team_id": identity.team_id,
        "user_id": identity.bot_user,
        "bot_id": identity.bot_id,
        "is_enterprise_install": False,
    }


def _connections_open(call: Call) -> JsonObject:
    ticket = call.state.socket_mode.issue_ticket()
    origin = call.state.origin.replace("http://", "ws://", 1)
    return {"url": f"{origin}/link/?ticket={ticket}&app_id={call.state.identity.app_id}"}


def _sees_email(call: Call) -> bool:
    return "users:read.email" in call.state.scopes


def _users_info(call: Call) -> JsonObject:
    return {"user": call.person().to_wire(email_visible=_sees_email(call))}


def _users_list(call: Call) -> JsonObject:
    sees_email = _sees_email(call)
    everyone = [p.to_wire(email_visible=sees_email) for p in call.state.people.everyone()]
    page = call.page(everyone, "members")
    return page | {"cache_ts": int(call.state.now_seconds())}


def _users_by_email(call: Call) -> JsonObject:
    """Slack finds only active accounts of the own workspace."""
    wanted = call.text("email").casefold()
    for person in call.state.people.everyone():
        is_active = not (person.deleted or person.is_bot)
        is_own = person.team_id == call.state.identity.team_id
        if is_active and is_own and person.email.casefold() == wanted:
            return {"user": person.to_wire(email_visible=True)}
    raise ApiError("users_not_found")


DIRECTORY_METHODS: dict[str, Method] = {
    "auth.test": Method(handler=_auth_test),
    "apps.connections.open": Method(
        handler=_connections_open, token=TokenKind.APP, scopes=("connections:write",)
    ),
    "users.info": Method(handler=_users_info, scopes=("users:read",), arguments={"user": _USER}),
    "users.list": Method(
        handler=_users_list,
        scopes=("users:read",),
        arguments={
            "cursor": Argument(kind=Kind.STRING),
            "limit": Argument(kind=Kind.INTEGER),
        },
    ),
    "users.lookupByEmail": Method(
        handler=_users_by_email,
        scopes=("users:read.email",),
        arguments={"email": Argument(kind=Kind.STRING, required=True)},
    ),
}
