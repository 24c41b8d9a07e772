"""The app as installed in the workspace: its ids, tokens and scopes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from bot.sandbox.people import APP_TEAM

DEFAULT_SCOPES = (
    "commands",
    "chat:write",
    "users:read",
    "users:read.email",
    "im:write",
    "channels:read",
    "groups:read",
    "usergroups:read",
    "files:write",
)
DEFAULT_COMMANDS = ("/promote", "/rollback", "/model", "/foureyes")


def _bot_token() -> str:
    return f"xoxb-1000000001-2000000002-{secrets.token_hex(12)}"


def _app_token() -> str:
    return f"xapp-1-A00000001-3000000003-{secrets.token_hex(32)}"


@dataclass(frozen=True, kw_only=True)
class AppIdentity:
    """Ids and tokens; the tokens are new in every workspace."""

    team_id: str = APP_TEAM
    team_domain: str = "meridian-bank"
    team_name: str = "Meridian Bank"
    app_id: str = "A00000001"
    bot_id: str = "B00000001"
    bot_user: str = "U00000001"
    bot_handle: str = "foureyes"
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    bot_token: str = field(default_factory=_bot_token)
    app_token: str = field(default_factory=_app_token)
