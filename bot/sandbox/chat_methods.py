"""chat.*: posting, updating and deleting messages, by Slack's rules on who may and how often."""

from __future__ import annotations

from bot.sandbox.api_error import ApiError
from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.content import MISSING_TEXT, Content, check_content
from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.messages import Message
from bot.sandbox.web_method import Argument, Call, Kind, Method, verify_rate

_TEXT = Argument(kind=Kind.STRING)
_BLOCKS = Argument(kind=Kind.ARRAY, broken="invalid_blocks_format")
_CHANNEL = Argument(kind=Kind.STRING, required=True)
_THREAD = Argument(kind=Kind.STRING)
_METADATA = Argument(kind=Kind.OBJECT, broken="invalid_metadata_format")
# The workspace never unfurls, links or guesses, so it takes only the values that ask for that.
_NO = Argument(kind=Kind.BOOLEAN, only=(False,))
_NO_PARSING = Argument(kind=Kind.STRING, only=("none",))


def _destination(call: Call) -> Channel:
    """Where to post: an id, a user's id (their direct message), or a public channel's name."""
    where = call.text("channel")
    person = call.state.people.by_id(where)
    if person is not None:
        return _direct(call, where)
    if where.startswith("#"):
        named = call.state.channels.find(where)
        if named is None or named.kind is not ChannelKind.PUBLIC:
            raise ApiError("channel_not_found")
        return named
    return call.channel()


def _direct(call: Call, user_id: str) -> Channel:
    person = call.state.people.by_id(user_id)
    if person is None or person.deleted or person.is_bot:
        raise ApiError("channel_not_found")
    return call.state.direct_channel(user_id)


def _writable(call: Call, channel: Channel) -> Channel:
    if channel.is_archived:
        raise ApiError("is_archived")
    if not channel.has(call.state.identity.bot_user):
        raise ApiError("not_in_channel")
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    thread_ts = call.optional_text("thread_ts")
    if thread_ts is None:
        return None
    parent = call.state.messages.lasting(channel.id, thread_ts)
    if parent is None or parent.is_reply:
        raise ApiError("thread_not_found")
    return thread_ts


def _metadata(call: Call) -> JsonObject | None:
    metadata = call.object("metadata")
    if metadata is None:
        return None
    is_typed = isinstance(metadata.get("event_type"), str)
    is_whole = set(metadata) == {"event_type", "event_payload"}
    if not (is_typed and is_whole and isinstance(metadata["event_payload"], dict)):
        raise ApiError("invalid_metadata_format")
    return metadata


def _answer(call: Call, channel: Channel, message: Message, content: Content) -> JsonObject:
    answer: JsonObject = {
        "channel": channel.id,
        "ts": message.ts,
        "message": call.state.message_wire(message),
    }
    return answer | _warned(content)


def _warned(content: Content) -> JsonObject:
    if not content.warnings:
        return {}
    listed: list[Json] = list(content.warnings)
    return {"warning": MISSING_TEXT, "response_metadata": {"warnings": listed}}


def _post_message(call: Call) -> JsonObject:
    channel = _writable(call, _destination(call))
    content = check_content(
        call.optional_text("text"),
        call.array("blocks"),
        longest_text=call.state.limits.message_text,
        files=call.state.files,
    )
    thread_ts = _thread(call, channel)
    metadata = _metadata(call)
    verify_rate(call.state.throttle.take_post(channel.id, call.state.now_seconds()))
    message = call.state.put_message(
        channel,
        content,
        thread_ts=thread_ts,
        is_mrkdwn=call.flag("mrkdwn", default=True),
        metadata=metadata,
    )
    return _answer(call, channel, message, content)


def _post_ephemeral(call: Call) -> JsonObject:
    channel = _writable(call, call.channel())
    person = call.state.people.by_id(call.text("user"))
    if person is None or person.deleted or not channel.has(person.id):
        raise ApiError("user_not_in_channel")
    content = check_content(
        call.optional_text("text"),
        call.array("blocks"),
        longest_text=call.state.limits.message_text,
        files=call.state.files,
    )
    thread_ts = _thread(call, channel)
    message = call.state.put_message(channel, content, thread_ts=thread_ts, visible_to=person.id)
    return {"message_ts": message.ts} | _warned(content)


def _own_message(call: Call, channel: Channel, refusal: str) -> Message:
    message = call.state.messages.lasting(channel.id, call.text("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if not message.from_app:
        raise ApiError(refusal)
    return message


def _update(call: Call) -> JsonObject:
    """Blocks that are not given stay only when no text is given either, as Slack says."""
    channel = _writable(call, call.channel())
    message = _own_message(call, channel, "cant_update_message")
    text, blocks = call.optional_text("text"), call.array("blocks")
    metadata = _metadata(call)
    if text is None and blocks is None and metadata is None:
        raise ApiError("no_text")
    kept: list[Json] = [*message.blocks]
    if blocks is None and text is None:
        blocks = kept
    if text is None and blocks:
        text = message.text
    content = check_content(
        text, blocks, longest_text=call.state.limits.updated_text, files=call.state.files
    )
    edited = call.state.messages.edit(
        message,
        text=content.text,
        blocks=content.blocks,
        edited_ts=call.state.next_ts(),
        metadata=metadata if metadata is not None else message.metadata,
    )
    return _answer(call, channel, edited, content) | {"text": edited.text}


def _delete(call: Call) -> JsonObject:
    channel = _writable(call, call.channel())
    message = _own_message(call, channel, "cant_delete_message")
    call.state.messages.remove(channel.id, message.ts)
    return {"channel": channel.id, "ts": message.ts}


def _permalink(call: Call) -> JsonObject:
    channel = call.channel()
    message = call.state.messages.lasting(channel.id, call.text("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    host = f"https://{call.state.identity.team_domain}.slack.com"
    link = f"{host}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


CHAT_METHODS: dict[str, Method] = {
    "chat.postMessage": Method(
        handler=_post_message,
        scopes=("chat:write",),
        arguments={
            "channel": _CHANNEL,
            "text": _TEXT,
            "blocks": _BLOCKS,
            "thread_ts": _THREAD,
            "metadata": _METADATA,
            "mrkdwn": Argument(kind=Kind.BOOLEAN),
            "unfurl_links": _NO,
            "unfurl_media": _NO,
            "link_names": _NO,
            "reply_broadcast": _NO,
            "parse": _NO_PARSING,
        },
    ),
    "chat.postEphemeral": Method(
        handler=_post_ephemeral,
        scopes=("chat:write",),
        arguments={
            "channel": _CHANNEL,
            "user": Argument(kind=Kind.STRING, required=True),
            "text": _TEXT,
            "blocks": _BLOCKS,
            "thread_ts": _THREAD,
            "link_names": _NO,
            "parse": _NO_PARSING,
        },
    ),
    "chat.update": Method(
        handler=_update,
        scopes=("chat:write",),
        arguments={
            "channel": _CHANNEL,
            "ts": Argument(kind=Kind.STRING, required=True),
            "text": _TEXT,
            "blocks": _BLOCKS,
            "metadata": _METADATA,
            "link_names": _NO,
            "parse": _NO_PARSING,
            "reply_broadcast": _NO,
        },
    ),
    "chat.delete": Method(
        handler=_delete,
        scopes=("chat:write",),
        arguments={"channel": _CHANNEL, "ts": Argument(kind=Kind.STRING, required=True)},
    ),
    "chat.getPermalink": Method(
        handler=_permalink,
        arguments={
            "channel": _CHANNEL,
            "message_ts": Argument(kind=Kind.STRING, required=True),
        },
    ),
}
