"""files.*: the three steps of an upload, and what a file is."""

from __future__ import annotations

from bot.sandbox.api_error import ApiError, invalid_arguments
from bot.sandbox.files import File
from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.web_method import Argument, Call, Kind, Method

_LONGEST_ALT = 1000
_LARGEST_BYTES = 20_000_000


def _upload_url(call: Call) -> JsonObject:
    length = call.number("length", 0)
    if length < 1:
        raise invalid_arguments("length must be a positive number [json-pointer:/length]")
    if length > _LARGEST_BYTES:
        raise ApiError("file_upload_size_restricted")
    alt_text = call.text("alt_txt")
    if len(alt_text) > _LONGEST_ALT:
        raise ApiError("alt_txt_too_large")
    file = call.state.files.add(
        File(
            id=call.state.next_id("F"),
            name=call.text("filename"),
            length=length,
            alt_text=alt_text,
            created_seconds=int(call.state.now_seconds()),
        )
    )
    url = f"{call.state.origin}/upload/{file.pass_token}"
    return {"upload_url": url, "file_id": file.id}


def _complete(call: Call) -> JsonObject:
    """Without a channel the files stay the app's own, to be shown by its messages."""
    listed = call.array("files") or []
    files = [_named(call, entry) for entry in listed]
    if not files:
        raise ApiError("invalid_arguments", messages=("no fewer than 1 items allowed",))
    for file, title in files:
        file.is_complete = True
        file.title = title
    wired: list[Json] = [file.to_wire() for file, _title in files]
    return {"files": wired}


def _named(call: Call, entry: Json) -> tuple[File, str]:
    if not isinstance(entry, dict) or set(entry) - {"id", "title"}:
        raise invalid_arguments("files must hold objects of id and title [json-pointer:/files]")
    file_id, title = entry.get("id"), entry.get("title", "")
    file = call.state.files.by_id(file_id) if isinstance(file_id, str) else None
    if file is None:
        raise ApiError("file_not_found")
    if file.data is None:
        raise ApiError("file_update_failed")
    return file, title if isinstance(title, str) else ""


def _info(call: Call) -> JsonObject:
    file = call.state.files.by_id(call.text("file"))
    if file is None or not file.is_complete:
        raise ApiError("file_not_found")
    return {"file": file.to_wire()}


FILE_METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": Method(
        handler=_upload_url,
        scopes=("files:write",),
        arguments={
            "filename": Argument(kind=Kind.STRING, required=True),
            "length": Argument(kind=Kind.INTEGER, required=True),
            "alt_txt": Argument(kind=Kind.STRING),
        },
    ),
    "files.completeUploadExternal": Method(
        handler=_complete,
        scopes=("files:write",),
        arguments={"files": Argument(kind=Kind.ARRAY, required=True)},
    ),
    "files.info": Method(
        handler=_info,
        scopes=("files:read",),
        arguments={"file": Argument(kind=Kind.STRING, required=True)},
    ),
}


def receive(file: File | None, body: bytes) -> tuple[int, str]:
    """What the upload address answers: HTTP status and text. A file is sent once, whole."""
    if file is None:
        return 404, "no such upload"
    if file.data is not None:
        return 400, "this was sent already"
    if len(body) != file.length:
        return 400, f"{len(body)} bytes came, and {file.length} were announced"
    file.data = body
    return 200, f"OK - {len(body)}"
