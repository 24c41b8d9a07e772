"""Triggers and response URLs: how long they work, and how often."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox import HandClock, Limits, RunningServer, Workspace, serve
from tests.sandbox.raw_app import RawApp
from tests.sandbox.stage import CHANNEL, error_of, furnished

VIEW = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Title"},
    "blocks": [{"type": "divider"}],
}
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}}


@pytest.fixture
def standing(clock: HandClock) -> Iterator[RunningServer]:
    """A workspace whose time stands still."""
    with serve(furnished(Workspace(clock=clock, limits=Limits(posts_per_second=0)))) as running:
        yield running


@pytest.fixture
def raw(standing: RunningServer) -> Iterator[RawApp]:
    app = RawApp(standing)
    yield app
    app.close()


@pytest.fixture
def api(standing: RunningServer) -> WebClient:
    return WebClient(token=standing.bot_token, base_url=standing.api_url)


def command(server: RunningServer, raw: RawApp) -> dict[str, Any]:
    """The payload of a fresh slash command by dana."""
    server.workspace.as_person("dana").type(CHANNEL, "/promote")
    payload: dict[str, Any] = raw.envelopes[-1]["payload"]
    return payload


def respond(url: str, body: dict[str, Any] | bytes) -> tuple[int, str]:
    """Post to a response URL: status, and "ok" or the error."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)["error"]


def test_trigger_works_just_before_three_seconds(
    standing: RunningServer, raw: RawApp, api: WebClient, clock: HandClock
) -> None:
    """A trigger is good for three seconds."""
    trigger = command(standing, raw)["trigger_id"]
    clock.advance(2.9)
    assert error_of(api, "views.open", trigger_id=trigger, view=VIEW) == ""


def test_trigger_expires_at_three_seconds(
    standing: RunningServer, raw: RawApp, api: WebClient, clock: HandClock
) -> None:
    """At three seconds it is expired."""
    trigger = command(standing, raw)["trigger_id"]
    clock.advance(3.0)
    refused = error_of(api, "views.open", trigger_id=trigger, view=VIEW)
    assert refused == "expired_trigger_id"
    assert standing.workspace.as_person("dana").modal() is None


def test_trigger_works_once(standing: RunningServer, raw: RawApp, api: WebClient) -> None:
    """A trigger is exchanged for one view."""
    trigger = command(standing, raw)["trigger_id"]
    api.views_open(trigger_id=trigger, view=VIEW)
    refused = error_of(api, "views.open", trigger_id=trigger, view=VIEW)
    assert refused == "exchanged_trigger_id"


def test_refused_view_leaves_the_trigger_usable(
    standing: RunningServer, raw: RawApp, api: WebClient
) -> None:
    """A view that Slack refuses has not used up the trigger."""
    trigger = command(standing, raw)["trigger_id"]
    bad = VIEW | {"title": {"type": "plain_text", "text": "x" * 25}}
    assert error_of(api, "views.open", trigger_id=trigger, view=bad) == "invalid_arguments"
    assert error_of(api, "views.open", trigger_id=trigger, view=VIEW) == ""


def test_push_needs_a_trigger_from_within_a_modal(
    standing: RunningServer, raw: RawApp, api: WebClient
) -> None:
    """A slash command's trigger opens a view but pushes none."""
    trigger = command(standing, raw)["trigger_id"]
    assert error_of(api, "views.push", trigger_id=trigger, view=VIEW) == "not_found"


def test_response_url_takes_five_posts(standing: RunningServer, raw: RawApp) -> None:
    """The sixth is refused, and so says Slack's used_url."""
    url = command(standing, raw)["response_url"]
    outcomes = [respond(url, {"text": str(number)}) for number in range(6)]
    assert outcomes == [(200, "ok")] * 5 + [(404, "used_url")]
    dana, ana = (standing.workspace.as_person(who) for who in ("dana", "ana"))
    assert [message.text for message in dana.ephemerals(CHANNEL)] == ["0", "1", "2", "3", "4"]
    assert ana.ephemerals(CHANNEL) == []


def test_response_url_expires_after_thirty_minutes(
    standing: RunningServer, raw: RawApp, clock: HandClock
) -> None:
    """Good until just before, expired at thirty minutes."""
    url = command(standing, raw)["response_url"]
    clock.advance(30 * 60 - 1)
    assert respond(url, {"text": "x"}) == (200, "ok")
    clock.advance(1)
    assert respond(url, {"text": "x"}) == (404, "expired_url")


def test_unknown_response_url_is_refused(standing: RunningServer) -> None:
    """A made-up address answers nothing."""
    assert respond(f"{standing.origin}/response/nobody", {"text": "x"}) == (404, "invalid_token")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "attachments": []}, "invalid_arguments"),
        ({"text": "x", "response_type": "everyone"}, "invalid_arguments"),
        ({"text": "x", "blocks": [{"type": "table"}]}, "invalid_blocks"),
        ({"text": "x", "replace_original": True}, "message_not_found"),
        ({"delete_original": True}, "message_not_found"),
        (
            {"text": "x", "replace_original": True, "delete_original": True},
            "invalid_arguments",
        ),
        ({"text": "x", "thread_ts": "1.2"}, "thread_not_found"),
        (b"{", "invalid_payload"),
        (b"[]", "invalid_payload"),
    ],
)
def test_bad_post_to_a_response_url_is_refused(
    standing: RunningServer, raw: RawApp, body: dict[str, Any] | bytes, error: str
) -> None:
    """Refused posts change nothing and use up nothing."""
    url = command(standing, raw)["response_url"]
    assert respond(url, body) == (400, error)
    assert [respond(url, {"text": "x"})[0] for _ in range(6)] == [200] * 5 + [404]


def test_answer_in_channel_is_seen_by_all(standing: RunningServer, raw: RawApp) -> None:
    """in_channel is the exception, asked for by name."""
    url = command(standing, raw)["response_url"]
    respond(url, {"text": "v4 is in Production", "response_type": "in_channel"})
    ana = standing.workspace.as_person("ana")
    assert [message.text for message in ana.messages(CHANNEL)] == ["v4 is in Production"]


@pytest.mark.parametrize("is_ephemeral", [False, True])
def test_original_message_is_replaced_and_deleted(
    standing: RunningServer, raw: RawApp, api: WebClient, is_ephemeral: bool
) -> None:
    """A click's response URL reaches its message, an ephemeral one too."""
    dana = standing.workspace.as_person("dana")
    where = standing.workspace.state.channels.get(CHANNEL).id
    asked: dict[str, Any] = {
        "channel": where,
        "text": "x",
        "blocks": [{"type": "actions", "elements": [BUTTON]}],
    }
    if is_ephemeral:
        api.chat_postEphemeral(user=dana.id, **asked)
        [message] = dana.ephemerals(CHANNEL)
    else:
        api.chat_postMessage(**asked)
        [message] = dana.messages(CHANNEL)
    dana.click(message, "Approve")
    payload = raw.envelopes[-1]["payload"]
    assert payload["container"]["is_ephemeral"] is is_ephemeral
    assert ("message" in payload) is not is_ephemeral
    assert respond(payload["response_url"], {"text": "done", "replace_original": True})[0] == 200
    replaced = dana.latest(message)
    assert replaced is not None
    assert (replaced.text, replaced.buttons) == ("done", ())
    assert respond(payload["response_url"], {"delete_original": True})[0] == 200
    assert dana.latest(message) is None
