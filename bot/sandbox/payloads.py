"""The payloads that an app receives for what people do, in Slack's shapes."""

from __future__ import annotations

from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.json_values import JsonObject, copied, object_of, text_of
from bot.sandbox.messages import Message
from bot.sandbox.modals import View
from bot.sandbox.people import Person
from bot.sandbox.state import State
from bot.sandbox.views import view_wire


def slash_command(
    state: State, person: Person, channel: Channel, command: str, text: str
) -> JsonObject:
    """The form that a slash command posts."""
    return {
        "token": state.identity.verification_token,
        "team_id": state.identity.team_id,
        "team_domain": state.identity.team_domain,
        "channel_id": channel.id,
        "channel_name": _shown_name(channel),
        "user_id": person.id,
        "user_name": person.handle,
        "command": command,
        "text": text,
        "api_app_id": state.identity.app_id,
        "is_enterprise_install": "false",
        "response_url": _response_url(state, person, channel, None, None),
        "trigger_id": state.passes.issue_trigger(person.id, state.now_seconds()),
    }


def message_action(
    state: State, person: Person, channel: Channel, message: Message, action: JsonObject
) -> JsonObject:
    """block_actions from a message. An ephemeral message is not repeated in the payload."""
    container: JsonObject = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.is_ephemeral,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    payload: JsonObject = _interaction(state, person, "block_actions") | {
        "container": container,
        "channel": {"id": channel.id, "name": _shown_name(channel)},
        "state": {"values": {}},
        "actions": [action],
        "trigger_id": state.passes.issue_trigger(person.id, state.now_seconds()),
        "response_url": _response_url(state, person, channel, message.ts, message.thread_ts),
    }
    if not message.is_ephemeral:
        payload["message"] = state.message_wire(message)
    return payload


def view_action(state: State, person: Person, view: View, action: JsonObject) -> JsonObject:
    """block_actions from a modal or a Home."""
    return _interaction(state, person, "block_actions") | {
        "container": {"type": "view", "view_id": view.id},
        "view": view_wire(state, view),
        "actions": [action],
        "trigger_id": state.passes.issue_trigger(person.id, state.now_seconds(), view_id=view.id),
    }


def view_submission(state: State, person: Person, view: View) -> JsonObject:
    return _interaction(state, person, "view_submission") | {
        "view": view_wire(state, view),
        "response_urls": [],
        "trigger_id": state.passes.issue_trigger(person.id, state.now_seconds(), view_id=view.id),
    }


def view_closed(state: State, person: Person, view: View, *, is_cleared: bool) -> JsonObject:
    return _interaction(state, person, "view_closed") | {
        "view": view_wire(state, view),
        "is_cleared": is_cleared,
    }


def action_of(
    state: State, block: JsonObject, element: JsonObject, element_state: JsonObject
) -> JsonObject:
    """One entry of `actions`: the element, and what was chosen in it."""
    action: JsonObject = {
        "action_id": text_of(element, "action_id"),
        "block_id": text_of(block, "block_id"),
        "type": text_of(element, "type"),
        "action_ts": state.next_ts(),
    }
    if text_of(element, "type") == "button":
        action["text"] = copied(object_of(element, "text"))
        for name in ("value", "style"):
            if name in element:
                action[name] = element[name]
    return action | element_state


def event(state: State, inner: JsonObject) -> JsonObject:
    """The outer event around `inner`."""
    identity = state.identity
    return {
        "token": identity.verification_token,
        "team_id": identity.team_id,
        "api_app_id": identity.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": state.next_id("Ev"),
        "event_time": int(state.now_seconds()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": identity.team_id,
                "user_id": identity.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def _interaction(state: State, person: Person, kind: str) -> JsonObject:
    return {
        "type": kind,
        "user": {
            "id": person.id,
            "username": person.handle,
            "name": person.handle,
            "team_id": person.team_id,
        },
        "team": {"id": state.identity.team_id, "domain": state.identity.team_domain},
        "api_app_id": state.identity.app_id,
        "token": state.identity.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _response_url(
    state: State, person: Person, channel: Channel, source_ts: str | None, thread_ts: str | None
) -> str:
    url = state.passes.issue_url(
        channel=channel.id,
        user=person.id,
        now_seconds=state.now_seconds(),
        source_ts=source_ts,
        thread_ts=thread_ts,
    )
    return f"{state.origin}/response/{url.token}"


def _shown_name(channel: Channel) -> str:
    match channel.kind:
        case ChannelKind.PUBLIC:
            return channel.name
        case ChannelKind.PRIVATE:
            return "privategroup"
        case ChannelKind.DIRECT:
            return "directmessage"
