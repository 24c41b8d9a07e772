"""Where it connects: to the address that was checked, by the name that was meant, nowhere else."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence

import pytest

from governance.adapters.http_edges import SignedWebhook
from governance.domain.errors import Refused, Unavailable
from tests.edges.sending import SECRET, TOKEN, a_webhook, assert_tells_no_secret, sent
from tests.edges.servers import HOST, Trust, answering, made_trust, resolving, serving


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    """A certificate for hooks.example.com."""
    return made_trust(tmp_path_factory.mktemp("trust"))


SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "0",
    "localhost",
    "LOCALHOST",
    "10.1.2.3",
    "169.254.169.254",
    "100.100.100.200",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
]


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Nothing leaves this machine; the list holds where it would have gone."""
    tried: list[object] = []

    def connect(_self: socket.socket, address: object) -> None:
        tried.append(address)
        raise ConnectionRefusedError(111, "nobody goes there")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", SPELLINGS)
def test_a_private_address_is_refused_in_every_spelling(
    host: str, scheme: str, no_connection: list[object]
) -> None:
    """Before anybody connects, by the system's own lookup."""
    with pytest.raises(Refused) as refused:
        sent(SignedWebhook(f"{scheme}://{host}:8443/{TOKEN}", SECRET, allow_private=False))
    assert refused.value.code == "webhook_refused"
    assert no_connection == []
    assert_tells_no_secret(refused.value)


@pytest.mark.parametrize("found", [["10.0.0.7"], ["8.8.8.8", "10.0.0.7"], ["::1", "8.8.8.8"]])
def test_a_name_with_one_private_address_is_refused(
    found: list[str], no_connection: list[object]
) -> None:
    """Also when public ones stand beside it."""
    resolve, asked = resolving(found)
    webhook = SignedWebhook(f"https://{HOST}/", SECRET, allow_private=False, resolve=resolve)
    with pytest.raises(Refused, match="not public"):
        sent(webhook)
    assert (asked, no_connection) == ([HOST], [])


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    no_connection: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is checked, private when it is asked again. Nobody asks."""
    resolve, asked = resolving(["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a second lookup"))
    webhook = SignedWebhook(f"https://{HOST}/", SECRET, allow_private=False, resolve=resolve)
    with pytest.raises(Unavailable):
        sent(webhook)
    assert (asked, no_connection) == ([HOST], [("8.8.8.8", 443)])


def test_the_next_message_checks_the_address_anew(no_connection: list[object]) -> None:
    """What was public an hour ago may be private now."""
    resolve, asked = resolving(["8.8.8.8"], ["127.0.0.1"])
    webhook = SignedWebhook(f"https://{HOST}/", SECRET, allow_private=False, resolve=resolve)
    with pytest.raises(Unavailable):
        sent(webhook)
    with pytest.raises(Refused):
        sent(webhook)
    assert (asked, no_connection) == ([HOST, HOST], [("8.8.8.8", 443)])


def test_it_connects_to_the_address_that_it_was_told_first(trust: Trust) -> None:
    """With real connections: the second answer leads to a server that hears nothing."""
    resolve, asked = resolving(["127.0.0.1"], ["127.0.0.2"])
    with serving(answering(200), tls=trust.server) as server:
        webhook = _by_name(server.tls_url, trust.client, resolve)
        sent(webhook)
        assert asked == [HOST]
        with pytest.raises(Unavailable):
            sent(webhook)
    assert server.only().headers["host"] == f"{HOST}:{server.port}"


def test_when_the_first_address_is_closed_the_next_is_tried(trust: Trust) -> None:
    """As for a name with an IPv6 address that leads nowhere."""
    resolve, _ = resolving(["127.0.0.2", "::1", "127.0.0.1"])
    with serving(answering(200), tls=trust.server) as server:
        sent(_by_name(server.tls_url, trust.client, resolve))
    assert len(server.received) == 1


def test_tls_is_checked_for_the_name_and_not_for_the_address(trust: Trust) -> None:
    """A certificate for another name, or by an authority that nobody trusts, gets nothing."""
    resolve, _ = resolving(["127.0.0.1"])
    with serving(answering(200), tls=trust.server) as server:
        other = f"https://other.example.com:{server.port}/"
        with pytest.raises(Unavailable, match="certificate"):
            sent(_by_name(other, trust.client, resolve))
        with pytest.raises(Unavailable, match="certificate"):
            sent(_by_name(f"https://127.0.0.1:{server.port}/", trust.client, resolve))
        with pytest.raises(Unavailable, match="certificate"):
            sent(_by_name(server.tls_url, None, resolve))
    assert server.received == []


def test_a_handshake_that_hangs_is_left_after_the_time_limit(trust: Trust) -> None:
    """Somebody accepts and says nothing."""
    resolve, _ = resolving(["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        webhook = SignedWebhook(
            f"https://{HOST}:{silent.getsockname()[1]}/",
            SECRET,
            allow_private=True,
            timeout_seconds=0.1,
            resolve=resolve,
            tls=trust.client,
        )
        with pytest.raises(Unavailable, match="longer than"):
            sent(webhook)


def _by_name(
    url: str, tls: ssl.SSLContext | None, resolve: Callable[[str, int], Sequence[str]]
) -> SignedWebhook:
    return SignedWebhook(
        url, SECRET, allow_private=True, timeout_seconds=30.0, resolve=resolve, tls=tls
    )


@pytest.mark.parametrize("found", [[], ["not an address"]])
def test_a_name_without_an_address_may_have_one_later(found: list[str]) -> None:
    """The lookup failed; nothing is known against the name."""
    resolve, _ = resolving(found)
    with pytest.raises(Unavailable, match="its name"):
        sent(SignedWebhook(f"https://{HOST}/", SECRET, allow_private=False, resolve=resolve))


def test_a_lookup_that_fails_may_work_later() -> None:
    """As when the name server is away."""

    def resolve(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    with pytest.raises(Unavailable, match="Temporary failure"):
        sent(SignedWebhook(f"https://{HOST}/", SECRET, allow_private=False, resolve=resolve))


def test_proxies_of_the_environment_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one nobody could check the address."""
    with serving(answering(200)) as proxy, serving(answering(200)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        sent(a_webhook(server))
    assert (len(server.received), len(proxy.received)) == (1, 0)


def test_a_lookup_that_hangs_is_left_after_the_time_limit() -> None:
    """The system's own lookup knows no limit."""
    over = threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[str]:
        over.wait()
        return ["127.0.0.1"]

    webhook = SignedWebhook(
        "https://hooks.example.com/",
        SECRET,
        allow_private=True,
        timeout_seconds=0.05,
        resolve=resolve,
    )
    with pytest.raises(Unavailable, match="longer than"):
        sent(webhook)
    over.set()
