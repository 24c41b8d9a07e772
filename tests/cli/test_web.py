"""The health pages: on loopback only, and honest about defects."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from bot.web import Answer, HealthServer
from governance.domain.errors import Unavailable


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def broken() -> Answer:
    """A page with a defect."""
    raise RuntimeError("secret detail")


def test_pages_are_answered_and_nothing_else_is() -> None:
    """An unknown path lists the known ones; a defect is a 500 without its details."""
    server = HealthServer(0, {"/fine": lambda: Answer(status=503, body="{}\n"), "/broken": broken})
    server.start()
    try:
        assert get(server.port, "/fine?x=1") == (503, "{}\n")
        assert get(server.port, "/") == (404, "/broken /fine\n")
        assert get(server.port, "/broken") == (500, '{"defect": true}\n')
    finally:
        server.stop()


def test_a_taken_port_says_what_to_do() -> None:
    """Two bots on one machine are told apart by a setting."""
    first = HealthServer(0, {})
    try:
        with pytest.raises(Unavailable, match="FOUREYES_HEALTH_PORT"):
            HealthServer(first.port, {})
    finally:
        first.stop()
