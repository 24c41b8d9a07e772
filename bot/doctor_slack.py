"""Whether Slack takes the two tokens, the app has its scopes, and the bot sits in its channels.

Asks Slack and posts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.finding import Finding, fine, warning, wrong
from bot.manifest import BOT_SCOPES, USER_GROUPS_SCOPE
from bot.settings import Secret
from governance.ports import Rules

_TIMEOUT_SECONDS = 10
_PAGE = 200
_TOKEN_ADVICE: Mapping[str, str] = {
    "invalid_auth": "Copy the token again from https://api.slack.com/apps.",
    "not_allowed_token_type": "It is the other kind of token; are the two exchanged?",
    "token_revoked": "Install the app again and copy the new token.",
    "account_inactive": "Install the app again and copy the new token.",
    "missing_scope": "Give the app-level token the scope connections:write.",
}


def examine_slack(
    *, api_url: str, bot_token: Secret | None, app_token: Secret | None, rules: Rules | None
) -> Iterator[Finding]:
    """Tokens first, then scopes, then every channel that a policy names."""
    if app_token is not None:
        yield from _app_token(_client(app_token, api_url))
    if bot_token is None:
        return
    client = _client(bot_token, api_url)
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        yield _refused("SLACK_BOT_TOKEN", error)
        return
    except OSError as error:
        yield _silent(api_url, error)
        return
    yield fine("SLACK_BOT_TOKEN", f"{answer['user']} in {answer['team']}")
    granted = _granted(answer.headers or {})
    groups = sorted(set(rules.roster.user_groups.values())) if rules is not None else []
    yield from _scopes(granted, groups)
    if rules is not None:
        yield from _channels(client, rules)
    if groups and (granted is None or USER_GROUPS_SCOPE in granted):
        yield from _user_groups(client, groups)


def _client(token: Secret, api_url: str) -> WebClient:
    return WebClient(token=token.reveal(), base_url=api_url, timeout=_TIMEOUT_SECONDS)


def _app_token(client: WebClient) -> Iterator[Finding]:
    try:
        client.apps_connections_open(app_token=client.token or "")
    except SlackApiError as error:
        yield _refused("SLACK_APP_TOKEN", error)
    except OSError as error:
        yield _silent(client.base_url, error)
    else:
        yield fine("SLACK_APP_TOKEN", "Slack opens a Socket Mode connection for it")


def _refused(about: str, error: SlackApiError) -> Finding:
    code = str(error.response.get("error", "an error without a name"))
    advice = _TOKEN_ADVICE.get(code, "Look the word up in Slack's documentation of this method.")
    return wrong(about, f"Slack says {code}", advice)


def _silent(api_url: str, error: OSError) -> Finding:
    return wrong(
        "Slack",
        f"{api_url} does not answer: {error}",
        "Check the network and SLACK_API_URL. The bot starts all the same, and waits.",
    )


def _granted(headers: Mapping[str, str | list[str]]) -> frozenset[str] | None:
    for name, value in headers.items():
        if name.lower() == "x-oauth-scopes":
            text = value if isinstance(value, str) else ",".join(value)
            return frozenset(s.strip() for s in text.split(",") if s.strip())
    return None


def _scopes(granted: frozenset[str] | None, groups: Sequence[str]) -> Iterator[Finding]:
    """Rules that name no user group need no scope for them."""
    if granted is None:
        yield warning(
            "scopes", "Slack did not say which ones the bot has", "Compare `foureyes manifest`."
        )
        return
    missing = sorted(set(BOT_SCOPES) - granted)
    if groups and USER_GROUPS_SCOPE not in granted:
        yield wrong(
            "user groups",
            f"the scope {USER_GROUPS_SCOPE} is missing, so nobody's vote counts by a role that "
            f"{', '.join(groups)} narrows",
            "Paste `foureyes manifest --user-groups` into the app's manifest and install the app "
            "again, or delete user_group in people.yaml.",
        )
    if missing:
        yield wrong(
            "scopes",
            f"missing {', '.join(missing)}",
            "Paste `foureyes manifest` into the app's manifest and install the app again.",
        )
    else:
        yield fine("scopes", "all that the bot uses")


def _user_groups(client: WebClient, groups: Sequence[str]) -> Iterator[Finding]:
    try:
        listed = client.usergroups_list(include_users=True).get("usergroups") or []
    except SlackApiError as error:
        yield _refused("user groups", error)
        return
    except OSError as error:
        yield _silent(client.base_url, error)
        return
    for group in groups:
        found = next((g for g in listed if group in (g.get("id"), f"@{g.get('handle')}")), None)
        if found is None:
            yield wrong(
                f"user group {group}",
                "not there, or disabled, so nobody's vote counts by its role",
                "Make it, enable it, or name another one in people.yaml.",
            )
        else:
            yield fine(f"user group {group}", f"{len(found.get('users') or [])} members")


def _channels(client: WebClient, rules: Rules) -> Iterator[Finding]:
    wanted = sorted({p.channel for p in rules.policies.policies.values()})
    names = [c for c in wanted if c.startswith("#")]
    try:
        by_name = _listed(client) if names else {}
        for channel in wanted:
            if channel.startswith("#"):
                yield _judge(channel, by_name.get(channel[1:]))
            else:
                yield _judge(channel, _info(client, channel))
    except SlackApiError as error:
        yield _refused("channels", error)
    except OSError as error:
        yield _silent(client.base_url, error)


def _listed(client: WebClient) -> dict[str, Mapping[str, object]]:
    found: dict[str, Mapping[str, object]] = {}
    cursor = ""
    while True:
        answer = client.conversations_list(
            types="public_channel,private_channel", limit=_PAGE, cursor=cursor or None
        )
        for channel in answer["channels"]:
            found[str(channel["name"])] = channel
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return found


def _info(client: WebClient, channel: str) -> Mapping[str, object] | None:
    try:
        found: Mapping[str, object] = client.conversations_info(channel=channel)["channel"]
    except SlackApiError as error:
        if error.response.get("error") == "channel_not_found":
            return None
        raise
    return found


def _judge(name: str, channel: Mapping[str, object] | None) -> Finding:
    about = f"channel {name}"
    if channel is None:
        return wrong(
            about,
            "not there, or private and the bot was never invited",
            "Make it, or invite the bot, or name another one in the policy.",
        )
    if channel.get("is_archived"):
        return wrong(about, "archived", "Name another one in the policy, or unarchive it.")
    if not channel.get("is_member"):
        return wrong(about, "the bot is not a member", f"Type /invite @foureyes in {name}.")
    return fine(about, "the bot is a member")
