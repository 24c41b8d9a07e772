"""Each refusal of the Web API, in Slack's own error codes."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import DEFAULT_SCOPES, HandClock, Limits, RunningServer, Workspace, serve
from bot.sandbox.limits import CALLS_A_MINUTE
from bot.sandbox.web_api import METHODS
from tests.sandbox.stage import CHANNEL, error_of, furnished

MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Title"},
    "blocks": [{"type": "divider"}],
}


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningServer]:
    """One furnished workspace for refusals, which change nothing."""
    workspace = furnished(Workspace(limits=Limits(posts_per_second=0)))
    workspace.add_person("gone", deleted=True)
    workspace.add_person("robot", is_bot=True)
    workspace.add_person("outsider", email="guest@other.example", team_id="T00000099")
    workspace.add_user_group("SOFF", ["dana"])
    workspace.disable_user_group("SOFF")
    workspace.add_channel("#archived", members=["dana"])
    workspace.archive("#archived")
    workspace.add_channel("#elsewhere", members=["dana"], bot_is_member=False)
    workspace.add_channel("#secret", members=["dana"], bot_is_member=False, is_private=True)
    with serve(workspace) as running:
        yield running


def known(server: RunningServer, name: str) -> str:
    """The id of a channel or person, or the name itself."""
    state = server.workspace.state
    channel, person = state.channels.find(name), state.people.find(name)
    if channel is not None:
        return channel.id
    return name if person is None else person.id


REFUSALS = [
    ("chat.postMessage", {"channel": "C404", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#nowhere", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#elsewhere", "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "#secret", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#archived", "text": "x"}, "is_archived"),
    ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
    ("chat.postMessage", {"channel": CHANNEL, "text": ""}, "no_text"),
    ("chat.postMessage", {"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": CHANNEL, "blocks": "{"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": CHANNEL, "blocks": {}}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": CHANNEL, "blocks": [{"type": "table"}]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": CHANNEL, "text": "x", "thread_ts": "1.2"}, "thread_not_found"),
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": CHANNEL, "text": 5}, "invalid_arguments"),
    ("chat.postMessage", {"channel": CHANNEL, "text": "x", "attachments": []}, "invalid_arguments"),
    ("chat.postMessage", {"channel": CHANNEL, "text": "x", "username": "y"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": CHANNEL, "text": "x", "mrkdwn": "yes"}, "invalid_arguments"),
    (
        "chat.postMessage",
        {"channel": CHANNEL, "text": "x", "unfurl_links": True},
        "invalid_arguments",
    ),
    (
        "chat.postMessage",
        {"channel": CHANNEL, "text": "x", "metadata": {"event_type": "x"}},
        "invalid_metadata_format",
    ),
    ("chat.postMessage", {"channel": "gone", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": CHANNEL, "text": "x", "team_id": "T9"}, "team_not_found"),
    ("chat.update", {"channel": CHANNEL, "ts": "1.2", "text": "x"}, "message_not_found"),
    ("chat.delete", {"channel": CHANNEL, "ts": "1.2"}, "message_not_found"),
    ("chat.getPermalink", {"channel": CHANNEL, "message_ts": "1.2"}, "message_not_found"),
    (
        "chat.postEphemeral",
        {"channel": CHANNEL, "user": "outsider", "text": "x"},
        "user_not_in_channel",
    ),
    ("chat.postEphemeral", {"channel": "#archived", "user": "dana", "text": "x"}, "is_archived"),
    ("conversations.open", {"users": "U404"}, "user_not_found"),
    ("conversations.open", {"users": ""}, "users_list_not_supplied"),
    ("conversations.open", {"users": "gone"}, "user_disabled"),
    ("conversations.open", {"users": "robot"}, "cannot_dm_bot"),
    ("conversations.open", {"users": "U1,U2"}, "invalid_arguments"),
    ("conversations.info", {"channel": "C404"}, "channel_not_found"),
    ("conversations.list", {"types": "mpim"}, "invalid_types"),
    ("conversations.list", {"limit": 0}, "invalid_limit"),
    ("conversations.list", {"limit": 1001}, "invalid_limit"),
    ("conversations.list", {"limit": "many"}, "invalid_arguments"),
    ("conversations.list", {"cursor": "bogus"}, "invalid_cursor"),
    ("conversations.members", {"channel": "#secret"}, "channel_not_found"),
    ("conversations.history", {"channel": CHANNEL}, "missing_scope"),
    ("conversations.replies", {"channel": CHANNEL, "ts": "1.2"}, "missing_scope"),
    ("users.info", {"user": "U404"}, "user_not_found"),
    ("users.info", {}, "invalid_arguments"),
    ("users.lookupByEmail", {"email": "gone@meridian.example"}, "users_not_found"),
    ("users.lookupByEmail", {"email": "guest@other.example"}, "users_not_found"),
    ("usergroups.users.list", {"usergroup": "S404"}, "no_such_subteam"),
    ("usergroups.users.list", {"usergroup": "SOFF"}, "no_such_subteam"),
    ("usergroups.users.list", {}, "invalid_arguments"),
    ("usergroups.users.list", {"usergroup": "SOFF", "limit": 5}, "invalid_arguments"),
    ("usergroups.users.list", {"usergroup": "SOFF", "include_disabled": 2}, "invalid_arguments"),
    ("usergroups.list", {"limit": 5}, "invalid_arguments"),
    ("usergroups.list", {"include_users": "yes"}, "invalid_arguments"),
    ("usergroups.list", {"team_id": "T9"}, "team_not_found"),
    ("usergroups.create", {"name": "x"}, "unknown_method"),
    ("views.open", {"trigger_id": "1.2.x", "view": MODAL}, "invalid_trigger_id"),
    ("views.open", {"view": MODAL}, "invalid_arguments"),
    ("views.open", {"trigger_id": "1.2.x", "view": {"type": "home"}}, "invalid_arguments"),
    ("views.push", {"trigger_id": "1.2.x", "view": MODAL}, "invalid_trigger_id"),
    ("views.update", {"view_id": "V404", "view": MODAL}, "not_found"),
    ("views.update", {"external_id": "e404", "view": MODAL}, "not_found"),
    ("views.update", {"view": MODAL}, "invalid_arguments"),
    ("views.publish", {"user_id": "U404", "view": {"type": "home", "blocks": []}}, "not_enabled"),
    ("chat.scheduleMessage", {"channel": "C1", "text": "later"}, "unknown_method"),
    ("files.upload", {}, "unknown_method"),
    ("apps.connections.open", {}, "not_allowed_token_type"),
]


@pytest.mark.parametrize(("method", "arguments", "error"), REFUSALS)
def test_call_is_refused_with_slacks_error(
    shared: RunningServer, method: str, arguments: dict[str, object], error: str
) -> None:
    """Nothing that the workspace does not implement, or Slack would refuse, is answered ok."""
    client = WebClient(token=shared.bot_token, base_url=shared.api_url)
    ids = {k: known(shared, v) if isinstance(v, str) else v for k, v in arguments.items()}
    assert error_of(client, method, **ids) == error


def test_invalid_blocks_say_which_and_where(shared: RunningServer) -> None:
    """The refusal of blocks carries a JSON pointer for each problem, as Slack's does."""
    client = WebClient(token=shared.bot_token, base_url=shared.api_url)
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=known(shared, CHANNEL), text="x", blocks=blocks)
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_too_many_characters_in_all_blocks_are_refused(shared: RunningServer) -> None:
    """Blocks that are fine one by one may be too long together."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    client = WebClient(token=shared.bot_token, base_url=shared.api_url)
    where = known(shared, CHANNEL)
    refused = error_of(client, "chat.postMessage", channel=where, text="x", blocks=[section] * 5)
    assert refused == "msg_blocks_too_long"


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-1-2-3", "invalid_auth")])
def test_call_without_a_good_token_is_refused(
    shared: RunningServer, token: str, error: str
) -> None:
    """A missing token and a wrong one have different errors."""
    assert error_of(WebClient(token=token, base_url=shared.api_url), "auth.test") == error


def test_app_token_opens_connections_and_nothing_else(shared: RunningServer) -> None:
    """The app-level token is refused by every method but its own."""
    client = WebClient(token=shared.app_token, base_url=shared.api_url)
    assert error_of(client, "auth.test") == "not_allowed_token_type"
    assert error_of(client, "apps.connections.open") == ""


def test_revoked_token_is_refused(client: WebClient, workspace: Workspace) -> None:
    """After the app is uninstalled its token stops working."""
    workspace.revoke_token()
    assert error_of(client, "auth.test") == "token_revoked"


SCOPED = [
    ("chat.postMessage", {"channel": CHANNEL, "text": "x"}, "chat:write"),
    ("chat.postEphemeral", {"channel": CHANNEL, "user": "dana", "text": "x"}, "chat:write"),
    ("chat.update", {"channel": CHANNEL, "ts": "1.2", "text": "x"}, "chat:write"),
    ("chat.delete", {"channel": CHANNEL, "ts": "1.2"}, "chat:write"),
    ("conversations.open", {"users": "dana"}, "im:write"),
    ("conversations.info", {"channel": CHANNEL}, "channels:read"),
    ("conversations.list", {}, "channels:read"),
    ("conversations.members", {"channel": CHANNEL}, "channels:read"),
    ("users.info", {"user": "dana"}, "users:read"),
    ("users.list", {}, "users:read"),
    ("users.lookupByEmail", {"email": "dana@meridian.example"}, "users:read.email"),
    ("usergroups.list", {}, "usergroups:read"),
    ("usergroups.users.list", {"usergroup": "S1"}, "usergroups:read"),
]


@pytest.fixture(scope="module")
def without_scopes() -> Iterator[RunningServer]:
    with serve(furnished(Workspace(scopes=["commands"], app_scopes=[]))) as running:
        yield running


@pytest.mark.parametrize(("method", "arguments", "scope"), SCOPED)
def test_call_without_its_scope_is_refused(
    without_scopes: RunningServer, method: str, arguments: dict[str, str], scope: str
) -> None:
    """The refusal names the scope that is needed and those that the token has."""
    client = WebClient(token=without_scopes.bot_token, base_url=without_scopes.api_url)
    ids = {key: known(without_scopes, value) for key, value in arguments.items()}
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json=ids)
    response = refused.value.response
    assert response["error"] == "missing_scope"
    assert (response["needed"], response["provided"]) == (scope, "commands")


def test_app_token_without_its_scope_opens_no_connection(without_scopes: RunningServer) -> None:
    """connections:write is a scope of the app token."""
    client = WebClient(token=without_scopes.app_token, base_url=without_scopes.api_url)
    assert error_of(client, "apps.connections.open") == "missing_scope"


def test_answers_carry_the_tokens_scopes(client: WebClient) -> None:
    """The header that tells an operator which scopes were granted."""
    headers = {key.lower(): value for key, value in client.auth_test().headers.items()}
    assert headers["x-oauth-scopes"] == ",".join(DEFAULT_SCOPES)


def test_other_peoples_messages_cannot_be_changed(client: WebClient, workspace: Workspace) -> None:
    """The app edits and deletes its own messages only."""
    message = workspace.as_person("dana").type(CHANNEL, "hello")
    assert message is not None
    where = {"channel": message.channel, "ts": message.ts}
    assert error_of(client, "chat.update", **where, text="x") == "cant_update_message"
    assert error_of(client, "chat.delete", **where) == "cant_delete_message"


def test_ephemeral_message_cannot_be_updated(client: WebClient, workspace: Workspace) -> None:
    """An ephemeral message's timestamp means nothing to chat.update."""
    dana = workspace.as_person("dana")
    where = workspace.state.channels.get(CHANNEL).id
    ts = client.chat_postEphemeral(channel=where, user=dana.id, text="psst")["message_ts"]
    assert error_of(client, "chat.update", channel=where, ts=ts, text="x") == "message_not_found"
    assert [message.text for message in dana.ephemerals(CHANNEL)] == ["psst"]


