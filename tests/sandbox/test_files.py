"""Uploads as Slack takes them: announced, sent, completed; and shown by an image block."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import RunningServer, Workspace, serve
from bot.sandbox.app_identity import DEFAULT_SCOPES
from bot.sandbox.json_values import JsonObject
from tests.sandbox.stage import error_of

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A workspace with one channel."""
    workspace = Workspace(scopes=(*DEFAULT_SCOPES, "files:read"))
    workspace.add_person("dana")
    workspace.add_channel("#credit-models", members=["dana"])
    with serve(workspace) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> WebClient:
    """The app's."""
    return WebClient(token=server.bot_token, base_url=server.api_url)


def a_picture(file_id: str, **changes: object) -> JsonObject:
    """An image block."""
    block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "AUC falls", **changes}
    return {k: v for k, v in block.items() if v is not None}  # type: ignore[misc]  # a table of what Slack shows


def refused(client: WebClient, block: JsonObject) -> SlackApiError:
    """What Slack says of a message with this block."""
    with pytest.raises(SlackApiError) as error:
        client.chat_postMessage(channel="#credit-models", text="t", blocks=[block])
    return error.value


def test_a_picture_is_uploaded_by_slack_s_own_client_and_shown(
    server: RunningServer, client: WebClient
) -> None:
    """In three steps, without a channel; who cannot see it reads its words."""
    answer = client.files_upload_v2(content=PNG, filename="auc.png", alt_txt="AUC falls")
    file_id = answer["file"]["id"]
    assert server.workspace.file(file_id) == PNG
    assert client.files_info(file=file_id)["file"]["mimetype"] == "image/png"
    client.chat_postMessage(channel="#credit-models", text="t", blocks=[a_picture(file_id)])
    dana = server.workspace.as_person("dana")
    assert "(AUC falls)" in dana.sees(dana.messages("#credit-models")[-1])


def test_a_file_that_is_no_picture_or_not_there_is_refused_in_a_block(client: WebClient) -> None:
    """Also one whose upload was never completed."""
    text = client.files_upload_v2(content="no picture", filename="auc.png")["file"]["id"]
    begun = client.files_getUploadURLExternal(filename="auc.png", length=108)["file_id"]
    for file_id in (text, begun, "F404"):
        error = refused(client, a_picture(file_id))
        assert error.response["error"] == "invalid_blocks"
        assert "invalid slack file" in str(error.response)


def test_an_image_block_names_one_source_and_its_words(client: WebClient) -> None:
    """Neither none nor two, and never without alt text."""
    file_id = client.files_upload_v2(content=PNG, filename="auc.png")["file"]["id"]
    for block in (
        a_picture(file_id, slack_file=None),
        a_picture(file_id, image_url="https://example.com/a.png"),
        a_picture(file_id, alt_text=None),
        a_picture(file_id, alt_text="x" * 2001),
        a_picture(file_id, slack_file={"id": file_id, "size": 3}),
    ):
        assert refused(client, block).response["error"] == "invalid_blocks"


def test_what_is_sent_has_to_be_what_was_announced(client: WebClient) -> None:
    """Its length, once, and before it is completed."""
    begun = client.files_getUploadURLExternal(filename="auc.png", length=len(PNG))
    assert _send(begun["upload_url"], PNG[:-1]) == 400
    with pytest.raises(SlackApiError, match="file_update_failed"):
        client.files_completeUploadExternal(files=[{"id": begun["file_id"], "title": "t"}])
    assert _send(begun["upload_url"], PNG) == 200
    assert _send(begun["upload_url"], PNG) == 400
    assert _send(begun["upload_url"] + "0", PNG) == 404
    client.files_completeUploadExternal(files=[{"id": begun["file_id"], "title": "t"}])


def test_a_file_that_is_not_there_is_neither_completed_nor_shown(client: WebClient) -> None:
    """Nor one that was announced and never completed."""
    begun = client.files_getUploadURLExternal(filename="auc.png", length=len(PNG))
    unknown = [{"id": "F0", "title": "t"}]
    assert error_of(client, "files.completeUploadExternal", files=unknown) == "file_not_found"
    for file_id in ("F0", begun["file_id"]):
        assert error_of(client, "files.info", file=file_id) == "file_not_found"


@pytest.mark.parametrize(
    ("filename", "length", "alt", "code"),
    [
        ("a.png", 0, "", "invalid_arguments"),
        ("", 3, "", "invalid_arguments"),
        ("a.png", 10**9, "", "file_upload_size_restricted"),
        ("a.png", 3, "x" * 1001, "alt_txt_too_large"),
    ],
)
def test_an_announcement_that_cannot_be_kept_is_refused(
    client: WebClient, filename: str, length: int, alt: str, code: str
) -> None:
    """Before a byte is sent."""
    with pytest.raises(SlackApiError) as error:
        client.files_getUploadURLExternal(filename=filename, length=length, alt_txt=alt)
    assert error.value.response["error"] == code


def test_an_app_without_the_scope_uploads_nothing() -> None:
    """`files:write`, and nothing more."""
    workspace = Workspace(scopes=("chat:write",))
    with serve(workspace) as running:
        client = WebClient(token=running.bot_token, base_url=running.api_url)
        with pytest.raises(SlackApiError) as error:
            client.files_upload_v2(content=PNG, filename="auc.png")
    assert error.value.response["error"] == "missing_scope"
    assert error.value.response["needed"] == "files:write"


def _send(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
