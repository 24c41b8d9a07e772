"""Whom the page lets in: its token, this machine's own name for itself, and no other page's script.
What it serves is the package's own files, and the pictures that apps uploaded."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass

import pytest
from slack_sdk import WebClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from bot.sandbox import Page, RunningServer
from tests.page.tab import Tab


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def get(server: RunningServer, path: str, **headers: str) -> Answered:
    """One raw request: the path goes out as it is written."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        line.putrequest("GET", path, skip_host=True)
        for name, value in {"Host": f"127.0.0.1:{server.port}", **headers}.items():
            line.putheader(name, value)
        line.endheaders()
        answer = line.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, found, answer.read())
    finally:
        line.close()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_the_address_with_the_token_serves_the_page(
    server: RunningServer, page: Page, name: str, kind: str
) -> None:
    """Each file with its own type."""
    answer = get(server, page.path + name)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.body


def test_everything_that_the_page_names_is_there(server: RunningServer, page: Page) -> None:
    """No reference leads nowhere, and none leads elsewhere."""
    names = {"index.html"}
    seen: set[str] = set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        answer = get(server, page.path + name)
        assert answer.status == 200, name
        text = answer.body.decode()
        assert "//" not in "".join(re.findall(r'(?:src|href)="([^"]*)"', text))
        names.update(re.findall(r'(?:src|href)="(?:\./)?([\w.-]+)"', text))
        names.update(re.findall(r'from "\./([\w.-]+)"', text))
        names.update(re.findall(r'src: "([\w.-]+)"', text))
    assert {"app.js", "style.css", "blocks.js", "icon.svg"} <= seen


@pytest.mark.parametrize("token", ["", "wrong", "%00", "%C3%A9"])
def test_another_token_finds_nothing(server: RunningServer, page: Page, token: str) -> None:
    """No hint that there is a page; not even of how long the token is."""
    assert get(server, f"/w/{token}/").status == 404
    assert get(server, page.path[:-2] + "/").status == 404
    assert get(server, page.path.upper()).status == 404


def test_the_token_cannot_be_guessed() -> None:
    """144 bits, new for each page."""
    tokens = {Page(first_person="dana").token for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) >= 24 for token in tokens)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "[::1]", ""])
def test_another_name_for_this_machine_is_refused(
    server: RunningServer, page: Page, host: str
) -> None:
    """A stranger's name that leads here (DNS rebinding) reads nothing."""
    assert get(server, page.path, Host=host.format(port=server.port)).status in (400, 404)


def test_localhost_is_our_name_too(server: RunningServer, page: Page) -> None:
    """As people write it."""
    assert get(server, page.path, Host=f"localhost:{server.port}").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_pages_script_reads_nothing(server: RunningServer, page: Page, origin: str) -> None:
    """Even where it knows the address."""
    assert get(server, page.path + "app.js", Origin=origin).status == 404


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_pages_script_gets_no_line(
    server: RunningServer, page: Page, origin: str | None
) -> None:
    """A WebSocket says who opens it; whoever does not say is no browser of ours."""
    address = f"ws://127.0.0.1:{server.port}{page.path}live"
    given = None if origin is None else Origin(origin)
    with pytest.raises(InvalidStatus), connect(address, origin=given, open_timeout=5):
        pass


def test_another_token_gets_no_line(server: RunningServer) -> None:
    """The right origin does not help."""
    address = f"ws://127.0.0.1:{server.port}/w/wrong/live"
    with (
        pytest.raises(InvalidStatus),
        connect(address, origin=Origin(server.origin), open_timeout=5),
    ):
        pass


@pytest.mark.parametrize(
    "name",
    [
        "../routes.py",
        "..%2froutes.py",
        "%2e%2e/routes.py",
        "..%5croutes.py",
        "static/app.js",
        ".%2fapp.js",
        ".hidden.css",
        "%2fetc%2fpasswd",
        "app.js%00.css",
        "app.js%00",
        "app.js/",
        "__init__.py",
        "nothing.js",
        "files/../app.js",
    ],
)
def test_nothing_but_the_packages_own_static_files_is_served(
    server: RunningServer, page: Page, name: str
) -> None:
    """No path leads out of their folder."""
    assert get(server, page.path + name).status == 404


def test_no_script_runs_but_the_packages_own(server: RunningServer, page: Page) -> None:
    """The policy that a browser enforces, and its companions."""
    headers = get(server, page.path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["connect-src"].split() == [
        "'self'",
        f"ws://127.0.0.1:{server.port}",
        f"ws://localhost:{server.port}",
    ]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def uploaded(client: WebClient, content: bytes, name: str) -> str:
    """The id of a file of the app."""
    answer = client.files_upload_v2(content=content, filename=name, alt_txt="a curve")
    return str(answer["file"]["id"])


PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)


def test_pictures_are_served_as_pictures_and_nothing_else_is(
    server: RunningServer, page: Page, client: WebClient
) -> None:
    """A web page that an app uploaded would run here, so it is not served at all."""
    picture = uploaded(client, PNG, "curve.png")
    answer = get(server, f"{page.path}files/{picture}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.body == PNG
    other = uploaded(client, b"<script>alert(1)</script>", "page.html")
    assert get(server, f"{page.path}files/{other}").status == 404
    assert get(server, f"{page.path}files/F404").status == 404
    assert get(server, f"/w/wrong/files/{picture}").status == 404


def test_the_bots_own_wire_needs_no_token_of_the_page(tab: Tab, client: WebClient) -> None:
    """Both stand on one port; the bot knows nothing of the page."""
    assert client.auth_test()["ok"]
    assert tab.around["is_connected"] is False
