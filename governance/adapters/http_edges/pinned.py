"""One HTTP exchange with an address that was checked: looked up once, and connected to that answer.

A name that answers differently the second time (DNS rebinding) gains nothing, because nobody asks
a second time; TLS still checks the certificate for the name. One time limit covers everything
from the lookup to the last byte. Redirects are not followed. Proxy variables of the environment
are not followed either: behind a proxy nobody here could check the address.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from governance.adapters.http_edges.addresses import Destination, NotAllowed, is_public

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name, as text, in the order in which to try them. Raises OSError."""

_IP = IPv4Address | IPv6Address

MOST_BYTES = 64 * 1024
"""Of an answer, its headers included."""


class NoAnswer(Exception):
    """Why there is no answer, as the end of a sentence. Asking again may help."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    """Empty unless it was asked for."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the operating system answers, `/etc/hosts` and search domains included. It also reads
    127.1 and 0x7f000001, so every spelling of an address is checked as what it means."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PinnedClient:
    """Calls destinations, each time anew: no connection and no lookup is kept."""

    def __init__(
        self,
        *,
        allow_private: bool,
        timeout_seconds: float,
        resolve: Resolve = system_addresses,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` None: the system's certificate authorities, or those of SSL_CERT_FILE."""
        self._allow_private = allow_private
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve
        self._tls = tls or ssl.create_default_context()

    def exchange(
        self,
        destination: Destination,
        *,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        read_body: bool,
    ) -> Answer:
        """One request and its answer, whatever its status. Raises NotAllowed for an address that
        is not public (unless private ones are allowed), NoAnswer for everything else."""
        deadline = _Deadline(self._timeout_seconds)
        try:
            addresses = self._checked(destination, deadline)
            with closing(self._connected(destination, addresses, deadline)) as line:
                return _exchanged(
                    _Wire(line, deadline),
                    destination,
                    method=method,
                    headers=headers,
                    body=body,
                    read_body=read_body,
                )
        except TimeoutError as error:
            raise NoAnswer(f"it took longer than {self._timeout_seconds:g} seconds") from error
        except ssl.SSLCertVerificationError as error:
            raise NoAnswer(f"its certificate is not good: {error.verify_message}") from error
        except http.client.RemoteDisconnected as error:
            raise NoAnswer("it hung up without an answer") from error
        except OSError as error:
            raise NoAnswer(error.strerror or type(error).__name__) from error

    def _checked(self, destination: Destination, deadline: _Deadline) -> Sequence[_IP]:
        """All addresses of the destination; one that is not allowed spoils all of them."""
        found = _literal(destination.host)
        if found is None:
            found = self._looked_up(destination, deadline)
        if not self._allow_private and not all(is_public(a) for a in found):
            raise NotAllowed("it leads to an address that is not public")
        return found

    def _looked_up(self, destination: Destination, deadline: _Deadline) -> Sequence[_IP]:
        future: Future[Sequence[str]] = Future()

        def look_up() -> None:
            try:
                future.set_result(self._resolve(destination.host, destination.port))
            except Exception as error:
                future.set_exception(error)

        # The system's lookup takes no time limit; what it does after ours is nobody's concern.
        threading.Thread(target=look_up, name="lookup", daemon=True).start()
        try:
            found = tuple(ip_address(text) for text in future.result(deadline.left_seconds()))
        except ValueError:
            raise NoAnswer("its name cannot be looked up") from None
        if not found:
            raise NoAnswer("its name has no address")
        return found

    def _connected(
        self, destination: Destination, addresses: Sequence[_IP], deadline: _Deadline
    ) -> socket.socket:
        """A connection to the first address that accepts one. What cannot be reached takes its
        share of the time and no more."""
        problem: OSError | None = None
        for tried, address in enumerate(addresses):
            share = deadline.left_seconds() / (len(addresses) - tried)
            try:
                line = _opened(address, destination.port, share)
            except OSError as error:
                problem = error
                continue
            return self._secured(line, destination, deadline) if destination.is_tls else line
        raise problem or OSError("no address")

    def _secured(
        self, line: socket.socket, destination: Destination, deadline: _Deadline
    ) -> ssl.SSLSocket:
        try:
            line.settimeout(deadline.left_seconds())
            return self._tls.wrap_socket(line, server_hostname=destination.host)
        except BaseException:
            line.close()
            raise


class _Deadline:
    """The moment at which everything has to be over."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left_seconds(self) -> float:
        """More than none. Raises TimeoutError."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Wire:
    """As much of a socket as `http.client` uses, where every step has only the time that is left:
    a socket's own time limit begins again with each byte."""

    def __init__(self, line: socket.socket, deadline: _Deadline) -> None:
        self._line = line
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._line.settimeout(self._deadline.left_seconds())
            rest = rest[self._line.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._line, self._deadline))

    def close(self) -> None:
        """Whoever opened the line closes it."""


class _Incoming(io.RawIOBase):
    """Bytes as they arrive, up to `MOST_BYTES`, up to the deadline."""

    def __init__(self, line: socket.socket, deadline: _Deadline) -> None:
        self._line = line
        self._deadline = deadline
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as BufferedReader calls it
        if self._left == 0:
            raise OSError(0, f"its answer is longer than {MOST_BYTES // 1024} kB")
        self._line.settimeout(self._deadline.left_seconds())
        count = self._line.recv_into(buffer[: self._left])
        self._left -= count
        return count


def _exchanged(
    wire: _Wire,
    destination: Destination,
    *,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    read_body: bool,
) -> Answer:
    connection = http.client.HTTPConnection(destination.host, destination.port)
    connection.sock = wire
    ours = {"Host": destination.authority, "User-Agent": "foureyes", "Connection": "close"}
    connection.request(method, destination.target, body=body, headers={**ours, **headers})
    try:
        with connection.getresponse() as response:
            return Answer(status=response.status, body=_body(response) if read_body else b"")
    except http.client.RemoteDisconnected:
        raise
    except (http.client.HTTPException, ValueError):
        # ValueError: a chunk of negative length. Without the cause, which may repeat what the
        # other side sent back of our own path.
        raise NoAnswer("what it answers is no HTTP") from None


def _body(response: http.client.HTTPResponse) -> bytes:
    # With a limit: without one, room for all that the other side announces would be made first.
    body = response.read(MOST_BYTES)
    if response.length:
        raise OSError(0, "its answer was cut")
    return body


def _literal(host: str) -> Sequence[_IP] | None:
    try:
        return (ip_address(host),)
    except ValueError:
        return None


def _opened(address: _IP, port: int, timeout_seconds: float) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.settimeout(timeout_seconds)
        # Headers and body are two writes; the second must not wait for the first one's echo.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.connect((str(address), port))
    except BaseException:
        line.close()
        raise
    return line
