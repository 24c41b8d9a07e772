"""The probe: a version only where the platform says so in clear words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.http_edges import HttpProbe
from governance.adapters.http_edges.serving_probe import _version
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version
from governance.ports import ServingProbe
from tests.edges.servers import Script, Server, Write, answering, resolving, saying, serving

CREDIT = ModelName("credit_scoring")


def asked(server: Server, *, path: str = "/v", model: ModelName = CREDIT) -> Version | None:
    """What the probe makes of a server's answer."""
    probe: ServingProbe = HttpProbe(timeout_seconds=30.0)
    return probe.served_version(server.url + path, model)


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b'{"version": 2}', 2),
        (b'{"version": "2"}', 2),
        (b'{"version": "v2"}', 2),
        (b' {"model": {"name": "x"}, "version": 41}\n', 41),
        (b"2", 2),
        (b"v2\n", 2),
        (b"999999999", 999_999_999),
        (b'{"version": null}', None),
        (b"none\n", None),
    ],
)
def test_a_clear_answer_is_believed(body: bytes, version: int | None) -> None:
    """Whatever content type it claims."""
    with serving(answering(200, body, "Content-Type: text/html")) as server:
        assert asked(server) == version
    assert (server.only().method, server.only().target) == ("GET", "/v")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[2]",
        b'"2"',
        b"0",
        b"v0",
        b"-1",
        b"+1",
        b"02",
        b"2.0",
        b"2 3",
        b"V2",
        b"version 2",
        b"1000000000",
        b"\xd9\xa2",  # an Arabic two
        b"\xff",
        b'{"version": true}',
        b'{"version": 2.0}',
        b'{"version": 2e0}',
        b'{"version": ""}',
        b'{"version": "none"}',
        b'{"version": [2]}',
        b'{"version": {"version": 2}}',
        b'{"Version": 2}',
        b'{"version": 1, "version": 2}',
        b'{"version": 2',
        b'{"version": ' + b"9" * 5000 + b"}",
        b'{"version":' + b"[" * 20_000,
        b"<html>2</html>",
    ],
    ids=repr,
)
def test_anything_else_is_no_answer(body: bytes) -> None:
    """A rollback is not called done on a guess."""
    with serving(answering(200, body)) as server, pytest.raises(Unavailable) as unavailable:
        asked(server)
    assert unavailable.value.code == "probe_unavailable"
    assert CREDIT in unavailable.value.sentence


@given(st.binary(max_size=40) | st.from_regex(r'\s*\{"version":.{0,9}\}', fullmatch=True))
def test_any_bytes_are_a_version_or_say_nothing(body: bytes | str) -> None:
    """Nothing but the two errors that the probe translates."""
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    try:
        version = _version(data)
    except (ValueError, RecursionError):
        return
    assert version is None or 1 <= version <= 999_999_999


@given(st.integers(1, 999_999_999))
def test_every_way_to_write_a_version_means_the_same(number: int) -> None:
    """Four spellings."""
    ways = (
        f"{number}",
        f"v{number}",
        *(json.dumps({"version": v}) for v in (number, f"v{number}")),
    )
    assert {_version(way.encode()) for way in ways} == {number}


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 404, 500, 503])
def test_only_200_is_an_answer(status: int) -> None:
    """A version in the body of an error page is none; a redirect is not followed."""
    with serving(answering(200, b"2")) as elsewhere:
        script = answering(status, b"2", f"Location: {elsewhere.url}/")
        with serving(script) as server, pytest.raises(Unavailable, match=str(status)):
            asked(server)
    assert elsewhere.received == []


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("credit_scoring", "/models/credit_scoring/version?of=credit_scoring"),
        ("a/../b?c#d", "/models/a%2F..%2Fb%3Fc%23d/version?of=a%2F..%2Fb%3Fc%23d"),
        ("é {model}", "/models/%C3%A9%20%7Bmodel%7D/version?of=%C3%A9%20%7Bmodel%7D"),
    ],
)
def test_the_name_of_the_model_stands_in_the_url(model: str, target: str) -> None:
    """Encoded, so that no name leads to another path."""
    with serving(answering(200, b"2")) as server:
        path = "/models/{model}/version?of={model}"
        assert asked(server, path=path, model=ModelName(model)) == 2
    assert server.only().target == target


def test_a_name_that_is_no_host_does_not_lead_elsewhere() -> None:
    """Where the model is a part of the host."""
    with pytest.raises(Unavailable):
        HttpProbe().served_version("http://{model}.serving.example/", ModelName("evil.example/"))


def _hanging(write: Write, server: Server) -> None:
    write(b"HTTP/1.1 200 OK\r\n\r\n2")
    server.over.wait()


def _dripping(write: Write, server: Server) -> None:
    """A good answer, far too slowly."""
    write(b"HTTP/1.1 200 OK\r\n\r\n2")
    for _ in range(400):
        if server.over.wait(0.02):
            return
        write(b"\n")


@pytest.mark.parametrize("script", [_hanging, _dripping])
def test_a_slow_platform_is_no_answer(script: Script) -> None:
    """Not even what it had said until then."""
    with serving(script) as server:
        probe = HttpProbe(timeout_seconds=0.2)
        with pytest.raises(Unavailable, match=r"longer than 0\.2 seconds"):
            probe.served_version(server.url, CREDIT)


@pytest.mark.parametrize(
    "head",
    [b"", b"Content-Length: 1000000000000\r\n", b"Transfer-Encoding: chunked\r\n"],
    ids=["no length", "a length", "chunks"],
)
def test_a_huge_answer_is_cut(head: bytes) -> None:
    """At 64 kB, and no room is made for what it announces."""

    def huge(write: Write, _server: Server) -> None:
        write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        if b"chunked" in head:
            write(b"FFFFFFFFFF\r\n")
        while True:
            write(b"2" * 100_000)

    with serving(huge) as server:
        with pytest.raises(Unavailable, match="longer than 64 kB"):
            asked(server)
        assert server.hung_up.wait(30)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1",  # of 12
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n1\r\n",
    ],
)
def test_an_answer_that_was_cut_is_no_version(answer: bytes) -> None:
    """Half of 12 is 1, which is another version."""
    with serving(saying(answer)) as server, pytest.raises(Unavailable):
        asked(server)


def test_a_chunked_answer_is_put_together() -> None:
    """As many platforms send it."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n1\r\n2\r\n0\r\n\r\n"
    with serving(saying(answer)) as server:
        assert asked(server) == 12


def test_nobody_there_is_no_answer() -> None:
    """The port is closed."""
    with serving(answering(200, b"2")) as server:
        pass
    with pytest.raises(Unavailable):
        asked(server)


@pytest.mark.parametrize(
    "url", ["", "serving", "ftp://serving/", "http://ana:swordfish@127.0.0.1/"]
)
def test_an_address_that_is_none_is_no_answer(url: str) -> None:
    """And its password is not told."""
    with pytest.raises(Unavailable) as unavailable:
        HttpProbe().served_version(url, CREDIT)
    assert "swordfish" not in unavailable.value.sentence


def test_a_probe_that_may_not_ask_inside_does_not() -> None:
    """By address, by name, and not by http."""
    resolve, names = resolving(["10.0.0.7"])
    probe = HttpProbe(allow_private=False, resolve=resolve)
    for url in ("https://127.0.0.1/", "https://serving.example/", "http://serving.example/"):
        with pytest.raises(Unavailable):
            probe.served_version(url, CREDIT)
    assert names == ["serving.example"]
