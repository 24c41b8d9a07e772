"""Answers GET on loopback for whoever watches the process; anything else is refused.

Knows pages as functions, and nothing of what they measure.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from governance.domain.errors import Unavailable

_log = logging.getLogger("foureyes.web")
_HOST = "127.0.0.1"
_TIMEOUT_SECONDS = 5.0
"""How long a slow client may take to send its request."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One page at one moment."""

    status: int
    body: str
    content_type: str = "application/json"


Page = Callable[[], Answer]


class HealthServer:
    """Listens from construction on, answers from `start` on."""

    def __init__(self, port: int, pages: Mapping[str, Page]) -> None:
        """Port 0 takes a free one.

        Raises:
            Unavailable: `port_taken`.
        """
        try:
            self._server = ThreadingHTTPServer((_HOST, port), _handler(pages))
        except OSError as error:
            raise Unavailable(
                "port_taken",
                f"Port {port} on {_HOST} cannot be used: {error.strerror}. Is another bot running "
                "here? FOUREYES_HEALTH_PORT chooses another one; 0 takes any that is free.",
            ) from error
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End; the port is free afterwards."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _handler(pages: Mapping[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_SECONDS
        server_version = "foureyes"
        sys_version = ""

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            if page is None:
                listed = " ".join(sorted(pages))
                answer = Answer(status=404, body=f"{listed}\n", content_type="text/plain")
            else:
                try:
                    answer = page()
                except Exception:  # the watcher must hear of a defect, not lose its connection
                    _log.exception("%s broke", self.path)
                    answer = Answer(status=500, body='{"defect": true}\n')
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", f"{answer.content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds; they are not worth a line."""

    return Handler
