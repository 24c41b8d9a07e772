"""conversations.*: what the app may read of channels, and opening direct messages."""

from __future__ import annotations

from bot.sandbox.api_error import ApiError, invalid_arguments
from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.json_values import JsonObject
from bot.sandbox.messages import Message
from bot.sandbox.web_method import Argument, Call, Kind, Method

_CHANNEL = Argument(kind=Kind.STRING, required=True)
_CURSOR = {"cursor": Argument(kind=Kind.STRING), "limit": Argument(kind=Kind.INTEGER)}
_WINDOW = {
    **_CURSOR,
    "oldest": Argument(kind=Kind.STRING),
    "latest": Argument(kind=Kind.STRING),
    "inclusive": Argument(kind=Kind.BOOLEAN),
    "include_all_metadata": Argument(kind=Kind.BOOLEAN),
}
_KINDS = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "im": ChannelKind.DIRECT,
}


def _open(call: Call) -> JsonObject:
    """A direct message with one person; group messages are not implemented."""
    state = call.state
    users = [user for user in call.text("users").split(",") if user]
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > 1:
        raise invalid_arguments("unsupported: a direct message with more than one person")
    person = state.people.by_id(users[0])
    if person is None:
        raise ApiError("user_not_found")
    if person.deleted:
        raise ApiError("user_disabled")
    if person.is_bot:
        raise ApiError("cannot_dm_bot")
    already = state.channels.direct_with(person.id) is not None
    channel = state.direct_channel(person.id)
    answer: JsonObject = {"channel": {"id": channel.id}}
    if call.flag("return_im", default=False):
        answer["channel"] = channel.to_wire(app_user=state.identity.bot_user)
    if already:
        answer |= {"no_op": True, "already_open": True}
    return answer


def _info(call: Call) -> JsonObject:
    channel = call.channel(family="read")
    wire = channel.to_wire(
        app_user=call.state.identity.bot_user,
        with_count=call.flag("include_num_members", default=False),
    )
    return {"channel": wire}


def _list(call: Call) -> JsonObject:
    wanted: list[ChannelKind] = []
    for word in (call.text("types") or "public_channel").split(","):
        kind = _KINDS.get(word.strip())
        if kind is None:
            raise ApiError("invalid_types")
        call.require_scope(f"{kind.value}:read")
        wanted.append(kind)
    bot_user = call.state.identity.bot_user
    skip_archived = call.flag("exclude_archived", default=False)
    shown = [
        channel.to_wire(app_user=bot_user, with_count=channel.kind is not ChannelKind.DIRECT)
        for channel in call.state.channels.everything()
        if channel.kind in wanted
        and not (skip_archived and channel.is_archived)
        and (channel.kind is ChannelKind.PUBLIC or channel.has(bot_user))
    ]
    return call.page(shown, "channels")


def _members(call: Call) -> JsonObject:
    channel = call.channel(family="read")
    return call.page(channel.members, "members")


def _readable(call: Call) -> Channel:
    channel = call.channel(family="history")
    if not channel.has(call.state.identity.bot_user):
        raise ApiError("not_in_channel")
    return channel


def _within(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999.999999"
    if call.flag("inclusive", default=False):
        return [m for m in messages if oldest <= m.ts <= latest]
    return [m for m in messages if oldest < m.ts < latest]


def _wire(call: Call, message: Message) -> JsonObject:
    wire = call.state.message_wire(message)
    if not call.flag("include_all_metadata", default=False):
        wire.pop("metadata", None)
    return wire


def _history(call: Call) -> JsonObject:
    channel = _readable(call)
    top = [m for m in call.state.messages.in_channel(channel.id) if not m.is_reply]
    newest_first = sorted(_within(call, top), key=lambda m: m.ts, reverse=True)
    page = call.page([_wire(call, m) for m in newest_first], "messages", most=999)
    return page | {"has_more": _has_more(page), "pin_count": 0}


def _replies(call: Call) -> JsonObject:
    channel = _readable(call)
    if call.state.messages.lasting(channel.id, call.text("ts")) is None:
        raise ApiError("thread_not_found")
    thread = _within(call, call.state.messages.thread(channel.id, call.text("ts")))
    page = call.page([_wire(call, m) for m in thread], "messages")
    return page | {"has_more": _has_more(page)}


def _has_more(page: JsonObject) -> bool:
    metadata = page["response_metadata"]
    return isinstance(metadata, dict) and metadata.get("next_cursor") != ""


CONVERSATION_METHODS: dict[str, Method] = {
    "conversations.open": Method(
        handler=_open,
        scopes=("im:write",),
        arguments={
            "users": Argument(kind=Kind.STRING),
            "return_im": Argument(kind=Kind.BOOLEAN),
        },
    ),
    "conversations.info": Method(
        handler=_info,
        arguments={
            "channel": _CHANNEL,
            "include_num_members": Argument(kind=Kind.BOOLEAN),
        },
    ),
    "conversations.list": Method(
        handler=_list,
        arguments={
            **_CURSOR,
            "types": Argument(kind=Kind.STRING),
            "exclude_archived": Argument(kind=Kind.BOOLEAN),
        },
    ),
    "conversations.members": Method(handler=_members, arguments={"channel": _CHANNEL, **_CURSOR}),
    "conversations.history": Method(handler=_history, arguments={"channel": _CHANNEL, **_WINDOW}),
    "conversations.replies": Method(
        handler=_replies,
        arguments={
            "channel": _CHANNEL,
            "ts": Argument(kind=Kind.STRING, required=True),
            **_WINDOW,
        },
    ),
}
