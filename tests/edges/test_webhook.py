"""The webhook: signed as the specification says, sent once, and its answer taken in small bites."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.adapters.http_edges import SignedWebhook
from governance.domain.errors import FoureyesError, Refused, Unavailable
from tests.builders import NOON
from tests.edges.sending import (
    BODY,
    KEY,
    SECRET,
    TOKEN,
    a_webhook,
    assert_tells_no_secret,
    everything_told,
    sent,
)
from tests.edges.servers import Script, Server, Write, answering, saying, serving

OLD_KEY = bytes(range(100, 124))
OLD_SECRET = "whsec_" + base64.b64encode(OLD_KEY).decode()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    """One for all examples of a property."""
    with serving(answering(200)) as server:
        yield server


def verified(headers: dict[str, str], body: bytes, key: bytes) -> bool:
    """What a receiver does, by the specification alone."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    offered = [s.partition(",") for s in headers["webhook-signature"].split(" ")]
    return ("v1", ",", expected) in offered


def test_a_receiver_can_verify_what_arrives() -> None:
    """Id, moment and body are signed; nothing else was sent."""
    with serving(answering(204)) as server:
        sent(a_webhook(server))
    got = server.only()
    assert (got.method, got.target) == ("POST", f"/{TOKEN}?key={TOKEN}")
    assert got.headers["host"] == f"127.0.0.1:{server.port}"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "alert_17"
    assert got.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert got.body == BODY
    assert verified(got.headers, got.body, KEY)
    assert not verified(got.headers, got.body + b" ", KEY)
    assert not verified(got.headers, got.body, OLD_KEY)


