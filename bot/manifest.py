"""The app manifest for pasting into Slack, and the names and scopes that it asks for."""

from __future__ import annotations

from typing import TypedDict

BOT_SCOPES = (
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:read",
    "im:write",
    "users:read",
)
"""Least privilege: nothing here reads what people write. Files are the pictures of alerts."""

USER_GROUPS_SCOPE = "usergroups:read"
"""Needed only where people.yaml narrows a role by a user group."""

COMMANDS = {
    "promote": ("Ask for a model version to be promoted", "[model] [version] [stage] [reason]"),
    "rollback": ("Put the last good version back", "model [version] [reason]"),
    "model": ("What is in production, and what changed", "model [version version]"),
    "foureyes": ("What you can do here", "[help, away or back]"),
}


EVENTS = ("app_home_opened",)
"""What Slack tells the bot without being asked; it needs no scope."""


class _Command(TypedDict):
    command: str
    description: str
    usage_hint: str
    should_escape: bool


def app_manifest(prefix: str = "", *, user_groups: bool = False) -> dict[str, object]:
    """Slack's manifest, schema version 2; `prefix` goes before each command's name; `user_groups`
    asks to read them too."""
    scopes = sorted([*BOT_SCOPES, USER_GROUPS_SCOPE] if user_groups else BOT_SCOPES)
    commands: list[_Command] = [
        {
            "command": f"/{prefix}{name}",
            "description": description,
            "usage_hint": hint,
            "should_escape": False,
        }
        for name, (description, hint) in COMMANDS.items()
    ]
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Foureyes",
            "description": "Four eyes for machine-learning models",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "foureyes", "always_online": True},
            "slash_commands": commands,
        },
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