def test_removed_bot_can_no_longer_post_or_update(client: WebClient, workspace: Workspace) -> None:
    """Taken out of the channel, the app is a stranger to it."""
    where = workspace.state.channels.get(CHANNEL).id
    ts = client.chat_postMessage(channel=where, text="x")["ts"]
    workspace.remove_bot(CHANNEL)
    assert error_of(client, "chat.postMessage", channel=where, text="x") == "not_in_channel"
    assert error_of(client, "chat.update", channel=where, ts=ts, text="y") == "not_in_channel"


def test_update_refuses_text_that_a_post_takes(client: WebClient, workspace: Workspace) -> None:
    """chat.update takes 4,000 characters of text, chat.postMessage 40,000."""
    where = workspace.state.channels.get(CHANNEL).id
    ts = client.chat_postMessage(channel=where, text="x" * 4_001)["ts"]
    long = error_of(client, "chat.update", channel=where, ts=ts, text="x" * 4_001)
    assert (long, error_of(client, "chat.update", channel=where, ts=ts)) == (
        "msg_too_long",
        "no_text",
    )


def test_update_with_text_alone_removes_the_blocks(client: WebClient, workspace: Workspace) -> None:
    """Blocks that are not given again go, unless no text is given either."""
    where = workspace.state.channels.get(CHANNEL).id
    blocks = [{"type": "divider"}]
    ts = client.chat_postMessage(channel=where, text="x", blocks=blocks)["ts"]
    client.chat_update(channel=where, ts=ts, text="y")
    assert workspace.messages(CHANNEL)[0].blocks == ()