def test_the_signature_is_that_of_other_implementations() -> None:
    """An example that the libraries of the specification are tested with."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    moment = datetime.fromtimestamp(1614265330, UTC)
    with serving(answering(200)) as server:
        webhook = a_webhook(server, secret=secret)
        webhook.send("msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}')
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert server.only().headers["webhook-signature"] == expected


def test_while_a_secret_is_changed_both_sign() -> None:
    """So a receiver may change its own at any moment."""
    with serving(answering(200)) as server:
        sent(a_webhook(server, secret=f"{SECRET} {OLD_SECRET}"))
    got = server.only()
    assert verified(got.headers, got.body, KEY)
    assert verified(got.headers, got.body, OLD_KEY)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_every_2xx_is_delivered(status: int) -> None:
    """Whatever it says beside that."""
    with serving(answering(status)) as server:
        sent(a_webhook(server))
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 499])
def test_a_receiver_that_does_not_want_it_is_not_asked_again(status: int) -> None:
    """Gone, above all."""
    with serving(answering(status)) as server, pytest.raises(Refused) as refused:
        sent(a_webhook(server))
    assert refused.value.code == "webhook_refused"
    assert str(status) in refused.value.sentence
    assert f"127.0.0.1:{server.port}" in refused.value.sentence


@pytest.mark.parametrize("status", [101, 304, 408, 425, 429, 500, 502, 503, 504, 599])
def test_a_receiver_in_trouble_is_asked_again(status: int) -> None:
    """Later, and not by us."""
    with serving(answering(status)) as server, pytest.raises(Unavailable) as unavailable:
        sent(a_webhook(server))
    assert unavailable.value.code == "webhook_unavailable"
    assert str(status) in unavailable.value.sentence
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """It could lead anywhere, past every check of the address."""
    with serving(answering(200)) as elsewhere:
        script = answering(status, b"", f"Location: {elsewhere.url}/")
        with serving(script) as server, pytest.raises(Unavailable, match="no redirect"):
            sent(a_webhook(server))
    assert elsewhere.received == []


def _hanging(_write: Write, server: Server) -> None:
    server.over.wait()


def _hanging_in_the_middle(write: Write, server: Server) -> None:
    write(b"HTTP/1.1 200 OK\r\nX: ")
    server.over.wait()


def _dripping(write: Write, server: Server) -> None:
    """A good answer, far too slowly, and never a pause as long as the time limit."""
    for byte in b"HTTP/1.1 200 OK\r\nX: " + 400 * b"y" + b"\r\n\r\n":
        if server.over.wait(0.02):
            return
        write(bytes([byte]))


@pytest.mark.parametrize("script", [_hanging, _hanging_in_the_middle, _dripping])
def test_a_slow_receiver_is_left_after_the_time_limit(script: Script) -> None:
    """The limit is on the whole, not on each byte."""
    with (
        serving(script) as server,
        pytest.raises(Unavailable, match=r"longer than 0\.2 seconds"),
    ):
        sent(a_webhook(server, seconds=0.2))


def test_an_answer_without_end_is_cut() -> None:
    """A 2xx delivers; its body is not taken, so that the receiver finds the line closed."""

    def endless(write: Write, _server: Server) -> None:
        write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            write(bytes(100_000))

    with serving(endless) as server:
        sent(a_webhook(server))
        assert server.hung_up.wait(30)


def test_headers_without_end_are_cut() -> None:
    """Before they fill the memory."""

    def endless(write: Write, _server: Server) -> None:
        write(b"HTTP/1.1 200 OK\r\n")
        while True:
            write(b"X: " + bytes([120]) * 30_000 + b"\r\n")

    with serving(endless) as server:
        with pytest.raises(Unavailable, match="longer than 64 kB"):
            sent(a_webhook(server))
        assert server.hung_up.wait(30)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 2",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        f"no such path: /{TOKEN}\r\n".encode(),
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
)
def test_what_is_no_http_is_no_delivery(data: bytes) -> None:
    """Another protocol on that port, or a receiver that died."""
    with serving(saying(data)) as server, pytest.raises(Unavailable) as unavailable:
        sent(a_webhook(server))
    assert_tells_no_secret(unavailable.value)


def test_nobody_there_is_no_delivery() -> None:
    """The port is closed."""
    with serving(answering(200)) as server:
        webhook = a_webhook(server)
    with pytest.raises(Unavailable, match="refused"):
        sent(webhook)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        " ",
        "swordfish",
        SECRET.removeprefix("whsec_"),
        "whsec_",
        "whsec_!!!!",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        f"{SECRET} swordfish",
    ],
)
def test_a_secret_that_is_none_is_refused_at_once(secret: str) -> None:
    """24 to 64 bytes, as the specification wants them; the refusal does not repeat it."""
    with pytest.raises(Refused) as refused:
        SignedWebhook("https://hooks.example.com/", secret, allow_private=False)
    assert "swordfish" not in everything_told(refused.value)
    assert_tells_no_secret(refused.value)


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_of_the_least_and_of_the_most_bytes_is_one(size: int) -> None:
    """Both ends of the range."""
    secret = "whsec_" + base64.b64encode(bytes(size)).decode()
    SignedWebhook("https://hooks.example.com/", secret, allow_private=False)


@pytest.mark.parametrize("event_id", ["", "a.b", "a b", "a\r\nX: y", "ä", "a" * 201])
def test_an_id_that_could_be_read_as_something_else_is_not_signed(event_id: str) -> None:
    """A full stop would let one signature stand for two messages."""
    with serving(answering(200)) as server, pytest.raises(Refused):
        a_webhook(server).send(event_id, NOON, BODY)
    assert server.received == []


@given(st.from_regex(r"[!-\-/-~]{1,200}", fullmatch=True), st.binary(max_size=300))
def test_any_message_arrives_as_it_was_signed(
    shared_server: Server, event_id: str, body: bytes
) -> None:
    """Byte for byte."""
    shared_server.received.clear()
    a_webhook(shared_server).send(event_id, NOON, body)
    got = shared_server.only()
    assert (got.headers["webhook-id"], got.body) == (event_id, body)
    assert verified(got.headers, got.body, KEY)


@pytest.mark.parametrize("status", [302, 410, 500])
def test_no_error_and_no_repr_tells_a_secret(status: int) -> None:
    """Neither the key nor the path, which is a key for many receivers."""
    with serving(answering(status, TOKEN.encode(), f"Location: /{TOKEN}")) as server:
        webhook = a_webhook(server)
        with pytest.raises(FoureyesError) as error:
            sent(webhook)
    assert_tells_no_secret(error.value)
    assert repr(webhook) == f"SignedWebhook('127.0.0.1:{server.port}')"
