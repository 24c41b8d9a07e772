"""A refusal by the Web API, in Slack's own error codes."""

from __future__ import annotations

from bot.sandbox.json_values import Json, JsonObject


class ApiError(Exception):
    """`{"ok": false, "error": code}`, with what Slack adds: messages, fields, HTTP status."""

    def __init__(
        self,
        code: str,
        *,
        messages: tuple[str, ...] = (),
        fields: JsonObject | None = None,
        http_status: int = 200,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(": ".join((code, *messages)))
        self.code = code
        self.messages = messages
        self.fields: JsonObject = dict(fields or {})
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds

    def to_wire(self) -> JsonObject:
        wire: JsonObject = {"ok": False, "error": self.code, **self.fields}
        if self.messages:
            listed: list[Json] = [f"[ERROR] {message}" for message in self.messages]
            wire["response_metadata"] = {"messages": listed}
            if self.code == "invalid_blocks":
                plain: list[Json] = list(self.messages)
                wire["errors"] = plain
        return wire


def invalid_arguments(*messages: str) -> ApiError:
    """The arguments do not fit the method; each message says which and why."""
    return ApiError("invalid_arguments", messages=messages)