def test_blocks_without_text_are_taken_with_a_warning(
    client: WebClient, workspace: Workspace
) -> None:
    """Slack takes them unwillingly: screen readers and notifications have nothing to say."""
    where = workspace.state.channels.get(CHANNEL).id
    answer = client.api_call(
        "chat.postMessage", json={"channel": where, "blocks": [{"type": "divider"}]}
    )
    assert answer["warning"] == "missing_text_in_message"
    assert answer["response_metadata"]["warnings"] == ["missing_text_in_message"]


def raw_post(server: RunningServer, body: bytes, content_type: str) -> tuple[int, str]:
    request = urllib.request.Request(
        f"{server.api_url}chat.postMessage",
        data=body,
        headers={"Content-Type": content_type, "Authorization": f"Bearer {server.bot_token}"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)["error"]
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)["error"]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", (200, "invalid_json")),
        (b"[" * 100_000, "application/json", (200, "invalid_json")),
        (b"[]", "application/json", (200, "json_not_object")),
        (b"text=\xff", "application/x-www-form-urlencoded", (200, "invalid_form_data")),
        (b"<a/>", "text/xml", (200, "invalid_post_type")),
        (b"x" * 1_000_001, "application/json", (413, "request_too_large")),
    ],
)
def test_body_that_cannot_be_read_is_refused(
    shared: RunningServer, body: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    """Broken bodies get an error, not a guess."""
    assert raw_post(shared, body, content_type) == expected


def test_form_and_query_arguments_are_read_like_json(
    shared: RunningServer,
) -> None:
    """A method takes its arguments as a form with the token among them, too."""
    where = known(shared, CHANNEL)
    form = f"token={shared.bot_token}&channel={where}&text=from+a+form".encode()
    with urllib.request.urlopen(f"{shared.api_url}chat.postMessage?mrkdwn=0", form) as response:
        assert json.load(response)["ok"] is True
    last = shared.workspace.messages(CHANNEL)[-1]
    assert (last.text, last.is_mrkdwn) == ("from a form", False)


def test_posting_faster_than_slack_allows_is_throttled(clock: HandClock) -> None:
    """A channel takes a short burst, then one message a second; another channel is unaffected."""
    workspace = furnished(Workspace(clock=clock, limits=Limits(post_burst=2)))
    other = workspace.add_channel("#other")
    with serve(workspace) as server:
        client = WebClient(token=server.bot_token, base_url=server.api_url)
        where = workspace.state.channels.get(CHANNEL).id
        client.chat_postMessage(channel=where, text="1")
        client.chat_postMessage(channel=where, text="2")
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel=where, text="3")
        response = refused.value.response
        assert (response.status_code, response["error"]) == (429, "ratelimited")
        assert response.headers["Retry-After"] == "1"
        client.chat_postMessage(channel=other, text="4")
        clock.advance(1.0)
        client.chat_postMessage(channel=where, text="5")
    assert [m.text for m in workspace.messages(CHANNEL)] == ["1", "2", "5"]


