"""One Web API call from request to answer: token, method, scopes, arguments, then the method.

Guarantees that nothing unknown is answered `ok`. Knows nothing of HTTP servers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from bot.sandbox.api_error import ApiError
from bot.sandbox.chat_methods import CHAT_METHODS
from bot.sandbox.conversation_methods import CONVERSATION_METHODS
from bot.sandbox.directory_methods import DIRECTORY_METHODS
from bot.sandbox.file_methods import FILE_METHODS
from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.state import ApiCall, State
from bot.sandbox.user_group_methods import USER_GROUP_METHODS
from bot.sandbox.view_methods import VIEW_METHODS
from bot.sandbox.web_method import (
    Call,
    Method,
    TokenKind,
    read_arguments,
    require_scope,
    verify_rate,
)

METHODS: dict[str, Method] = {
    **CHAT_METHODS,
    **CONVERSATION_METHODS,
    **DIRECTORY_METHODS,
    **FILE_METHODS,
    **USER_GROUP_METHODS,
    **VIEW_METHODS,
}
MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Request:
    """What arrived. `query` and `body` are raw; header names are lower case."""

    method: str
    query: str
    body: bytes
    content_type: str
    authorization: str


@dataclass(frozen=True, kw_only=True)
class Response:
    """What goes back."""

    body: JsonObject
    http_status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def answer(state: State, request: Request) -> Response:
    """Carry out one call, or say in Slack's words why not."""
    with state.changed:
        arguments: JsonObject = {}
        refused: ApiError | None = None
        body: JsonObject = {}
        try:
            arguments = _given(request)
            body = _carry_out(state, request, arguments)
        except ApiError as error:
            refused = error
        logged = {key: value for key, value in arguments.items() if key != "token"}
        error_code = refused.code if refused is not None else None
        state.calls.append(ApiCall(method=request.method, arguments=logged, error=error_code))
        state.changed.notify_all()
    headers = _scope_headers(state, METHODS.get(request.method))
    if refused is None:
        return Response(body={"ok": True} | body, headers=headers)
    if refused.retry_after_seconds is not None:
        headers["Retry-After"] = str(refused.retry_after_seconds)
    return Response(body=refused.to_wire(), http_status=refused.http_status, headers=headers)


def _carry_out(state: State, request: Request, arguments: JsonObject) -> JsonObject:
    method = METHODS.get(request.method)
    if method is None:
        raise ApiError("unknown_method", fields={"req_method": request.method})
    fault = state.faults.take(request.method)
    if fault is not None:
        raise ApiError(
            fault.error,
            http_status=fault.http_status,
            retry_after_seconds=fault.retry_after_seconds,
        )
    # Bolt adds its own team to every call; another team would be another workspace.
    if arguments.get("team_id", state.identity.team_id) != state.identity.team_id:
        raise ApiError("team_not_found")
    common = ("token", "team_id")
    given = {key: value for key, value in arguments.items() if key not in common}
    kind = _token_kind(state, request, arguments)
    if kind is not method.token:
        raise ApiError("not_allowed_token_type")
    granted = state.scopes if kind is TokenKind.BOT else state.app_scopes
    require_scope(granted, method.scopes)
    verify_rate(state.throttle.take_call(request.method, state.now_seconds()))
    call = Call(
        state=state, method=request.method, arguments=read_arguments(method.arguments, given)
    )
    return method.handler(call)


def _token_kind(state: State, request: Request, arguments: JsonObject) -> TokenKind:
    token = request.authorization.removeprefix("Bearer ").strip()
    if not token:
        argument = arguments.get("token")
        token = argument if isinstance(argument, str) else ""
    if not token:
        raise ApiError("not_authed")
    if token == state.identity.app_token:
        return TokenKind.APP
    if token != state.identity.bot_token:
        raise ApiError("invalid_auth")
    if state.is_token_revoked:
        raise ApiError("token_revoked")
    return TokenKind.BOT


def _given(request: Request) -> JsonObject:
    """Arguments from the query and the body, which is a form or JSON. Raises: ApiError."""
    given: JsonObject = dict(parse_qsl(request.query, keep_blank_values=True))
    if len(request.body) > MAX_BODY_BYTES:
        raise ApiError("request_too_large", http_status=413)
    kind = request.content_type.partition(";")[0].strip().lower()
    if not request.body:
        return given
    if kind == "application/json":
        try:
            parsed: Json = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise ApiError("invalid_json") from error
        if not isinstance(parsed, dict):
            raise ApiError("json_not_object")
        return given | parsed
    if kind == "application/x-www-form-urlencoded":
        try:
            return given | dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as error:
            raise ApiError("invalid_form_data") from error
    raise ApiError("invalid_post_type")


def _scope_headers(state: State, method: Method | None) -> dict[str, str]:
    headers = {"X-OAuth-Scopes": ",".join(state.scopes)}
    if method is not None:
        headers["X-Accepted-OAuth-Scopes"] = ",".join(method.scopes)
    return headers
