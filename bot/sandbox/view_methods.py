"""views.open, views.push, views.update: modals in exchange for a trigger, or for their id;
views.publish: a person's Home, at any time."""

from __future__ import annotations

from bot.sandbox.api_error import ApiError, invalid_arguments
from bot.sandbox.json_values import JsonObject
from bot.sandbox.modals import View
from bot.sandbox.passes import PassRefused, Trigger
from bot.sandbox.views import (
    checked_view,
    open_view,
    publish_home,
    push_view,
    update_view,
    view_wire,
)
from bot.sandbox.web_method import Argument, Call, Kind, Method

_VIEW = Argument(kind=Kind.OBJECT, required=True)
_TRIGGER = Argument(kind=Kind.STRING, required=True)


def _trigger(call: Call) -> Trigger:
    try:
        return call.state.passes.check_trigger(call.text("trigger_id"), call.state.now_seconds())
    except PassRefused as refused:
        raise ApiError(refused.reason.value) from refused


def _payload(call: Call) -> JsonObject:
    return call.object("view") or {}


def _open(call: Call) -> JsonObject:
    checked_view(call.state, _payload(call))
    trigger = _trigger(call)
    trigger.used = True
    view = open_view(call.state, trigger.user, _payload(call))
    return {"view": view_wire(call.state, view)}


def _push(call: Call) -> JsonObject:
    """Only from within a modal: the trigger must come from an action or submission in it."""
    checked_view(call.state, _payload(call))
    trigger = _trigger(call)
    if trigger.view_id is None or call.state.modals.find(trigger.view_id) is None:
        raise ApiError("not_found")
    view = push_view(call.state, trigger.user, _payload(call))
    trigger.used = True
    return {"view": view_wire(call.state, view)}


def _named(call: Call) -> View:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if bool(view_id) == bool(external_id):
        raise invalid_arguments("exactly one of view_id and external_id is needed")
    modals = call.state.modals
    view = modals.find(view_id) if view_id else modals.by_external_id(external_id)
    if view is None:
        raise ApiError("not_found")
    return view


def _update(call: Call) -> JsonObject:
    view = _named(call)
    expected = call.optional_text("hash")
    if expected is not None and expected != view.hash:
        raise ApiError("hash_conflict")
    updated = update_view(call.state, view, _payload(call))
    return {"view": view_wire(call.state, updated)}


def _publish(call: Call) -> JsonObject:
    if not call.state.has_home_tab:
        raise ApiError("not_enabled")
    person = call.state.people.by_id(call.text("user_id"))
    if person is None or person.deleted or person.is_bot:
        raise invalid_arguments("invalid `user_id`")
    view = publish_home(call.state, person.id, _payload(call), call.optional_text("hash"))
    return {"view": view_wire(call.state, view)}


VIEW_METHODS: dict[str, Method] = {
    "views.open": Method(handler=_open, arguments={"trigger_id": _TRIGGER, "view": _VIEW}),
    "views.push": Method(handler=_push, arguments={"trigger_id": _TRIGGER, "view": _VIEW}),
    "views.update": Method(
        handler=_update,
        arguments={
            "view": _VIEW,
            "view_id": Argument(kind=Kind.STRING),
            "external_id": Argument(kind=Kind.STRING),
            "hash": Argument(kind=Kind.STRING),
        },
    ),
    "views.publish": Method(
        handler=_publish,
        arguments={
            "user_id": Argument(kind=Kind.STRING, required=True),
            "view": _VIEW,
            "hash": Argument(kind=Kind.STRING),
        },
    ),
}