def test_a_method_takes_as_many_calls_a_minute_as_its_tier(clock: HandClock) -> None:
    """Each method by itself; what is too much is refused and not done."""
    workspace = furnished(Workspace(clock=clock))
    with serve(workspace) as server:
        client = WebClient(token=server.bot_token, base_url=server.api_url)
        who = workspace.as_person("dana").id
        codes = [error_of(client, "users.info", user=who) for _ in range(101)]
        assert codes == [""] * 100 + ["ratelimited"]
        assert error_of(client, "conversations.list") == ""
        clock.advance(1.0)
        assert [error_of(client, "users.info", user=who) for _ in range(2)] == ["", "ratelimited"]


def test_every_method_has_a_tier_or_another_limit_of_its_own() -> None:
    """So that none is forgotten when it comes."""
    otherwise = {"auth.test", "chat.getPermalink", "chat.postMessage"}
    assert set(CALLS_A_MINUTE) == set(METHODS) - otherwise


def test_a_test_can_order_a_429_and_an_error(client: WebClient, workspace: Workspace) -> None:
    """Trouble on demand, once, and nothing is done meanwhile."""
    workspace.rate_limit_next("auth.test", retry_after_seconds=7)
    workspace.fail_next("auth.test", "internal_error", http_status=500)
    with pytest.raises(SlackApiError) as refused:
        client.auth_test()
    assert refused.value.response.headers["Retry-After"] == "7"
    assert error_of(client, "auth.test") == "internal_error"
    assert error_of(client, "auth.test") == ""
    assert [call.error for call in workspace.calls] == ["ratelimited", "internal_error", None]


def test_a_client_that_leaves_in_its_request_is_no_fault_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bot is stopped in the middle of a call: nothing was posted, and no traceback is read."""
    workspace = furnished(Workspace())
    with serve(workspace) as server:
        for path in ("/api/chat.postMessage", "/response/none", "/upload/none"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
                head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
                wire.sendall(head.encode() + b"channel=")
                wire.shutdown(socket.SHUT_WR)
                assert wire.recv(1) == b""
    assert [record.getMessage() for record in caplog.records] == []
    assert workspace.calls == ()
