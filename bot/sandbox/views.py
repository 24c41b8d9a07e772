"""Showing and replacing views: modals, the same way for the Web API and for answers to
submissions, and each person's Home."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

from bot.sandbox.api_error import ApiError, invalid_arguments
from bot.sandbox.block_kit import home_problems, modal_problems, with_ids
from bot.sandbox.form import initial_values, kept_values
from bot.sandbox.json_values import JsonObject, as_list, copied, objects_of, text_of
from bot.sandbox.modals import View
from bot.sandbox.state import State

VIEW_BYTES = 250_000


def checked_view(state: State, payload: JsonObject, *, replacing: View | None = None) -> JsonObject:
    """The modal as kept, ids filled in. Raises: ApiError for everything Slack refuses."""
    return _checked(state, payload, modal_problems(payload), replacing)


def _checked(
    state: State, payload: JsonObject, problems: tuple[str, ...], replacing: View | None
) -> JsonObject:
    if problems:
        raise invalid_arguments(*problems)
    if len(json.dumps(payload).encode()) > VIEW_BYTES:
        raise ApiError("view_too_large")
    external_id = text_of(payload, "external_id")
    if external_id:
        known = state.modals.by_external_id(external_id) or state.homes.by_external_id(external_id)
        if known is not None and (replacing is None or known.id != replacing.id):
            raise ApiError("duplicate_external_id")
    kept = copied(payload)
    kept["blocks"] = as_list(with_ids(objects_of(payload, "blocks")))
    return kept


def open_view(state: State, user: str, payload: JsonObject) -> View:
    """Show a view as the only one. Raises: ApiError."""
    view = _new_view(state, user, checked_view(state, payload), previous=None)
    state.modals.open(view)
    state.changed.notify_all()
    return view


def push_view(state: State, user: str, payload: JsonObject) -> View:
    """Put a view on top of the open one. Raises: ApiError."""
    previous = state.modals.top(user)
    if previous is None:
        raise ApiError("not_found")
    if len(state.modals.stack(user)) >= state.limits.modal_stack:
        raise ApiError("push_limit_reached")
    view = _new_view(state, user, checked_view(state, payload), previous=previous)
    state.modals.push(view)
    state.changed.notify_all()
    return view


def publish_home(state: State, user: str, payload: JsonObject, expected_hash: str | None) -> View:
    """Show a person this Home; inputs with the same ids keep what was entered. Raises: ApiError."""
    before = state.homes.of(user)
    kept = _checked(state, payload, home_problems(payload), before)
    if expected_hash is not None and (before is None or expected_hash != before.hash):
        raise ApiError("hash_conflict")
    if before is None:
        view = _new_view(state, user, kept, previous=None)
    else:
        view = replace(before, payload=kept, hash=_new_hash(state))
        view = replace(view, values=kept_values(view.blocks, before.values))
    state.homes.put(view)
    state.changed.notify_all()
    return view


def update_view(state: State, view: View, payload: JsonObject) -> View:
    """Replace what a view shows; inputs with the same ids keep what was entered.

    Raises: ApiError.
    """
    kept = checked_view(state, payload, replacing=view)
    updated = replace(view, payload=kept, hash=_new_hash(state))
    updated = replace(updated, values=kept_values(updated.blocks, view.values))
    state.modals.put(updated)
    state.changed.notify_all()
    return updated


def view_wire(state: State, view: View) -> JsonObject:
    return view.to_wire(
        team_id=state.identity.team_id,
        app_id=state.identity.app_id,
        bot_id=state.identity.bot_id,
    )


def _new_view(state: State, user: str, payload: JsonObject, *, previous: View | None) -> View:
    view_id = state.next_id("V")
    view = View(
        id=view_id,
        user=user,
        hash=_new_hash(state),
        root_id=previous.root_id if previous is not None else view_id,
        previous_id=previous.id if previous is not None else None,
        payload=payload,
    )
    return replace(view, values=initial_values(view.blocks))


def _new_hash(state: State) -> str:
    return f"{int(state.now_seconds())}.{secrets.token_hex(4)}"
