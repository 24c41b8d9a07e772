"""What an app may post to a response URL: ephemeral by default, five times, for 30 minutes."""

from __future__ import annotations

import json

from bot.sandbox.api_error import ApiError, invalid_arguments
from bot.sandbox.channels import Channel
from bot.sandbox.content import check_content
from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.messages import Message
from bot.sandbox.passes import PassRefused, ResponseUrl
from bot.sandbox.state import State
from bot.sandbox.web_method import Argument, Kind, read_arguments

_BODY = {
    "text": Argument(kind=Kind.STRING),
    "blocks": Argument(kind=Kind.ARRAY, broken="invalid_blocks_format"),
    "response_type": Argument(kind=Kind.STRING, only=("ephemeral", "in_channel")),
    "replace_original": Argument(kind=Kind.BOOLEAN),
    "delete_original": Argument(kind=Kind.BOOLEAN),
    "thread_ts": Argument(kind=Kind.STRING),
    "unfurl_links": Argument(kind=Kind.BOOLEAN, only=(False,)),
    "unfurl_media": Argument(kind=Kind.BOOLEAN, only=(False,)),
}


def respond(state: State, token: str, body: bytes, content_type: str) -> ApiError | None:
    """Carry out one post; None when it was accepted, else the refusal with its HTTP status."""
    with state.changed:
        try:
            url = state.passes.check_url(token, state.now_seconds())
            _carry_out(state, url, _read(body, content_type))
            url.uses_left -= 1
            state.changed.notify_all()
        except PassRefused as refused:
            return ApiError(refused.reason.value, http_status=404)
        except ApiError as error:
            return ApiError(error.code, messages=error.messages, http_status=400)
    return None


def put_answer(
    state: State,
    channel: Channel,
    user: str,
    body: JsonObject,
    *,
    thread_ts: str | None = None,
) -> Message:
    """Write an answer to an interaction, ephemeral by default. Raises: ApiError."""
    text, blocks = body.get("text"), body.get("blocks")
    content = check_content(
        text if isinstance(text, str) else None,
        blocks if isinstance(blocks, list) else None,
        longest_text=state.limits.message_text,
        files=state.files,
    )
    in_channel = body.get("response_type") == "in_channel"
    return state.put_message(
        channel, content, thread_ts=thread_ts, visible_to=None if in_channel else user
    )


def read_answer(body: JsonObject) -> JsonObject:
    """The body by the properties that an answer may have. Raises: ApiError."""
    return read_arguments(_BODY, body)


def _read(body: bytes, content_type: str) -> JsonObject:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise ApiError("invalid_post_type")
    try:
        parsed: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError("invalid_payload") from error
    if not isinstance(parsed, dict):
        raise ApiError("invalid_payload")
    return read_answer(parsed)


def _carry_out(state: State, url: ResponseUrl, body: JsonObject) -> None:
    channel = state.channels.get(url.channel)
    replaces, deletes = body.get("replace_original") is True, body.get("delete_original") is True
    if not (replaces or deletes):
        thread_ts = body.get("thread_ts")
        given = thread_ts if isinstance(thread_ts, str) else None
        if given is not None and state.messages.lasting(channel.id, given) is None:
            raise ApiError("thread_not_found")
        put_answer(state, channel, url.user, body, thread_ts=given or url.thread_ts)
        return
    if replaces and deletes:
        raise invalid_arguments("replace_original and delete_original exclude each other")
    if url.source_ts is None:
        raise ApiError("message_not_found")
    original = state.messages.find(channel.id, url.source_ts)
    if original is None:
        raise ApiError("message_not_found")
    if deletes:
        state.messages.remove(channel.id, original.ts)
        return
    text, blocks = body.get("text"), body.get("blocks")
    content = check_content(
        text if isinstance(text, str) else None,
        blocks if isinstance(blocks, list) else None,
        longest_text=state.limits.message_text,
        files=state.files,
    )
    state.messages.edit(
        original,
        text=content.text,
        blocks=content.blocks,
        edited_ts=state.next_ts(),
        metadata=original.metadata,
    )
