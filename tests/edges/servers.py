"""Real HTTP servers on 127.0.0.1 that answer whatever bytes a test wants, and a certificate of
their own."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "hooks.example.com"
"""The one name in the certificate."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it came in. Header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Write = Callable[[bytes], object]


@dataclass
class Server:
    """A running server."""

    port: int
    received: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over: a script that hangs waits for it."""
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when a caller went away before the answer was written."""

    @property
    def url(self) -> str:
        """Its address in plain HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Its address by the name in its certificate."""
        return f"https://{HOST}:{self.port}"

    def only(self) -> Received:
        """The one request that came."""
        (one,) = self.received
        return one


Script = Callable[[Write, Server], object]
"""Writes the whole answer, from its status line on."""


def saying(data: bytes) -> Script:
    """These bytes and nothing more."""
    return lambda write, _server: write(data)


def answering(status: int, body: bytes = b"", *headers: str) -> Script:
    """An ordinary answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return saying("\r\n".join(lines).encode() + body)


@contextmanager
def serving(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers every request by the script."""

    class Handler(BaseHTTPRequestHandler):
        """Reads one request, then leaves the line to the script."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.received.append(
                Received(method=self.command, target=self.path, headers=headers, body=body)
            )
            self.close_connection = True
            try:
                script(self.wfile.write, server)
            except OSError:
                server.hung_up.set()

        do_GET = do_POST = handle_any  # noqa: N815  # as http.server wants them

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server = Server(port=http.server_port)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        http.shutdown()
        thread.join()
        http.server_close()


def resolving(*answers: Sequence[str]) -> tuple[Callable[[str, int], Sequence[str]], list[str]]:
    """A resolver that gives one answer after another, the last one for ever; and whom it was
    asked for."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Both ends of TLS with a certificate for `HOST` that its own issuer signed."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def made_trust(folder: Path) -> Trust:
    """A new authority and a certificate by it; files are in the folder, as `ssl` wants them."""
    issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the tests")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    authority = _certificate(issuer, issuer, issuer_key, issuer_key, is_authority=True)
    own = _certificate(subject, issuer, key, issuer_key, is_authority=False)
    pem = serialization.Encoding.PEM
    chain = folder / "server.pem"
    chain.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + own.public_bytes(pem)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    client = ssl.create_default_context(cadata=authority.public_bytes(pem).decode())
    return Trust(server=server, client=client)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
